//! Blackout windows: whether one is open at a moment, and until when.

use chrono::{DateTime, Datelike as _, Days, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;
use noetl_api::policy::Blackout;
use noetl_domain::playbook::ScheduleWhen;

use crate::schedule::timetable::{Timetable, Zone, zone};

pub(super) enum Window {
    Hours { days: Vec<Weekday>, from: NaiveTime, to: NaiveTime, zone: Zone },
    Cron { timetable: Timetable, length_ms: i64 },
}

impl Window {
    pub(super) fn new(blackout: &Blackout) -> Result<Self, String> {
        let name = if blackout.timezone.is_empty() { "UTC" } else { &blackout.timezone };
        let zone = zone(name).map_err(|error| error.to_string())?;
        if !blackout.cron.is_empty() {
            if !blackout.from.is_empty() || !blackout.to.is_empty() || !blackout.days.is_empty() {
                return Err("write either `cron` and `minutes`, or `days`, `from` and `to`".to_owned());
            }
            if !(1.0..=100_000.0).contains(&blackout.minutes) {
                return Err("`minutes` says how long it lasts from each moment of `cron`".to_owned());
            }
            let when = ScheduleWhen::Cron(blackout.cron.clone());
            let timetable = Timetable::new(&when, Some(name), 0).map_err(|error| error.to_string())?;
            return Ok(Self::Cron { timetable, length_ms: (blackout.minutes * 60_000.0) as i64 });
        }
        let days = blackout
            .days
            .iter()
            .map(|day| {
                day.parse::<Weekday>().map_err(|_| format!("{day:?} is no day of the week, such as Sat"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let midnight = NaiveTime::MIN;
        let from = if blackout.from.is_empty() { midnight } else { clock(&blackout.from)? };
        let to = if blackout.to.is_empty() { midnight } else { clock(&blackout.to)? };
        if days.is_empty() && blackout.from.is_empty() && blackout.to.is_empty() {
            return Err(
                "it says neither days nor hours nor `cron`; use kill_switch to stop everything".to_owned()
            );
        }
        Ok(Self::Hours { days, from, to, zone })
    }

    /// When the window that is open now closes, in Unix milliseconds.
    pub(super) fn until(&self, now_ms: i64) -> Option<i64> {
        match self {
            Self::Cron { timetable, length_ms } => {
                let end = timetable.latest_until(now_ms)? + length_ms;
                (end > now_ms).then_some(end)
            }
            Self::Hours { days, from, to, zone } => match zone {
                Zone::Named(zone) => until_in::<Tz>(days, *from, *to, zone, now_ms),
                Zone::Fixed(zone) => until_in(days, *from, *to, zone, now_ms),
            },
        }
    }
}

/// The window belongs to the day on which it begins, so yesterday's may still be open.
fn until_in<Z: TimeZone>(
    days: &[Weekday],
    from: NaiveTime,
    to: NaiveTime,
    zone: &Z,
    now_ms: i64,
) -> Option<i64> {
    let now = DateTime::from_timestamp_millis(now_ms)?.with_timezone(zone);
    let today = now.date_naive();
    [today.checked_sub_days(Days::new(1))?, today].into_iter().find_map(|day| {
        if !days.is_empty() && !days.contains(&day.weekday()) {
            return None;
        }
        let last = if to <= from { day.checked_add_days(Days::new(1))? } else { day };
        // A moment that a change of clocks skips or repeats is taken at its earliest.
        let begin = zone.from_local_datetime(&day.and_time(from)).earliest()?.timestamp_millis();
        let end = zone.from_local_datetime(&last.and_time(to)).earliest()?.timestamp_millis();
        (begin <= now_ms && now_ms < end).then_some(end)
    })
}

fn clock(text: &str) -> Result<NaiveTime, String> {
    if text.trim() == "24:00" {
        return Ok(NaiveTime::MIN);
    }
    NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| format!("{text:?} is no time such as 22:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).expect("a moment").timestamp_millis()
    }

    #[test]
    fn windows_are_open_when_their_zone_says_so() {
        let night = Blackout {
            days: vec!["Fri".to_owned()],
            from: "22:00".to_owned(),
            to: "06:00".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            ..Blackout::default()
        };
        let weekend = Blackout { days: vec!["Sat".to_owned(), "sunday".to_owned()], ..Blackout::default() };
        let close = Blackout { cron: "0 23 L * *".to_owned(), minutes: 180.0, ..Blackout::default() };
        // 2026-11-27 is a Friday.
        for (blackout, moment, until) in [
            (&night, "2026-11-27T20:59:00Z", None),
            (&night, "2026-11-27T21:00:00Z", Some("2026-11-28T05:00:00Z")),
            (&night, "2026-11-28T04:59:00Z", Some("2026-11-28T05:00:00Z")),
            (&night, "2026-11-28T22:00:00Z", None),
            (&weekend, "2026-11-28T00:00:00Z", Some("2026-11-29T00:00:00Z")),
            (&weekend, "2026-11-30T00:00:00Z", None),
            (&close, "2026-12-01T01:59:00Z", Some("2026-12-01T02:00:00Z")),
            (&close, "2026-12-01T02:00:00Z", None),
        ] {
            let window = Window::new(blackout).expect("a window");
            assert_eq!(window.until(at(moment)), until.map(at), "{blackout:?} at {moment}");
        }
    }

    #[test]
    fn what_is_no_window_says_why() {
        for (blackout, part) in [
            (Blackout::default(), "neither days nor hours"),
            (Blackout { days: vec!["Yesterday".to_owned()], ..Blackout::default() }, "no day of the week"),
            (Blackout { from: "7 pm".to_owned(), ..Blackout::default() }, "no time such as"),
            (Blackout { cron: "* * *".to_owned(), minutes: 5.0, ..Blackout::default() }, "cron"),
            (Blackout { cron: "0 1 * * *".to_owned(), ..Blackout::default() }, "minutes"),
            (
                Blackout { from: "1:00".to_owned(), timezone: "Mars".to_owned(), ..Blackout::default() },
                "timezone",
            ),
        ] {
            let refused = Window::new(&blackout).err().unwrap_or_default();
            assert!(refused.contains(part), "{blackout:?}: {refused:?}");
        }
    }
}
