//! The condition that tells one cause from the others, by a typed field of its errors.

use super::super::observed::{Failure, Observed, Series};

type Field = fn(&Failure) -> Option<String>;
type Failing<'s> = (&'s Observed, &'s Failure, &'s Series);

/// A template expression over `error`; None when no field tells them apart.
pub(super) fn condition(own: &[Failing<'_>], all: &[Failing<'_>]) -> Option<String> {
    let fields: [(&str, Field); 3] = [
        ("status_code", |failure| failure.status_code.map(|code| code.to_string())),
        ("code", |failure| failure.code.clone()),
        ("kind", |failure| Some(failure.kind.clone())),
    ];
    let cause = own.first()?.1.cause.as_str();
    fields.iter().find_map(|(name, value)| {
        let first = value(own.first()?.1)?;
        let fits = all.iter().all(|(_, failure, _)| {
            (value(failure).as_deref() == Some(first.as_str())) == (failure.cause == cause)
        });
        let is_plain = first.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        let literal = if *name == "status_code" { first } else { format!("'{first}'") };
        (fits && is_plain && !literal.is_empty()).then(|| format!("error and error.{name} == {literal}"))
    })
}

#[cfg(test)]
mod tests {
    use noetl_domain::event::Status;
    use noetl_domain::id::ExecutionId;

    use super::*;

    fn failure(cause: &str, status_code: Option<u16>, code: &str) -> Failure {
        Failure { cause: cause.into(), kind: "http".into(), code: Some(code.into()), status_code }
    }

    #[test]
    fn the_field_that_tells_causes_apart_is_named() {
        let observed = Observed {
            execution: ExecutionId(1),
            version: 1,
            status: Status::Failed,
            started_ms: 0,
            ended_ms: 1,
            cause: None,
            steps: Vec::new(),
        };
        let series = Series::default();
        let of = |own: &[Failure], others: &[Failure]| {
            let own: Vec<Failing<'_>> = own.iter().map(|one| (&observed, one, &series)).collect();
            let mut all = own.clone();
            all.extend(others.iter().map(|one| (&observed, one, &series)));
            condition(&own, &all)
        };
        let limited = failure("limit.rate", Some(429), "429");
        let missing = failure("request.not_found", Some(404), "404");
        let expected = "error and error.status_code == 429";
        assert_eq!(of(std::slice::from_ref(&limited), &[missing]).as_deref(), Some(expected));
        let alike = failure("remote.unavailable", Some(429), "429");
        assert_eq!(of(&[limited], &[alike]), None);
        let python = failure("network.reset", None, "ConnectionResetError");
        let other = failure("code.exception", None, "KeyError");
        assert_eq!(
            of(&[python], &[other]).as_deref(),
            Some("error and error.code == 'ConnectionResetError'")
        );
    }
}
