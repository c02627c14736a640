//! Makes the tables. A later version of them is a further list of statements here, applied once and in order.

use serde::Deserialize;

use super::{Analytics, AnalyticsError};
use crate::config::Retention;

const TABLES: &str = include_str!("../../schema/tables.sql");

/// Of the tables in `schema/`.
const VERSION: u32 = 1;

#[derive(clickhouse::Row, Deserialize)]
struct Index {
    id: String,
    schema_version: u32,
}

pub(super) async fn prepare(analytics: &Analytics, retention: Retention) -> Result<String, AnalyticsError> {
    let attempted = "make the tables";
    let database = &analytics.database;
    analytics.execute(attempted, &format!("CREATE DATABASE IF NOT EXISTS {database}")).await?;
    for statement in statements(database, retention) {
        analytics.execute(attempted, &statement).await?;
    }
    if let Some(index) = known(analytics).await? {
        return if index.schema_version > VERSION {
            Err(AnalyticsError::Newer { found: index.schema_version, known: VERSION })
        } else {
            Ok(index.id)
        };
    }
    let made = format!(
        "INSERT INTO {database}.noetl_index SELECT toString(generateUUIDv4()), {VERSION}, now64(3, 'UTC')"
    );
    analytics.execute("name the index", &made).await?;
    Ok(known(analytics).await?.map(|index| index.id).unwrap_or_default())
}

/// The oldest name wins, should two processes have given one at the same moment.
async fn known(analytics: &Analytics) -> Result<Option<Index>, AnalyticsError> {
    let sql = "SELECT id, schema_version FROM {database}.noetl_index ORDER BY created_at, id LIMIT 1";
    Ok(analytics.all::<Index>("read which index this is", analytics.query(sql)).await?.pop())
}

fn statements(database: &str, retention: Retention) -> Vec<String> {
    let filled = TABLES
        .replace("{database}", database)
        .replace("{events_days}", &retention.events.to_string())
        .replace("{steps_days}", &retention.steps.to_string())
        .replace("{executions_days}", &retention.executions.to_string())
        .replace("{logs_days}", &retention.logs.to_string())
        .replace("{llm_calls_days}", &retention.llm_calls.to_string())
        .replace("{hourly_days}", &retention.hourly.to_string());
    filled.split("\n;").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_filled_in() {
        let statements = statements("observability", Retention::default());
        assert!(statements.len() >= 14, "{}", statements.len());
        for statement in statements {
            assert!(!statement.contains("_days}") && !statement.contains("{database}"), "{statement}");
            assert!(statement.contains("CREATE "), "{statement}");
        }
    }
}
