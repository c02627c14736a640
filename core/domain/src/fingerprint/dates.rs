//! Dates in words: `Nov  9 12:01:01 2005`, `Sun Jul 10 03:55:15`, `12:00:00 UTC`.

use super::kind::Kind;
use super::scan::Form;
use super::template::Column;

/// Makes one column of every date.
pub(super) fn join(columns: &mut Vec<Column>) {
    let mut at = 0;
    while at < columns.len() {
        if let Some(end) = date(columns, at) {
            columns[at] = Column::value(columns[at].spaced, Kind::Time);
            columns.drain(at + 1..end);
        }
        at += 1;
    }
    zones(columns);
}

/// Where the date that begins here ends: names of days and months with at least one number behind them.
fn date(columns: &[Column], at: usize) -> Option<usize> {
    let is_name =
        |column: &Column| column.form == Form::Word && (is_day(&column.text) || is_month(&column.text));
    let is_number = |column: &Column| matches!(column.form, Form::Value(Kind::Num | Kind::Time));
    let names = columns[at..].iter().take_while(|column| is_name(column)).count();
    let numbers =
        columns[at + names..].iter().take(3).take_while(|column| is_number(column) && column.spaced).count();
    (names > 0 && numbers > 0).then_some(at + names + numbers)
}

/// `UTC` behind a time, `PM` behind a number.
fn zones(columns: &mut Vec<Column>) {
    let mut at = 1;
    while at < columns.len() {
        let belongs = columns[at].form == Form::Word
            && match columns[at - 1].form {
                Form::Value(Kind::Time) => is_zone(&columns[at].text) || is_half(&columns[at].text),
                Form::Value(Kind::Num) => is_half(&columns[at].text),
                _ => false,
            };
        if belongs {
            columns.remove(at);
            columns[at - 1] = Column::value(columns[at - 1].spaced, Kind::Time);
        } else {
            at += 1;
        }
    }
}

fn is_half(text: &str) -> bool {
    matches!(text, "AM" | "PM" | "am" | "pm")
}

fn is_zone(text: &str) -> bool {
    const ZONES: [&str; 12] =
        ["UTC", "GMT", "EST", "EDT", "PST", "PDT", "CST", "CDT", "MST", "CET", "CEST", "MSK"];
    ZONES.contains(&text)
}

fn is_month(text: &str) -> bool {
    const MONTHS: [&str; 24] = [
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Sept",
        "Oct",
        "Nov",
        "Dec",
        "January",
        "February",
        "March",
        "April",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    MONTHS.contains(&text)
}

fn is_day(text: &str) -> bool {
    const DAYS: [&str; 14] = [
        "Mon",
        "Tue",
        "Wed",
        "Thu",
        "Fri",
        "Sat",
        "Sun",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    DAYS.contains(&text)
}
