//! The blocking half of a request: it talks to the engine.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{IDLE, Part};
use crate::engine::Shared;
use crate::exception::{Code, Exception};
use crate::ffi::{Connection, Piece, Rows};
use crate::front::STATEMENT_LIMIT;
use crate::front::access::Who;
use crate::front::answer::{Begin, Summary, marked};
use crate::front::encoding::{Encoding, Packer};
use crate::front::request::{Asked, WHOLE_LIMIT};
use crate::native;
use crate::session::Session;
use crate::sql::format::Pieces;
use crate::sql::insert::{Insert, split};
use crate::sql::{ARRAY_OF_ROWS, Kind, Statement, reader};

/// Bytes read of a body before it must show what it is.
const HEAD: usize = 64 << 10;

/// Bytes of data handed to the engine at once.
const CHUNK: usize = 1 << 20;

pub(crate) struct Work {
    pub(crate) shared: Arc<Shared>,
    pub(crate) mark: String,
    /// Set once it is a SELECT that runs.
    pub(crate) may_end: Arc<AtomicBool>,
    pub(crate) sender: mpsc::Sender<Part>,
    /// The front ends, and nobody waits for slow readers.
    pub(crate) ending: CancellationToken,
}

/// What a request turned out to be.
enum Task {
    /// With the data that came along with the statement.
    Insert(Insert, Vec<u8>),
    Statement(Vec<u8>),
}

impl Work {
    pub(crate) fn run(self, asked: Asked, body: impl Read + Send) {
        let encoding = asked.packed.unwrap_or(Encoding::Plain);
        let mut body = encoding.unpack(body);
        if asked.blocks {
            body = Encoding::Blocks.unpack(body);
        }
        let mut output =
            Output { work: &self, packer: asked.encoding.packer(), begun: false, began_at: Instant::now() };
        let done = self.perform(asked, &mut body, &mut output);
        let sent = match done {
            Ok(()) => output.end(),
            Err(error) if output.begun => output.break_off(&marked(&error, &self.mark)),
            // Nobody may be left to hear it.
            Err(error) => self.send(Part::Refused(error)),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "an answer was not read to its end");
        }
    }

    fn send(&self, part: Part) -> Result<(), Exception> {
        tokio::runtime::Handle::current().block_on(async {
            tokio::select! {
                sent = self.sender.send_timeout(part, IDLE) => sent.map_err(|_| gone()),
                () = self.ending.cancelled() => Err(gone()),
            }
        })
    }

    fn perform(
        &self,
        mut asked: Asked,
        body: &mut dyn Read,
        output: &mut Output<'_>,
    ) -> Result<(), Exception> {
        let task = gather(std::mem::take(&mut asked.query), body)?;
        let text = match &task {
            Task::Insert(insert, _) => &insert.head,
            Task::Statement(sql) => sql,
        };
        if asked.who == Who::Reader {
            reader::check(text)?;
        }
        match task {
            Task::Insert(insert, rest) => self.insert(&asked, &insert, rest, body, output),
            Task::Statement(sql) => self.statement(&asked, &sql, output),
        }
    }

    fn insert(
        &self,
        asked: &Asked,
        insert: &Insert,
        rest: Vec<u8>,
        body: &mut dyn Read,
        output: &mut Output<'_>,
    ) -> Result<(), Exception> {
        let format = insert.format.as_deref().or(asked.format.as_deref()).unwrap_or("Values");
        let mut session = Session::open(&self.shared, &asked.terms)?;
        let mut insertion = session.connection.insert(&insert.head, format)?;
        let mut chunk = rest;
        loop {
            fill(body, &mut chunk, CHUNK)?;
            if chunk.is_empty() {
                break;
            }
            insertion.append(&chunk)?;
            chunk.clear();
        }
        let piece = insertion.done()?;
        output.begin_with(format, &[&piece])
    }

    fn statement(&self, asked: &Asked, sql: &[u8], output: &mut Output<'_>) -> Result<(), Exception> {
        let statement = Statement::read(sql)?;
        if asked.in_session && statement.is_for_session {
            return Err(Exception::new(
                Code::NotImplemented,
                "A session keeps nothing here from one request to the next: give settings and the database with each request, and use tables that are not temporary",
            ));
        }
        let mut session = Session::open(&self.shared, &asked.terms)?;
        let select = statement.kind == Kind::Select;
        self.may_end.store(select, Ordering::SeqCst);
        let bent =
            statement.bends_format || asked.terms.settings.iter().any(|(name, _)| name == ARRAY_OF_ROWS);
        let format =
            statement.format.or_else(|| asked.format.clone()).unwrap_or_else(|| "TabSeparated".to_owned());
        let form = Form::of(format, asked.revision);
        let streams = select && !bent && form.pieces != Pieces::Apart;
        if streams && self.select(&mut session.connection, asked.whole, sql, &form, output)? {
            return Ok(());
        }
        let mut piece = session.connection.query(sql, &form.name)?;
        form.fit(&mut piece, true)?;
        output.begin_with(&form.name, &[&piece])?;
        output.data(piece.data)
    }

    /// `false`: not a statement that can be streamed, whatever its first word; nothing has happened.
    fn select(
        &self,
        connection: &mut Connection,
        whole: bool,
        sql: &[u8],
        form: &Form,
        output: &mut Output<'_>,
    ) -> Result<bool, Exception> {
        match connection.stream(sql, &form.name) {
            Ok(mut rows) => self.stream(&mut rows, whole, form, output).map(|()| true),
            Err(error) if error.message.contains("Streaming query is not supported") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Holds the first pieces back: a query that ends or fails soon gets an answer that says so in its head.
    fn stream(
        &self,
        rows: &mut Rows<'_>,
        whole: bool,
        form: &Form,
        output: &mut Output<'_>,
    ) -> Result<(), Exception> {
        let mut held: Vec<Piece> = Vec::new();
        let mut size = 0;
        let ended = loop {
            if self.sender.is_closed() {
                return Err(gone());
            }
            let Some(mut piece) = rows.next()? else {
                break true;
            };
            form.fit(&mut piece, held.is_empty())?;
            size += piece.data.len();
            held.push(piece);
            if size > WHOLE_LIMIT || (!whole && held.len() > 1) {
                break false;
            }
        };
        if ended {
            output.begin_with(&form.name, &held.iter().collect::<Vec<_>>())?;
        } else {
            output.begin(&form.name, None)?;
        }
        for piece in held {
            output.data(piece.data)?;
        }
        while !ended && let Some(mut piece) = rows.next()? {
            form.fit(&mut piece, false)?;
            output.data(piece.data)?;
        }
        Ok(())
    }
}

/// What the client reads.
struct Form {
    name: String,
    pieces: Pieces,
    /// Of the format Native; 0 as the engine writes it.
    revision: u64,
}

impl Form {
    fn of(name: String, revision: u64) -> Self {
        let revision = if name == "Native" { revision } else { 0 };
        Self { pieces: Pieces::of(&name), name, revision }
    }

    /// Takes off what only the first piece may begin with, and writes Native as the client knows it.
    fn fit(&self, piece: &mut Piece, is_first: bool) -> Result<(), Exception> {
        if !is_first {
            let head = self.pieces.head(&piece.data);
            let head =
                head.ok_or_else(|| Exception::new(Code::StdException, "A piece of the result has no head"))?;
            piece.data.drain(..head);
        }
        if self.revision > 0 {
            piece.data = native::revised(&piece.data, self.revision)?;
        }
        Ok(())
    }
}

/// The answer as it is being sent.
struct Output<'a> {
    work: &'a Work,
    packer: Packer,
    begun: bool,
    began_at: Instant,
}

impl Output<'_> {
    fn send(&self, part: Part) -> Result<(), Exception> {
        self.work.send(part)
    }

    fn begin(&mut self, format: &str, summary: Option<Summary>) -> Result<(), Exception> {
        self.begun = true;
        self.send(Part::Begin(Begin { format: format.to_owned(), summary }))
    }

    /// For a query that has ended.
    fn begin_with(&mut self, format: &str, pieces: &[&Piece]) -> Result<(), Exception> {
        let mut summary = Summary::default();
        for piece in pieces {
            summary.add(piece);
        }
        summary.nanoseconds = self.began_at.elapsed().as_nanos();
        self.begin(format, Some(summary))
    }

    fn data(&mut self, data: Vec<u8>) -> Result<(), Exception> {
        let packed = self.packer.pack(data).map_err(|error| unreadable(&error))?;
        if packed.is_empty() {
            return Ok(());
        }
        self.send(Part::Data(packed))
    }

    fn end(self) -> Result<(), Exception> {
        let last = self.packer.end().map_err(|error| unreadable(&error))?;
        if last.is_empty() { Ok(()) } else { self.work.send(Part::Data(last)) }
    }

    fn break_off(mut self, told: &[u8]) -> Result<(), Exception> {
        self.data(told.to_vec())?;
        self.send(Part::Broken)
    }
}

/// Reads as much as must be read to know what a request wants.
fn gather(query: Vec<u8>, body: &mut dyn Read) -> Result<Task, Exception> {
    if query.is_empty() {
        return gather_from(body);
    }
    if let Some(insert) = split(&query)? {
        let rest = query[insert.data..].to_vec();
        return Ok(Task::Insert(insert, rest));
    }
    let mut sql = query;
    sql.push(b'\n');
    fill(body, &mut sql, STATEMENT_LIMIT + 1)?;
    limited(sql, body)
}

/// The statement is in the body, perhaps with data behind it.
fn gather_from(body: &mut dyn Read) -> Result<Task, Exception> {
    let mut sql = Vec::new();
    let mut limit = HEAD;
    loop {
        fill(body, &mut sql, limit)?;
        let ended = sql.len() < limit;
        match split(&sql)? {
            // What ends with the buffer may not have ended yet.
            Some(insert) if ended || insert.data < sql.len() => {
                let rest = sql.split_off(insert.data);
                return Ok(Task::Insert(insert, rest));
            }
            None if ended => return limited(sql, body),
            _ if limit > STATEMENT_LIMIT => return limited(sql, body),
            _ => limit = (limit * 4).min(STATEMENT_LIMIT + 1),
        }
    }
}

/// Bytes of a body that is refused and still read: a client that is sending cannot hear the refusal.
const DRAINED: u64 = 64 << 20;

fn limited(sql: Vec<u8>, body: &mut dyn Read) -> Result<Task, Exception> {
    if sql.len() > STATEMENT_LIMIT {
        // Who breaks off meanwhile has nothing to hear.
        let _ = io::copy(&mut body.take(DRAINED), &mut io::sink());
        return Err(Exception::new(
            Code::TooManyBytes,
            format_args!(
                "A statement may be {STATEMENT_LIMIT} bytes long; data of an INSERT may be longer, behind FORMAT"
            ),
        ));
    }
    Ok(Task::Statement(sql))
}

/// Reads until the buffer holds `limit` bytes or the body ends.
fn fill(body: &mut dyn Read, buffer: &mut Vec<u8>, limit: usize) -> Result<(), Exception> {
    let missing = limit.saturating_sub(buffer.len());
    body.take(missing as u64).read_to_end(buffer).map_err(|error| unreadable(&error))?;
    Ok(())
}

fn unreadable(error: &io::Error) -> Exception {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::TimedOut => {
            Exception::new(Code::QueryWasCancelled, format_args!("The data broke off: {error}"))
        }
        _ => Exception::new(Code::IncorrectData, format_args!("The body cannot be read: {error}")),
    }
}

fn gone() -> Exception {
    Exception::new(Code::QueryWasCancelled, "The client went away")
}
