//! How numbers and moments read, the same in tables, sentences and evidence.

/// Milliseconds in the unit that a person would choose.
pub fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 && ms > 0.0 => format!("{ms:.2} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1_000.0),
        ms if ms < 3_600_000.0 => format!("{:.1} min", ms / 60_000.0),
        ms => format!("{:.1} h", ms / 3_600_000.0),
    }
}

pub fn bytes(count: f64) -> String {
    match count {
        count if count < 1_024.0 => format!("{count:.0} B"),
        count if count < 1_048_576.0 => format!("{:.1} KiB", count / 1_024.0),
        count => format!("{:.1} MiB", count / 1_048_576.0),
    }
}

/// A share between 0 and 1.
pub fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 {
        format!("{:.2} %", share * 100.0)
    } else {
        format!("{:.1} %", share * 100.0)
    }
}

/// A moment for people: RFC 3339 without the fraction and the T.
pub fn moment(rfc3339: &str) -> String {
    let whole = rfc3339.split(['.', 'Z', '+']).next().unwrap_or(rfc3339);
    whole.replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_enough_to_compare() {
        assert_eq!(
            [0.25, 12.4, 1500.0, 90_000.0].map(milliseconds),
            ["0.25 ms", "12 ms", "1.5 s", "1.5 min"]
        );
        assert_eq!([500.0, 2048.0].map(bytes), ["500 B", "2.0 KiB"]);
        assert_eq!([0.0, 0.004, 0.5].map(percent), ["0.0 %", "0.40 %", "50.0 %"]);
    }

    #[test]
    fn moments_lose_what_people_do_not_read() {
        assert_eq!(moment("2026-11-22T16:00:01.234567+00:00"), "2026-11-22 16:00:01");
        assert_eq!(moment("2026-11-22T16:00:01Z"), "2026-11-22 16:00:01");
    }
}
