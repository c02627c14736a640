//! Conditions on what is known of a point, as people write them: `cause=quota,count>=3,tool!=http`.

use noetl_api::search::Facts;
use qdrant_client::qdrant::{Condition as Wire, Filter, Range};

use super::kind::Kind;

#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    field: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Longer ones before the ones they begin with.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::IsNot),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Is),
    ("<", Operator::Below),
    (">", Operator::Above),
];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("the condition {0:?} cannot be read")]
    Form(String),
    #[error("results have no field {0:?}")]
    Field(String),
    #[error("{field} is compared with a number, not with {value:?}")]
    Number { field: String, value: String },
}

impl Condition {
    /// Conditions joined by commas.
    pub fn read(text: &str) -> Result<Vec<Self>, ConditionError> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Self::one).collect()
    }

    fn one(text: &str) -> Result<Self, ConditionError> {
        let at = text.find(['!', '<', '>', '=']).ok_or_else(|| ConditionError::Form(text.to_owned()))?;
        let (field, rest) = text.split_at(at);
        let (spelling, operator) = OPERATORS
            .into_iter()
            .find(|(spelling, _)| rest.starts_with(spelling))
            .ok_or_else(|| ConditionError::Form(text.to_owned()))?;
        let (field, value) = (field.trim().to_owned(), rest[spelling.len()..].trim().to_owned());
        if !Self::fields().contains(&field) {
            return Err(ConditionError::Field(field));
        }
        let is_comparison = !matches!(operator, Operator::Is | Operator::IsNot);
        if is_comparison && value.parse::<f64>().is_err() {
            return Err(ConditionError::Number { field, value });
        }
        Ok(Self { field, operator, value })
    }

    /// Whatever it is, it is no Execution that went well.
    pub(crate) fn not_completed() -> Self {
        Self { field: "status".to_owned(), operator: Operator::IsNot, value: "COMPLETED".to_owned() }
    }

    /// The fields that results have.
    pub fn fields() -> Vec<String> {
        // Every field, as none is left out when it has a value.
        let some = || "x".to_owned();
        let facts = Facts {
            text: some(),
            title: some(),
            playbook: some(),
            version: 1,
            step: some(),
            tool: some(),
            status: some(),
            cause: some(),
            fingerprint: some(),
            execution_id: some(),
            event_id: some(),
            first_at: some(),
            at: some(),
            count: 1,
            handled: 1,
            attempts: 1,
            duration_ms: 1,
            source: some(),
        };
        match serde_json::to_value(facts) {
            Ok(serde_json::Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }
}

/// What every point of a kind must be that is found.
pub(super) fn filter(
    kind: Kind,
    from_ms: Option<i64>,
    playbook: Option<&str>,
    conditions: &[Condition],
) -> Filter {
    let mut filter = Filter::default();
    if let Some(from) = from_ms.filter(|_| kind.ages()) {
        filter.must.push(Wire::range("at_ms", Range { gte: Some(from as f64), ..Range::default() }));
    }
    if let Some(playbook) = playbook {
        filter.must.push(Wire::matches("playbook", playbook.to_owned()));
    }
    for Condition { field, operator, value } in conditions {
        match operator {
            Operator::Is => filter.must.push(equal(field, value)),
            Operator::IsNot => filter.must_not.push(equal(field, value)),
            other => filter.must.push(Wire::range(field.as_str(), range(*other, value))),
        }
    }
    filter
}

/// The value as a word or as a number, whichever the field holds.
fn equal(field: &str, value: &str) -> Wire {
    let word = Wire::matches(field, value.to_owned());
    match value.parse::<i64>() {
        Ok(number) => Filter::should([word, Wire::matches(field, number)]).into(),
        Err(_) => word,
    }
}

fn range(operator: Operator, value: &str) -> Range {
    // It was read as a number before.
    let bound = value.parse().ok();
    match operator {
        Operator::Below => Range { lt: bound, ..Range::default() },
        Operator::AtMost => Range { lte: bound, ..Range::default() },
        Operator::Above => Range { gt: bound, ..Range::default() },
        _ => Range { gte: bound, ..Range::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_people_write_them() {
        let read = Condition::read("cause=quota, count >= 3,tool!=http,").unwrap();
        let parts: Vec<_> =
            read.iter().map(|one| (one.field.as_str(), one.operator, one.value.as_str())).collect();
        assert_eq!(
            parts,
            [
                ("cause", Operator::Is, "quota"),
                ("count", Operator::AtLeast, "3"),
                ("tool", Operator::IsNot, "http")
            ]
        );
        assert_eq!(Condition::read(" ").unwrap(), []);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        assert_eq!(Condition::read("cause"), Err(ConditionError::Form("cause".into())));
        assert_eq!(Condition::read("colour=red"), Err(ConditionError::Field("colour".into())));
        let error = Condition::read("count>many").unwrap_err();
        assert_eq!(error.to_string(), "count is compared with a number, not with \"many\"");
    }
}
