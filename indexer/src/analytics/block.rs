//! Rows as one block of the engine's `Native` format: column by column, and every name of a column once.
//!
//! The engine takes such a block as it lies in its memory. In `RowBinary` it would read each value by itself and look
//! each name of each row up in a dictionary, which costs it more than sorting and writing the rows.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::AnalyticsError;
use crate::rows::Name;

/// A column as the engine describes it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) name: String,
    /// As in `DateTime64(3, 'UTC')`.
    pub(super) kind: String,
}

/// Values of one column on their way into a block.
#[derive(Debug)]
pub(crate) struct Column<'a> {
    described: &'a Described,
    values: Values<'a>,
    /// What was put into it is not of its type.
    is_wrong: bool,
}

#[derive(Debug)]
enum Values<'a> {
    /// Numbers and moments, least byte first.
    Fixed {
        width: usize,
        bytes: Vec<u8>,
    },
    /// As `Fixed` of 64 bits, and which of them are missing.
    Nullable {
        missing: Vec<u8>,
        bytes: Vec<u8>,
    },
    Text(Vec<u8>),
    Names(Names<'a>),
}

/// Each name once, and which of them every row has.
#[derive(Debug)]
struct Names<'a> {
    short: FxHashMap<[u64; 4], u32>,
    long: FxHashMap<&'a str, u32>,
    /// Of the row before, which has the same one more often than not.
    last: ([u64; 4], u32),
    /// One after the other, with their lengths.
    keys: Vec<u8>,
    indexes: Vec<u32>,
}

/// What can stand in a column.
pub(crate) trait Value {
    fn put<'a>(&'a self, column: &mut Column<'a>);
}

/// A row that knows its columns.
pub(crate) trait Columns: Sized {
    const NAMES: &'static [&'static str];

    /// Puts every row into the columns, which are those of `NAMES`.
    fn put<'a>(rows: &'a [Self], columns: &mut [Column<'a>]);
}

macro_rules! fixed {
    ($($number:ty),*) => {$(
        impl Value for $number {
            fn put<'a>(&'a self, column: &mut Column<'a>) {
                column.fixed(self.to_le_bytes());
            }
        }
    )*};
}

fixed!(u8, u16, u32, u64, i64, f64);

/// The two halves of a UUID, the upper one first.
impl Value for (u64, u64) {
    fn put<'a>(&'a self, column: &mut Column<'a>) {
        column.fixed((u128::from(self.1) << 64 | u128::from(self.0)).to_le_bytes());
    }
}

impl Value for Option<i64> {
    fn put<'a>(&'a self, column: &mut Column<'a>) {
        match &mut column.values {
            Values::Nullable { missing, bytes } => {
                missing.push(u8::from(self.is_none()));
                bytes.extend_from_slice(&self.unwrap_or_default().to_le_bytes());
            }
            _ => column.is_wrong = true,
        }
    }
}

impl Value for String {
    fn put<'a>(&'a self, column: &mut Column<'a>) {
        column.text(self);
    }
}

impl Value for Name {
    fn put<'a>(&'a self, column: &mut Column<'a>) {
        match &mut column.values {
            Values::Names(names) => names.put(self),
            _ => column.text(self),
        }
    }
}

impl<'a> Column<'a> {
    fn new(described: &'a Described, rows: usize) -> Result<Self, AnalyticsError> {
        let fixed = |width: usize| Values::Fixed { width, bytes: Vec::with_capacity(width * rows) };
        let base = described.kind.split('(').next().unwrap_or_default();
        let values = match base {
            "UInt8" => fixed(1),
            "UInt16" => fixed(2),
            "UInt32" => fixed(4),
            "UInt64" | "Int64" | "Float64" | "DateTime64" => fixed(8),
            "UUID" => fixed(16),
            "String" => Values::Text(Vec::new()),
            "LowCardinality" if described.kind == "LowCardinality(String)" => Values::Names(Names::new(rows)),
            "Nullable" if described.kind.starts_with("Nullable(DateTime64(") => {
                Values::Nullable { missing: Vec::with_capacity(rows), bytes: Vec::with_capacity(8 * rows) }
            }
            _ => return Err(wrong(described)),
        };
        Ok(Self { described, values, is_wrong: false })
    }

    fn fixed<const WIDTH: usize>(&mut self, value: [u8; WIDTH]) {
        match &mut self.values {
            Values::Fixed { width, bytes } if *width == WIDTH => bytes.extend_from_slice(&value),
            _ => self.is_wrong = true,
        }
    }

    fn text(&mut self, text: &'a str) {
        match &mut self.values {
            Values::Text(bytes) => put_text(text, bytes),
            Values::Names(names) => match Name::short(text) {
                Some(short) => names.put_short(short.words()),
                None => names.put_long(text),
            },
            _ => self.is_wrong = true,
        }
    }

    /// Hands the column over, the bytes of its values as they are.
    fn finish(self, pieces: &mut Vec<Bytes>) -> Result<(), AnalyticsError> {
        if self.is_wrong {
            return Err(wrong(self.described));
        }
        let mut head = Vec::with_capacity(64);
        put_text(&self.described.name, &mut head);
        put_text(&self.described.kind, &mut head);
        pieces.push(head.into());
        match self.values {
            Values::Fixed { bytes, .. } | Values::Text(bytes) => pieces.push(bytes.into()),
            Values::Nullable { missing, bytes } => pieces.extend([missing.into(), bytes.into()]),
            Values::Names(names) => pieces.push(names.finish().into()),
        }
        Ok(())
    }
}

impl<'a> Names<'a> {
    fn new(rows: usize) -> Self {
        // The engine's own dictionaries begin with the empty name.
        let empty = Name::default().words();
        Self {
            short: FxHashMap::from_iter([(empty, 0)]),
            long: FxHashMap::default(),
            last: (empty, 0),
            keys: vec![0],
            indexes: Vec::with_capacity(rows),
        }
    }

    fn count(&self) -> usize {
        self.short.len() + self.long.len()
    }

    fn put(&mut self, name: &'a Name) {
        if name.is_short() { self.put_short(name.words()) } else { self.put_long(name) }
    }

    fn put_short(&mut self, words: [u64; 4]) {
        if self.last.0 != words {
            let next = self.count() as u32;
            let index = *self.short.entry(words).or_insert(next);
            if index == next {
                Name::put_words(words, &mut self.keys);
            }
            self.last = (words, index);
        }
        self.indexes.push(self.last.1);
    }

    fn put_long(&mut self, name: &'a str) {
        let next = self.count() as u32;
        let index = *self.long.entry(name).or_insert(next);
        if index == next {
            put_text(name, &mut self.keys);
        }
        self.indexes.push(index);
    }

    /// `LowCardinality` as it stands in a block: a dictionary of its own, then the index of every row.
    fn finish(self) -> Vec<u8> {
        const VERSION: u64 = 1;
        const HAS_OWN_KEYS: u64 = 1 << 9;
        const RENEWS_DICTIONARY: u64 = 1 << 10;
        let (width, code) = match self.count() {
            0..=0x100 => (1, 0),
            0x101..=0x1_0000 => (2, 1),
            _ => (4, 2_u64),
        };
        let mut bytes = Vec::with_capacity(64 + self.keys.len() + width * self.indexes.len());
        for number in [VERSION, code | HAS_OWN_KEYS | RENEWS_DICTIONARY, self.count() as u64] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.keys);
        bytes.extend_from_slice(&(self.indexes.len() as u64).to_le_bytes());
        match width {
            1 => bytes.extend(self.indexes.iter().map(|index| *index as u8)),
            2 => bytes.extend(self.indexes.iter().flat_map(|index| (*index as u16).to_le_bytes())),
            _ => bytes.extend(self.indexes.iter().flat_map(|index| index.to_le_bytes())),
        }
        bytes
    }
}

/// The block of these rows, in pieces; the columns are described in the order of `R::NAMES`.
pub(super) fn of<R: Columns>(rows: &[R], described: &[Described]) -> Result<Vec<Bytes>, AnalyticsError> {
    let columns = described.iter().map(|described| Column::new(described, rows.len()));
    let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
    R::put(rows, &mut columns);
    let mut head = Vec::new();
    put_length(columns.len(), &mut head);
    put_length(rows.len(), &mut head);
    let mut pieces = vec![Bytes::from(head)];
    for column in columns {
        column.finish(&mut pieces)?;
    }
    Ok(pieces)
}

fn put_text(text: &str, bytes: &mut Vec<u8>) {
    put_length(text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

/// Seven bits to a byte, the lowest first.
fn put_length(mut length: usize, bytes: &mut Vec<u8>) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn wrong(described: &Described) -> AnalyticsError {
    AnalyticsError::Unreadable {
        reason: format!(
            "column {} is of type {}, which our rows do not have",
            described.name, described.kind
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Retention;
    use crate::rows::{CallRow, ExecutionRow};
    use crate::testing::clickhouse;

    fn execution(id: u64, playbook: &str, finished_at: Option<i64>, message: &str) -> ExecutionRow {
        ExecutionRow {
            position: id,
            execution_id: id,
            root_execution_id: id,
            parent_execution_id: 0,
            playbook: playbook.into(),
            version: 7,
            status: "COMPLETED".into(),
            trigger: "api".into(),
            started_at: 1_795_368_994_000,
            finished_at,
            duration_ms: 1.5,
            attempt: 1,
            events: 3,
            steps: 1,
            steps_failed: 0,
            retries: 0,
            input_shape: u64::MAX,
            input_hash: 0,
            bytes_in: 0,
            bytes_out: 0,
            failed_step: "".into(),
            cause: "".into(),
            fingerprint: 0,
            message: message.to_owned(),
        }
    }

    #[tokio::test]
    async fn the_engine_reads_what_was_put_into_a_block() {
        let directory = tempfile::tempdir().unwrap();
        let Some((front, analytics)) = clickhouse(directory.path()).await else { return };
        analytics
            .prepare(Retention { executions: 9999, llm_calls: 9999, ..Retention::default() })
            .await
            .unwrap();
        // One byte for an index, two, and more: a column knows as many names as it has rows.
        let mut id = 0;
        for (batch, names) in [3_u64, 300, 70_000].into_iter().enumerate() {
            let mut rows = Vec::new();
            for name in 0..names {
                id += 1;
                let finished = (name % 2 == 0).then_some(1_795_368_994_000 + name as i64);
                let message = "ä".repeat(name as usize % 200);
                rows.push(execution(id, &format!("team-{batch}/playbook-{name}"), finished, &message));
            }
            analytics.put("noetl_executions", &rows, &format!("batch {batch}")).await.unwrap();
            let sql = format!(
                "SELECT uniqExact(playbook), countIf(playbook = \
                 concat('team-{batch}/playbook-', toString(execution_id - {}))), \
                 sum(toInt64(isNull(finished_at))), sum(lengthUTF8(message)), \
                 countIf(input_shape = 18446744073709551615 AND duration_ms = 1.5 AND version = 7) \
                 FROM {{database}}.noetl_executions WHERE playbook LIKE 'team-{batch}/%'",
                id - names + 1,
            );
            let told = analytics.query(&sql).fetch_one::<(u64, u64, i64, u64, u64)>().await.unwrap();
            let letters = (0..names).map(|name| name % 200).sum();
            assert_eq!(told, (names, names, names as i64 / 2, letters, names));
        }
        let call_id = CallRow::new_id();
        let call = CallRow {
            call_id,
            at: 1_795_368_994_123,
            execution_id: 1,
            operation: "chat".to_owned(),
            provider: "openai".to_owned(),
            model: "m".to_owned(),
            response_model: String::new(),
            prompt: "why/1".to_owned(),
            input_tokens: 5,
            output_tokens: 6,
            duration_ms: 0.25,
            cost_usd: 0.5,
            finish_reason: "stop".to_owned(),
            error: String::new(),
            cached: 1,
        };
        analytics.insert_calls(&[call]).await.unwrap();
        let sql = "SELECT toString(call_id), toString(at), cached FROM {database}.noetl_llm_calls";
        let told = analytics.query(sql).fetch_one::<(String, String, u8)>().await.unwrap();
        let id = uuid::Uuid::from_u64_pair(call_id.0, call_id.1).to_string();
        assert_eq!(told, (id, "2026-11-22 17:36:34.123".to_owned(), 1));
        // What was spent from one moment up to another, the latter not among it.
        let (at, cost) = (1_795_368_994_123, 0.5);
        for (from, until, spent) in [(at, at + 1, cost), (at - 9, at, 0.0), (at + 1, at + 9, 0.0)] {
            let told = analytics.spent_on_calls(from, until).await.unwrap();
            assert!((told - spent).abs() < 1e-9, "{told} of {from} to {until}");
        }
        drop(analytics);
        front.close().await;
    }

    #[test]
    fn a_column_of_another_type_is_an_error_that_names_it() {
        let described = |name: &&str| Described { name: (*name).to_owned(), kind: "UInt64".to_owned() };
        let described: Vec<Described> = ExecutionRow::NAMES.iter().map(described).collect();
        let error = of(&[execution(1, "a", None, "")], &described).unwrap_err().to_string();
        assert!(error.contains("column playbook is of type UInt64"), "{error}");
    }
}
