//! `now()`, `today()`, `uuid()`: made from what the caller handed in, so that a render can be repeated.

use serde_json::Value as Json;

use super::scope::Ambient;

type Make = fn(Ambient, u64) -> Json;

pub(super) fn function(name: &str) -> Option<Make> {
    Some(match name {
        "now" | "utcnow" => |ambient, _| Json::String(timestamp(ambient.now_ms)),
        "today" => |ambient, _| Json::String(date(ambient.now_ms.div_euclid(86_400_000))),
        "timestamp" => |ambient, _| Json::from(ambient.now_ms.div_euclid(1000)),
        "uuid" | "uuid4" => |ambient, turn| Json::String(uuid(ambient.seed, turn)),
        _ => return None,
    })
}

/// RFC 3339 in UTC, with milliseconds.
pub(super) fn timestamp(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z", date(days))
}

/// The civil date of a day counted from 1970-01-01 (Howard Hinnant's algorithm).
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A version 4 UUID from a seed and a counter (SplitMix64).
fn uuid(seed: u64, turn: u64) -> String {
    let mut state = seed ^ turn.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let high = (next() & !0xF000) | 0x4000;
    let low = (next() & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn uuids_repeat_with_the_seed_and_differ_with_the_turn() {
        assert_eq!(uuid(7, 1), uuid(7, 1));
        assert_ne!(uuid(7, 1), uuid(7, 2));
        assert_eq!(uuid(7, 1).as_bytes()[14], b'4');
    }
}
