//! Where days begin.

use chrono::{DateTime, Duration, FixedOffset, Local, NaiveDateTime, TimeZone as _, Utc};

/// Where days begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Zone {
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
    Local,
}

impl Zone {
    /// `Europe/Berlin`, `+02:00`, `UTC`; the server's own unless given. None: there is no such zone.
    pub(crate) fn read(text: Option<&str>) -> Option<Self> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return Some(Self::Local);
        };
        if let Ok(zone) = text.parse::<chrono_tz::Tz>() {
            return Some(Self::Named(zone));
        }
        DateTime::parse_from_rfc3339(&format!("2026-01-01T00:00:00{text}"))
            .ok()
            .map(|at| Self::Fixed(*at.offset()))
    }

    pub(crate) fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Named(zone) => at.with_timezone(&zone).naive_local(),
            Self::Fixed(zone) => at.with_timezone(&zone).naive_local(),
            Self::Local => at.with_timezone(&Local).naive_local(),
        }
    }

    /// Moments that a change of the clock leaves out are taken an hour later.
    pub(super) fn utc(self, at: NaiveDateTime) -> DateTime<Utc> {
        let read = |at: NaiveDateTime| match self {
            Self::Named(zone) => zone.from_local_datetime(&at).earliest().map(|at| at.with_timezone(&Utc)),
            Self::Fixed(zone) => zone.from_local_datetime(&at).earliest().map(|at| at.with_timezone(&Utc)),
            Self::Local => Local.from_local_datetime(&at).earliest().map(|at| at.with_timezone(&Utc)),
        };
        read(at).or_else(|| read(at + Duration::hours(1))).unwrap_or_else(|| at.and_utc())
    }
}
