//! The moments at which a schedule is due: a pure function of its text and a moment.
//!
//! Cron fields are read in the schedule's timezone, UTC unless it names one; the zone database is built in.

use chrono::{DateTime, FixedOffset, TimeZone};
use chrono_tz::Tz;
use croner::{Cron, CronIterator, Direction};
use noetl_domain::playbook::ScheduleWhen;

use super::ScheduleError;

const LONGEST_SECONDS: f64 = 10.0 * 366.0 * 86_400.0;

#[derive(Debug)]
pub enum Timetable {
    Cron { cron: Box<Cron>, zone: Zone },
    Every { from_ms: i64, interval_ms: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Timetable {
    /// `from_ms` is when an interval starts to count.
    pub fn new(when: &ScheduleWhen, timezone: Option<&str>, from_ms: i64) -> Result<Self, ScheduleError> {
        let zone = zone(timezone.unwrap_or("UTC"))?;
        match when {
            ScheduleWhen::Cron(text) => {
                let parsed = text.trim().parse::<Cron>();
                let cron = parsed
                    .map_err(|error| ScheduleError::Cron { text: text.clone(), reason: error.to_string() })?;
                Ok(Self::Cron { cron: Box::new(cron), zone })
            }
            ScheduleWhen::IntervalSeconds(seconds) => {
                if !(1.0..=LONGEST_SECONDS).contains(seconds) {
                    return Err(ScheduleError::Interval(*seconds));
                }
                Ok(Self::Every { from_ms, interval_ms: (seconds * 1000.0).round() as i64 })
            }
        }
    }

    /// The first due moment after a moment.
    pub fn next_after(&self, at_ms: i64) -> Option<i64> {
        match self {
            Self::Every { from_ms, interval_ms } => {
                let passed = (at_ms - from_ms).div_euclid(*interval_ms).max(0);
                Some(from_ms + (passed + 1) * interval_ms)
            }
            Self::Cron { cron, zone } => find(cron, *zone, at_ms, Direction::Forward),
        }
    }

    /// The last due moment at or before a moment.
    pub fn latest_until(&self, at_ms: i64) -> Option<i64> {
        match self {
            Self::Every { from_ms, interval_ms } => {
                let passed = (at_ms - from_ms).div_euclid(*interval_ms);
                (passed >= 1).then(|| from_ms + passed * interval_ms)
            }
            Self::Cron { cron, zone } => find(cron, *zone, at_ms, Direction::Backward),
        }
    }
}

fn find(cron: &Cron, zone: Zone, at_ms: i64, direction: Direction) -> Option<i64> {
    match zone {
        Zone::Named(zone) => find_in(cron, &zone, at_ms, direction),
        Zone::Fixed(zone) => find_in(cron, &zone, at_ms, direction),
    }
}

/// Cron counts in whole seconds, so the fraction of the moment does not matter.
fn find_in<Z: TimeZone>(cron: &Cron, zone: &Z, at_ms: i64, direction: Direction) -> Option<i64> {
    let at = DateTime::from_timestamp(at_ms.div_euclid(1000), 0)?.with_timezone(zone);
    let is_inclusive = matches!(direction, Direction::Backward);
    let found = CronIterator::new(cron.clone(), at, is_inclusive, direction).next()?;
    Some(found.timestamp_millis())
}

pub(crate) fn zone(text: &str) -> Result<Zone, ScheduleError> {
    let text = text.trim();
    text.parse::<Tz>()
        .map(Zone::Named)
        .ok()
        .or_else(|| text.trim_start_matches("UTC").parse::<FixedOffset>().map(Zone::Fixed).ok())
        .ok_or_else(|| ScheduleError::Timezone(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn cron(text: &str, zone: Option<&str>) -> Timetable {
        Timetable::new(&ScheduleWhen::Cron(text.into()), zone, 0).unwrap()
    }

    #[test]
    fn cron_is_due_by_the_clock_of_its_zone() {
        for (text, zone, after, next) in [
            ("0 6 * * *", None, "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z"),
            ("0 6 * * *", None, "2026-03-01T05:59:59.999Z", "2026-03-01T06:00:00Z"),
            ("0 6 * * *", Some("Europe/Berlin"), "2026-01-10T12:00:00Z", "2026-01-11T05:00:00Z"),
            ("0 6 * * *", Some("+02:00"), "2026-01-10T12:00:00Z", "2026-01-11T04:00:00Z"),
            ("*/15 * * * *", None, "2026-01-01T00:07:00Z", "2026-01-01T00:15:00Z"),
            ("*/10 * * * * *", None, "2026-01-01T00:00:05Z", "2026-01-01T00:00:10Z"),
            ("0 9 * * MON-FRI", None, "2026-11-20T10:00:00Z", "2026-11-23T09:00:00Z"),
            ("@daily", None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            // The clock goes forward at 02:00 and back at 03:00: a daily job runs once on both days.
            ("30 2 * * *", Some("Europe/Berlin"), "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 2 * * *", Some("Europe/Berlin"), "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("30 2 * * *", Some("Europe/Berlin"), "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ] {
            assert_eq!(
                cron(text, zone).next_after(at(after)),
                Some(at(next)),
                "{text} in {zone:?} after {after}"
            );
        }
        let hourly = cron("0 * * * *", None);
        assert_eq!(hourly.latest_until(at("2026-01-01T05:00:00Z")), Some(at("2026-01-01T05:00:00Z")));
        assert_eq!(hourly.latest_until(at("2026-01-01T04:59:59.500Z")), Some(at("2026-01-01T04:00:00Z")));
        assert_eq!(cron("0 0 30 2 *", None).next_after(0), None);
    }

    #[test]
    fn an_interval_counts_from_its_start() {
        let every = Timetable::new(&ScheduleWhen::IntervalSeconds(2.5), None, 1_000).unwrap();
        assert_eq!(every.next_after(1_000), Some(3_500));
        assert_eq!(every.next_after(3_499), Some(3_500));
        assert_eq!(every.next_after(3_500), Some(6_000));
        assert_eq!(every.next_after(-50_000), Some(3_500));
        assert_eq!(every.latest_until(3_499), None);
        assert_eq!(every.latest_until(6_001), Some(6_000));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let refused = |when: ScheduleWhen, zone: Option<&str>| Timetable::new(&when, zone, 0).is_err();
        for text in ["", "* * * *", "61 * * * *", "every day", "0 0 * * * * * *"] {
            assert!(refused(ScheduleWhen::Cron(text.into()), None), "{text}");
        }
        assert!(refused(ScheduleWhen::Cron("* * * * *".into()), Some("Mars/Olympus")));
        for seconds in [0.0, -1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert!(refused(ScheduleWhen::IntervalSeconds(seconds), None), "{seconds}");
        }
    }
}
