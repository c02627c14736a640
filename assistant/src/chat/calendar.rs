//! Dates, months, days of the week and numbers as people spell them.

use chrono::{Datelike as _, NaiveDate, Weekday};

/// `2026-11-20`, `20.11.2026`, `20.11.`.
pub(super) fn written_date(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    let word = word.trim_end_matches([',', '.']);
    if let Ok(day) = NaiveDate::parse_from_str(word, "%Y-%m-%d") {
        return Some(day);
    }
    let mut parts = word.split('.').map(str::parse::<u32>);
    let (day, month) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let year = match parts.next() {
        Some(year) => i32::try_from(year.ok()?).ok()?,
        None => today.year(),
    };
    NaiveDate::from_ymd_opt(if year < 100 { year + 2000 } else { year }, month, day)
}

pub(super) fn day_of_month(word: &str) -> Option<u32> {
    let word = ["st", "nd", "rd", "th"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
    word.parse().ok().filter(|day| (1..=31).contains(day))
}

pub(super) fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = MONTHS.iter().position(|month| *month == word || word.len() == 3 && month.starts_with(word))?;
    u32::try_from(at + 1).ok()
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    match word {
        "monday" | "mondays" | "mon" => Some(Weekday::Mon),
        "tuesday" | "tue" | "tues" => Some(Weekday::Tue),
        "wednesday" | "wed" => Some(Weekday::Wed),
        "thursday" | "thu" | "thurs" => Some(Weekday::Thu),
        "friday" | "fri" => Some(Weekday::Fri),
        "saturday" | "sat" => Some(Weekday::Sat),
        "sunday" | "sun" => Some(Weekday::Sun),
        _ => None,
    }
}

pub(super) fn spelled(word: &str) -> Option<f64> {
    const NUMBERS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    match word {
        "a" | "an" => Some(1.0),
        "twice" | "both" => Some(2.0),
        "twenty" => Some(20.0),
        word => NUMBERS.iter().position(|number| *number == word).map(|number| number as f64),
    }
}

/// `24h` → 24 and `h`.
pub(super) fn split_unit(word: &str) -> Option<(f64, &str)> {
    let at = word.find(|character: char| !character.is_ascii_digit() && character != '.')?;
    if at == 0 {
        return None;
    }
    Some((word[..at].parse().ok()?, &word[at..]))
}
