//! From units to columns: the normal form in which messages are compared.
//!
//! Dates in words, units behind numbers, booleans, quoted text and lists of any length each become one column,
//! so that messages of one template have the same number of columns more often than they have words.

use super::bytes::Hash;
use super::dates;
use super::kind::Kind;
use super::measure::unit;
use super::numbered::{Part, each_part};
use super::scan::{Form, Unit};
use super::template::Column;

/// Columns kept of one message; a bit set of them must fit 128 bits.
pub(super) const COLUMNS: usize = 96;
/// Bytes kept of one word.
const WORD: usize = 64;
/// Columns that quoted text may have to become one.
const QUOTED: usize = 12;
/// The longest pattern whose repetition counts as a list.
const PERIOD: usize = 8;

pub(super) fn columns(message: &str, units: &[Unit]) -> Vec<Column> {
    let mut columns: Vec<Column> = units.iter().map(|unit| column(message, unit)).collect();
    dates::join(&mut columns);
    measures(&mut columns);
    booleans(&mut columns);
    header(&mut columns);
    let mut columns = quotes(&columns);
    lists(&mut columns);
    repeats(&mut columns);
    columns.truncate(COLUMNS);
    columns
}

fn column(message: &str, unit: &Unit) -> Column {
    let text = unit.text(message);
    let text = match unit.form {
        Form::Value(kind) => kind.as_str().to_owned(),
        Form::Numbered => numbered(text),
        Form::Word | Form::Punctuation => short(text).to_owned(),
    };
    // Marks are compared by what they are; how long a rule is does not matter, `Unit::symbol` sees to that.
    Column { spaced: unit.spaced, form: unit.form, text: text.into(), symbol: unit.symbol }
}

fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    each_part(text.as_bytes(), |part| match part {
        Part::Text(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Part::Digits => out.push_str(Kind::Num.as_str()),
    });
    short(&out).to_owned()
}

fn short(text: &str) -> &str {
    text.get(..text.floor_char_boundary(WORD)).unwrap_or_default()
}

/// `30 seconds` and `1 second` are one duration; so is `<1 sec`.
fn measures(columns: &mut Vec<Column>) {
    let mut at = 1;
    while at < columns.len() {
        let number = matches!(columns[at - 1].form, Form::Value(Kind::Num));
        let kind = if number && columns[at].form == Form::Word && columns[at].spaced {
            unit(columns[at].text.as_bytes(), true)
        } else {
            None
        };
        if let Some(kind) = kind {
            columns.remove(at);
            columns[at - 1] = Column::value(columns[at - 1].spaced, kind);
        }
        let measured = matches!(columns[at - 1].form, Form::Value(Kind::Duration | Kind::Size));
        let bounded = at >= 2 && matches!(&*columns[at - 2].text, "<" | ">") && !columns[at - 1].spaced;
        let closed = columns.get(at).is_some_and(|next| &*next.text == ">");
        if measured && bounded && !closed {
            let spaced = columns.remove(at - 2).spaced;
            columns[at - 2].spaced = spaced;
        } else {
            at += 1;
        }
    }
}

fn booleans(columns: &mut [Column]) {
    for column in columns {
        if matches!(&*column.text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE") {
            *column = Column::value(column.spaced, Kind::Bool);
        }
    }
}

/// The head of a line says where and when, not what: `<time> host program[pid]:`, `[<time>] program - `
fn header(columns: &mut Vec<Column>) {
    let times = columns.iter().take(8).rposition(|column| column.form == Form::Value(Kind::Time));
    let Some(time) = times else { return };
    let rest = &columns[time + 1..];
    let bracket = usize::from(rest.first().is_some_and(|column| &*column.text == "]"));
    if let [program, dash, after, ..] = &rest[bracket..]
        && program.form == Form::Word
        && &*dash.text == "-"
        && program.spaced
        && dash.spaced
        && after.spaced
    {
        columns.drain(..time + bracket + 3);
        return;
    }
    let Some(host) = rest.first() else { return };
    if host.form == Form::Punctuation || !host.spaced || !rest.get(1).is_some_and(|next| next.spaced) {
        return;
    }
    let end = rest.iter().take(14).position(|column| &*column.text == ":" && !column.spaced);
    let Some(end) = end else { return };
    let tag = &rest[1..end];
    let in_one_piece = tag.iter().skip(1).all(|column| !column.spaced);
    let followed = rest.get(end + 1).is_some_and(|column| column.spaced);
    if !tag.is_empty() && tag.len() <= 10 && in_one_piece && followed {
        columns.drain(..=time + 1 + end);
    }
}

/// Quoted text of several columns becomes one.
fn quotes(columns: &[Column]) -> Vec<Column> {
    let mut out: Vec<Column> = Vec::with_capacity(columns.len());
    let mut at = 0;
    while at < columns.len() {
        let open = &columns[at];
        let opens = matches!(&*open.text, "\"" | "'" | "`")
            && !(at >= 2 && says_what(&columns[at - 2].text))
            && (open.spaced
                || at == 0
                || matches!(&*columns[at - 1].text, "=" | "(" | "[" | "{" | ":" | ","));
        let close = if opens {
            (at + 1..columns.len().min(at + QUOTED))
                .find(|end| columns[*end].text == open.text && !columns[*end].spaced)
        } else {
            None
        };
        match close {
            Some(end) if end > at + 2 => {
                out.push(open.clone());
                out.push(composite(&columns[at + 1..end]));
                out.push(columns[end].clone());
                at = end + 1;
            }
            _ => {
                out.push(open.clone());
                at += 1;
            }
        }
    }
    out
}

/// Keys of structured logs under which the message itself stands.
fn says_what(key: &str) -> bool {
    matches!(
        key,
        "msg" | "message" | "error" | "err" | "reason" | "event" | "detail" | "description" | "text" | "log"
    )
}

fn composite(columns: &[Column]) -> Column {
    let mut columns = columns.to_vec();
    lists(&mut columns);
    let spaced = columns[0].spaced;
    if let [single] = &columns[..] {
        return single.clone();
    }
    let mut hash = Hash::new();
    let mut text = String::new();
    for (at, column) in columns.iter().enumerate() {
        hash.number(column.symbol);
        if at > 0 && column.spaced {
            text.push(' ');
        }
        text.push_str(&column.text);
    }
    Column { spaced, form: Form::Word, text: short(&text).into(), symbol: hash.finish() | 2 }
}

/// Values side by side, or with commas between them, are one list.
fn lists(columns: &mut Vec<Column>) {
    let mut at = 1;
    while at < columns.len() {
        let alike = |a: &Column, b: &Column| {
            matches!((a.form, b.form), (Form::Value(_), Form::Value(_)))
                || a.form == Form::Numbered && b.form == Form::Numbered && a.symbol == b.symbol
        };
        if columns[at].spaced && alike(&columns[at - 1], &columns[at]) {
            let gone = columns.remove(at);
            columns[at - 1].follow(&gone);
        } else if matches!(&*columns[at].text, "," | ";" | "|")
            && columns.get(at + 1).is_some_and(|next| alike(&columns[at - 1], next))
            && columns.get(at + 2).is_none_or(|next| &*next.text != "=")
        {
            columns.remove(at);
            let gone = columns.remove(at);
            if columns[at - 1].text != gone.text {
                columns[at - 1].join(&gone);
            }
        } else {
            at += 1;
        }
    }
}

/// `a=1 b=2 a=3 b=4`: what repeats, with a value in it, stands once.
fn repeats(columns: &mut Vec<Column>) {
    for period in 2..=PERIOD.min(columns.len() / 2) {
        let mut at = 0;
        while at + 2 * period <= columns.len() {
            let (first, second) = (&columns[at..at + period], &columns[at + period..at + 2 * period]);
            let same = first.iter().zip(second).all(|(a, b)| a.symbol == b.symbol);
            let varies = first.iter().any(|column| !matches!(column.form, Form::Word | Form::Punctuation));
            if same && varies {
                columns.drain(at + period..at + 2 * period);
            } else {
                at += 1;
            }
        }
    }
}
