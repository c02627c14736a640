//! Tables of answers, the evidence that their rows are, and what of them a model may see.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use noetl_api::chat::{ChatColumn, ChatTable, ColumnKind, shown};
use noetl_api::diagnosis::EvidenceItem;
use serde_json::{Value, json};

use crate::write::plain;

use super::Answer;

/// Characters of one cell that evidence and models get.
const LONGEST: usize = 300;
/// Rows of one table that a model gets.
const MOST_ROWS: usize = 30;

/// A table that is being written.
#[derive(Debug)]
pub(super) struct Table(ChatTable);

impl Table {
    pub(super) fn new(title: impl Into<String>, columns: &[(&str, ColumnKind)]) -> Self {
        let columns =
            columns.iter().map(|(name, kind)| ChatColumn { name: (*name).to_owned(), kind: *kind }).collect();
        Self(ChatTable { title: title.into(), columns, ..ChatTable::default() })
    }

    #[must_use]
    pub(super) fn by(mut self, query: &str) -> Self {
        self.0.query = Some(query.to_owned());
        self
    }

    /// Adds a row, and returns what citations call it.
    pub(super) fn row(&mut self, cells: Vec<Value>) -> String {
        let reference = name_of(&self.0.title, &cells);
        self.row_as(reference, cells)
    }

    /// Adds a row that has a name of its own, such as `execution:ID`.
    pub(super) fn row_as(&mut self, reference: impl Into<String>, cells: Vec<Value>) -> String {
        let reference = reference.into();
        self.0.rows.push(cells);
        self.0.refs.push(reference.clone());
        reference
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    /// Gives the table and the evidence in it to an answer.
    pub(super) fn give(self, answer: &mut Answer) {
        for at in 0..self.0.rows.len() {
            answer.cite(EvidenceItem {
                kind: "row".to_owned(),
                reference: self.0.refs[at].clone(),
                excerpt: excerpt(&self.0, at),
                supports: self.0.query.clone().unwrap_or_else(|| self.0.title.clone()),
            });
        }
        if !self.0.rows.is_empty() {
            answer.tables.push(self.0);
        }
    }
}

impl Answer {
    pub(super) fn of(data: &impl serde::Serialize) -> Self {
        Self { data: serde_json::to_value(data).unwrap_or_default(), ..Self::default() }
    }

    /// Adds a sentence; what it cites must be in the evidence.
    pub(super) fn say(&mut self, sentence: impl AsRef<str>) {
        if !self.reading.is_empty() {
            self.reading.push(' ');
        }
        self.reading.push_str(sentence.as_ref());
    }

    /// Adds evidence; what is known by the same name becomes one item.
    pub(super) fn cite(&mut self, item: EvidenceItem) {
        add_evidence(&mut self.evidence, item);
    }

    /// A fact that stands for itself, such as how many there were.
    pub(super) fn fact(&mut self, kind: &str, excerpt: impl Into<String>, supports: &str) -> String {
        let excerpt = excerpt.into();
        let reference = name_of(kind, &[json!(excerpt)]);
        self.cite(EvidenceItem {
            kind: "row".to_owned(),
            reference: reference.clone(),
            excerpt,
            supports: supports.to_owned(),
        });
        reference
    }
}

/// Adds evidence; what is known by the same name becomes one item.
pub(crate) fn add_evidence(evidence: &mut Vec<EvidenceItem>, item: EvidenceItem) {
    match evidence.iter_mut().find(|known| known.reference == item.reference) {
        Some(known) if known.excerpt.contains(&item.excerpt) => {}
        Some(known) => known.excerpt = format!("{}; {}", known.excerpt, item.excerpt),
        None => evidence.push(item),
    }
}

/// A name made of what is named: the same row is called the same in every answer. Letters only, so that no digit of it
/// passes for a number of the evidence.
fn name_of(title: &str, cells: &[Value]) -> String {
    let mut hasher = DefaultHasher::new();
    (title, serde_json::to_string(cells).unwrap_or_default()).hash(&mut hasher);
    let mut hash = hasher.finish();
    let letters: String = std::iter::repeat_with(|| {
        let letter = char::from(b'a' + (hash % 16) as u8);
        hash /= 16;
        letter
    })
    .take(8)
    .collect();
    format!("row:{letters}")
}

fn excerpt(table: &ChatTable, row: usize) -> String {
    let cell = |(at, column): (usize, &ChatColumn)| {
        let text = table.shown(row, at);
        (!text.is_empty()).then(|| format!("{} {}", column.name, short(&text)))
    };
    table.columns.iter().enumerate().filter_map(cell).collect::<Vec<_>>().join(", ")
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// What a model sees of an answer: typed fields and names; of messages only the words that speak of failures.
pub(crate) fn for_model(answer: &Answer) -> Value {
    let tables: Vec<Value> = answer.tables.iter().map(masked).collect();
    // Sentences of tools are made of fields and names, but for messages, which stand in quotes.
    let sentences: String = answer
        .reading
        .split('"')
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 { part.to_owned() } else { format!("\"{}\"", plain(part)) })
        .collect();
    json!({ "sentences": sentences, "tables": tables, "notes": answer.notes })
}

fn masked(table: &ChatTable) -> Value {
    let rows: Vec<Value> = (0..table.rows.len().min(MOST_ROWS))
        .map(|row| {
            let mut cells = serde_json::Map::new();
            cells.insert("ref".to_owned(), json!(table.refs[row]));
            for (at, column) in table.columns.iter().enumerate() {
                let value = &table.rows[row][at];
                let text = match column.kind {
                    ColumnKind::Text | ColumnKind::Template => plain(&shown(column.kind, value)),
                    kind => shown(kind, value),
                };
                if !text.is_empty() {
                    cells.insert(column.name.clone(), json!(short(&text)));
                }
            }
            Value::Object(cells)
        })
        .collect();
    let left_out = table.rows.len().saturating_sub(MOST_ROWS);
    json!({ "title": table.title, "rows": rows, "rows_left_out": left_out })
}
