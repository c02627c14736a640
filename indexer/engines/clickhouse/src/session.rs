//! One request, one connection: settings, database and role end with it, whatever became of it.
//!
//! Opening a connection takes a third of a millisecond, less than setting anything back would.

use std::sync::Arc;

use crate::engine::Shared;
use crate::exception::{Code, Exception};
use crate::ffi::Connection;
use crate::layout::READER;
use crate::sql::{literal, name};

/// How a session is set up.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// Marks the session's queries in `system.processes`, as nothing else that we choose shows there.
    pub(crate) tag: String,
    pub(crate) database: Option<String>,
    /// Confined to the reading role.
    pub(crate) reader: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) settings: Vec<(String, String)>,
    /// Values for `{x:Type}` in the statement.
    pub(crate) parameters: Vec<(String, String)>,
    /// 0, 1 or 2, as ClickHouse's setting; last to be set, as nothing can be set after it.
    pub(crate) readonly: u8,
}

pub(crate) struct Session {
    // Closed before what it belongs to is let go.
    pub(crate) connection: Connection,
    _shared: Arc<Shared>,
}

impl Session {
    pub(crate) fn open(shared: &Arc<Shared>, terms: &Terms) -> Result<Self, Exception> {
        let tag = format!("--log_comment={}", terms.tag);
        let mut session = Self {
            // chDB would take a bare expression for a SELECT; a server does not.
            connection: shared.connect(&["--implicit_select=0", &tag]).ok_or_else(|| {
                Exception::new(Code::StdException, "The engine is closed or takes no more connections")
            })?,
            _shared: Arc::clone(shared),
        };
        for statement in terms.statements()? {
            session.connection.query(statement.as_bytes(), "Null")?;
        }
        Ok(session)
    }
}

impl Terms {
    fn statements(&self) -> Result<Vec<String>, Exception> {
        let mut statements = Vec::new();
        if let Some(database) = &self.database {
            statements.push(format!("USE {}", name(database)));
        }
        if self.reader {
            statements.push(format!("SET ROLE {READER}"));
        } else if !self.roles.is_empty() {
            let roles: Vec<String> = self.roles.iter().map(|role| name(role)).collect();
            statements.push(format!("SET ROLE {}", roles.join(", ")));
        }
        let mut set = Vec::new();
        for (setting, value) in &self.settings {
            check_name(setting)?;
            let value = match setting.as_str() {
                "log_comment" => format!("{value} {}", self.tag),
                _ => value.clone(),
            };
            set.push(format!("{setting} = {}", literal(&value)));
        }
        for (parameter, value) in &self.parameters {
            check_name(parameter)?;
            set.push(format!("param_{parameter} = {}", literal(value)));
        }
        match (self.reader, self.readonly) {
            (true, _) => set.push("readonly = 1".to_owned()),
            (false, 0) => {}
            (false, readonly) => set.push(format!("readonly = {readonly}")),
        }
        if !set.is_empty() {
            statements.push(format!("SET {}", set.join(", ")));
        }
        Ok(statements)
    }
}

fn check_name(name: &str) -> Result<(), Exception> {
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits {
        Ok(())
    } else {
        Err(Exception::new(Code::UnknownSetting, format_args!("Unknown setting '{name}'")))
    }
}

/// Ends what the session with this tag is computing. Harmless when it computes nothing.
pub(crate) fn kill(shared: &Arc<Shared>, tag: &str) {
    let statement = format!("KILL QUERY WHERE endsWith(Settings['log_comment'], {}) ASYNC", literal(tag));
    let own = Terms::default();
    let killed = Session::open(shared, &own)
        .and_then(|mut session| session.connection.query(statement.as_bytes(), "Null"));
    if let Err(error) = killed {
        tracing::warn!(%error, "a query whose client went away could not be ended");
    }
}
