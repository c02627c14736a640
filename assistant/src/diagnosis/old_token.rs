//! A request was refused because of its token, and the step that fetched the token was told that it is of no use any more.

use chrono::{DateTime, Utc};
use noetl_domain::Value;
use noetl_domain::cause::Cause;

use super::case::{event, failure_item};
use super::trail::result_of;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Origin, is_nothing, plain, reads_of};

const RULE: &str = "old_token";

/// Fields that say for how many seconds a token holds, and until when.
const SECONDS: &[&str] = &["expiresin", "expiresinseconds", "ttl", "validfor", "lifetime", "secondsleft"];
const MOMENTS: &[&str] =
    &["expiresat", "expiry", "expires", "expiration", "validuntil", "expireson", "exp", "notafter"];
/// Levels of an answer in which they are looked for.
const DEPTH: usize = 4;
/// Unix times above this are milliseconds.
const MILLISECONDS: f64 = 1e11;

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let is_refusal =
        matches!(case.cause, Cause::AuthUnauthenticated | Cause::AuthTokenExpired | Cause::AuthForbidden);
    let Some(end) = case.end.filter(|_| is_refusal) else { return Vec::new() };
    let mut found = Vec::new();
    for read in reads_of(case.evidence, &end.step) {
        let Origin::Step(maker) = &read.origin else { continue };
        if read.now.as_ref().is_none_or(is_nothing) || !names_a_token(&read.path) {
            continue;
        }
        let Some(made) = case.run.results.get(maker).copied() else { continue };
        let told = result_of(case.run, maker).and_then(|answer| expired(&answer, made.at_ms, DEPTH));
        let Some(told) = told else { continue };
        let root = case.root(Some(maker), Some(made));
        let mut hypothesis = Hypothesis::new(RULE, root, Cause::AuthTokenExpired, 0.95)
            .with_chain([made].into_iter().chain(case.tail(end)));
        hypothesis.support = Support::Firm;
        hypothesis.points.push(Point::new(
            format!("Step `{maker}` was handed a token that was no good any more: {told}"),
            vec![event(made, format!("{maker}: {told}"), "the cause auth.token_expired")],
        ));
        hypothesis.points.push(Point::new(
            format!("Step `{}` used it and was refused", end.step),
            vec![failure_item(end, "the failure, a symptom")],
        ));
        found.push(hypothesis);
    }
    found
}

/// `login.data.access_token`, `session`: the date of a contract ends no token.
fn names_a_token(path: &str) -> bool {
    let path = path.to_lowercase();
    ["token", "session", "jwt", "bearer", "ticket", "auth", "secret", "key", "sid"]
        .iter()
        .any(|word| path.contains(word))
}

/// The field that says that it was over by then.
fn expired(value: &Value, now_ms: i64, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let map = value.as_object()?;
    map.iter().find_map(|(key, value)| {
        let name = plain(key);
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        let is_over = match number {
            Some(seconds) if SECONDS.contains(&name.as_str()) => seconds < 0.0,
            Some(moment) if MOMENTS.contains(&name.as_str()) && moment > 0.0 => {
                let ms = if moment > MILLISECONDS { moment } else { moment * 1_000.0 };
                ms < now_ms as f64
            }
            None if MOMENTS.contains(&name.as_str()) => {
                let moment = value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
                moment.is_some_and(|moment| moment.timestamp_millis() < now_ms)
            }
            _ => false,
        };
        if is_over { Some(format!("{key} is {value}")) } else { expired(value, now_ms, depth) }
    })
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;
    use serde_json::json;

    use super::expired;
    use crate::testing::{Lab, http_error, ok};

    #[test]
    fn a_token_that_was_old_when_it_came_is_the_root() {
        let lab = Lab::new("a\nb reads a.token");
        let answer = json!({"token": "tk-1", "expires_in": -5});
        lab.run(&[("a", ok(answer)), ("b", http_error(401, "Unauthorized"))])
            .blames("a", Cause::AuthTokenExpired);
        let lab = Lab::new("a\nb reads a.token");
        let answer = json!({"token": "tk-1", "expires_in": 3600});
        lab.run(&[("a", ok(answer)), ("b", http_error(401, "Unauthorized"))])
            .blames("b", Cause::AuthUnauthenticated);
    }

    #[test]
    fn moments_are_read_as_services_write_them() {
        let now = 1_800_000_000_000;
        for (answer, is_over) in [
            (json!({"expires_at": "2020-01-01T00:00:00Z"}), true),
            (json!({"auth": {"exp": 1_700_000_000}}), true),
            (json!({"expiry": 1_900_000_000}), false),
            (json!({"expires": 1_900_000_000_000_i64}), false),
            (json!({"expires_at": "soon"}), false),
            (json!({"ttl": -1}), true),
            // With many services this is for ever.
            (json!({"ttl": 0}), false),
        ] {
            assert_eq!(expired(&answer, now, 4).is_some(), is_over, "{answer}");
        }
    }
}
