//! A PostgreSQL server of the test's own, and a second pair of eyes on its tables.

use noetl_worker::testing::Postgres;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

pub(crate) struct Database {
    server: Postgres,
    client: tokio_postgres::Client,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    pub(crate) async fn start() -> Self {
        let server = Postgres::start().expect("a PostgreSQL server");
        let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.expect("a connection");
        tokio::spawn(connection);
        Self { server, client }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// What `POST /api/credentials` takes.
    pub(crate) fn credential(&self, name: &str) -> Value {
        json!({"name": name, "type": "postgres", "data": self.server.credential_data()})
    }

    /// The rows of a query as JSON objects.
    pub(crate) async fn rows(&self, query: &str) -> Result<Value, String> {
        let wrapped = format!("SELECT coalesce(json_agg(row_to_json(found)), '[]') FROM ({query}) AS found");
        match self.client.query_one(&wrapped, &[]).await {
            Ok(row) => Ok(row.get(0)),
            Err(error) => Err(format!("{query}: {error:?}")),
        }
    }
}
