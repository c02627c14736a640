//! A stretch of time in the arguments of a tool.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use noetl_api::insight::InsightFilter;
use noetl_domain::code::Code;

use super::Trouble;

/// Between two moments, the second one left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

impl Stretch {
    pub(crate) fn holds(&self, rfc3339: &str) -> bool {
        DateTime::parse_from_rfc3339(rfc3339).is_ok_and(|at| self.from <= at && at < self.until)
    }

    /// Whether it lies before a moment.
    pub(crate) fn is_after(&self, rfc3339: &str) -> bool {
        DateTime::parse_from_rfc3339(rfc3339).is_ok_and(|at| at < self.from)
    }

    /// As SQL compares a column with it.
    pub(crate) fn sql(&self, column: &str) -> String {
        let (from, until) = (self.from.timestamp_millis(), self.until.timestamp_millis());
        format!(
            "{column} >= fromUnixTimestamp64Milli({from}) AND {column} < fromUnixTimestamp64Milli({until})"
        )
    }
}

/// `30m`, `24h`, `7d`, `4w` back from now, or moments in RFC 3339.
pub(crate) fn stretch(since: Option<&str>, until: Option<&str>, usual: Duration) -> Result<Stretch, Trouble> {
    let now = Utc::now();
    let until = moment(until, now)?.unwrap_or(now);
    let from = moment(since, now)?.unwrap_or(until - usual);
    if from > until {
        return Err(Trouble::new(Code::InvalidRequest, "the stretch of time ends before it begins"));
    }
    Ok(Stretch { from, until })
}

/// None where neither end is given.
pub(super) fn maybe_stretch(since: Option<&str>, until: Option<&str>) -> Result<Option<Stretch>, Trouble> {
    if since.is_none() && until.is_none() {
        return Ok(None);
    }
    stretch(since, until, Duration::days(3_650)).map(Some)
}

fn moment(text: Option<&str>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Trouble> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = back(text).map_or_else(
        || DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)),
        |length| now.checked_sub_signed(length),
    );
    read.map(Some).ok_or_else(|| {
        Trouble::new(Code::InvalidRequest, format!("{text:?} is no moment"))
            .hint("such as 30m, 24h, 7d, 4w, or 2026-11-01T00:00:00Z")
    })
}

fn back(text: &str) -> Option<Duration> {
    let at = text.find(|character: char| !character.is_ascii_digit())?;
    let count: i64 = text[..at].parse().ok()?;
    match &text[at..] {
        "m" | "min" => Duration::try_minutes(count),
        "h" => Duration::try_hours(count),
        "d" => Duration::try_days(count),
        "w" => Duration::try_weeks(count),
        _ => None,
    }
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The same stretch as the API is asked for it.
pub(super) fn filter(since: Option<String>, until: Option<String>, limit: Option<u64>) -> InsightFilter {
    InsightFilter { since, until, limit, ..InsightFilter::default() }
}
