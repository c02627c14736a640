//! Numbers with their units: durations, sizes, temperatures.

use super::bytes::{DIGIT, DOT, LETTER, is, union};
use super::kind::Kind;

/// A number with its unit: `10ms`, `93.0B`, `1h30m`, `1e-5`, `41C`.
pub(super) fn measured(text: &[u8]) -> Option<Kind> {
    let number = text.iter().take_while(|byte| is(**byte, DIGIT) || matches!(byte, b'.' | b',')).count();
    if number == 0 || !is(text[0], DIGIT | DOT) {
        return None;
    }
    let rest = &text[number..];
    if let Some(kind) = unit(rest, false) {
        return Some(kind);
    }
    match rest {
        [b'e' | b'E', exponent @ ..] if !exponent.is_empty() && union(exponent) & LETTER == 0 => {
            Some(Kind::Num)
        }
        [b'C' | b'F' | b'K' | b'V' | b'W' | b'A' | b'x' | b'u' | b'L' | b'f']
        | b"th"
        | b"st"
        | b"nd"
        | b"rd"
        | b"mV"
        | b"Hz"
        | b"MHz"
        | b"GHz"
        | b"kHz"
        | b"am"
        | b"pm"
        | b"AM"
        | b"PM"
        | b"px"
        | b"dp"
        | b"bit" => Some(Kind::Num),
        [b'm' | b's' | b'h' | b'd', more @ ..] if !more.is_empty() => {
            measured(more).filter(|kind| *kind == Kind::Duration)
        }
        _ => None,
    }
}

/// The kind that a unit gives to the number before it; single letters count only where they touch it.
pub(super) fn unit(text: &[u8], apart: bool) -> Option<Kind> {
    if text.len() > 12 {
        return None;
    }
    match text {
        [0xc2, 0xb5, b's']
        | [0xce, 0xbc, b's']
        | b"ms"
        | b"us"
        | b"ns"
        | b"s"
        | b"sec"
        | b"secs"
        | b"second"
        | b"seconds"
        | b"msec"
        | b"msecs"
        | b"usec"
        | b"usecs"
        | b"millis"
        | b"milliseconds"
        | b"millisecond"
        | b"microseconds"
        | b"microsecond"
        | b"nanoseconds"
        | b"min"
        | b"mins"
        | b"minute"
        | b"minutes"
        | b"hour"
        | b"hours"
        | b"hrs"
        | b"day"
        | b"days"
        | b"week"
        | b"weeks" => Some(Kind::Duration),
        b"m" | b"h" | b"d" if !apart => Some(Kind::Duration),
        b"B" | b"KB" | b"MB" | b"GB" | b"TB" | b"PB" | b"kB" | b"KiB" | b"MiB" | b"GiB" | b"TiB"
        | b"byte" | b"bytes" | b"Bytes" | b"Kb" | b"Mb" | b"Gb" => Some(Kind::Size),
        b"k" | b"K" | b"M" | b"G" | b"T" | b"kb" | b"mb" | b"gb" if !apart => Some(Kind::Size),
        b"%" => Some(Kind::Num),
        _ => None,
    }
}
