//! Why something failed: a closed list, and how an error says which of them it is.
//!
//! What an error says in typed fields outweighs what it says in words: a status code, a SQLSTATE, the type of an
//! exception, a Code of ours (`typed`).
//! A status that is told in the text (`told`) outweighs the class of the exception that tells it.
//! Only then do the words count: numbers of databases (`vendor`), the phrases of common runtimes and libraries
//! (`phrase`), codes that words hold (`spoken`), what a sentence is about and what became of that (`sentence`), and at
//! last which known texts it is like (`likeness`).
//! A step earlier in the log may be to blame all the same; one error alone cannot say so, and this module does not try.

mod likeness;
mod phrase;
mod sentence;
mod spoken;
#[cfg(test)]
mod tests;
mod told;
mod typed;
mod vendor;

use serde::{Deserialize, Serialize};

pub use likeness::Clear;

use crate::error::TaskError;

macro_rules! causes {
    ($($name:ident = $code:literal, $lasts:ident, $meaning:literal;)*) => {
        /// A cause; its code is its name in the API, in pages and on screens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Cause { $(#[doc = $meaning] #[serde(rename = $code)] $name,)* }

        impl Cause {
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)*];

            /// Such as `network.refused`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// One line that says what the cause means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// Whether trying again later can help by itself.
            pub fn nature(self) -> Nature {
                match self { $(Self::$name => Nature::$lasts,)* }
            }
        }
    };
}

/// How long a cause lasts if nobody changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// The same again next time.
    Permanent,
    /// It passes.
    Transient,
    /// Either; history tells.
    Unclear,
}

causes! {
    AuthUnauthenticated = "auth.unauthenticated", Permanent, "the other side does not know who is asking";
    AuthForbidden = "auth.forbidden", Permanent, "whoever asks may not do this";
    AuthCredentialMissing = "auth.credential_missing", Permanent, "the named credential or keychain entry does not exist";
    AuthCredentialInvalid = "auth.credential_invalid", Permanent, "the credential lacks a field, has the wrong type, or cannot be opened";
    AuthTokenExpired = "auth.token_expired", Permanent, "a token or certificate has expired";
    LimitRate = "limit.rate", Transient, "too many requests in too short a time";
    LimitQuota = "limit.quota", Permanent, "a quota or a budget is used up";
    LimitTooLarge = "limit.too_large", Permanent, "a message is larger than the other side takes";
    LimitConnections = "limit.connections", Transient, "no more connections are to be had";
    NetworkDns = "network.dns", Unclear, "a name has no address";
    NetworkRefused = "network.refused", Transient, "nobody listens at the address";
    NetworkReset = "network.reset", Transient, "the connection broke";
    NetworkTls = "network.tls", Permanent, "the secure connection could not be agreed upon";
    NetworkUnreachable = "network.unreachable", Transient, "no way leads to the address";
    TimeoutConnect = "timeout.connect", Transient, "connecting took too long";
    TimeoutResponse = "timeout.response", Transient, "the answer took too long";
    TimeoutStatement = "timeout.statement", Unclear, "the database stopped a statement that took too long";
    TimeoutStep = "timeout.step", Unclear, "our own deadline passed";
    RemoteServerError = "remote.server_error", Unclear, "the other side failed";
    RemoteUnavailable = "remote.unavailable", Transient, "the other side is not ready to answer";
    RequestInvalid = "request.invalid", Permanent, "the other side does not accept the request";
    RequestNotFound = "request.not_found", Permanent, "what was asked for does not exist";
    RequestConflict = "request.conflict", Unclear, "the request contradicts the state of the other side";
    ResponseMalformed = "response.malformed", Unclear, "the answer cannot be parsed";
    ResponseSchemaChanged = "response.schema_changed", Permanent, "the answer lacks what earlier good answers had";
    DataEmpty = "data.empty", Unclear, "an earlier step produced nothing that a later one needs";
    DataTypeMismatch = "data.type_mismatch", Permanent, "a value has the wrong type";
    DataConstraint = "data.constraint", Permanent, "a value breaks a rule of the database";
    DataDuplicate = "data.duplicate", Permanent, "a value that must be unique is there already";
    SqlSyntax = "sql.syntax", Permanent, "a statement does not parse";
    SqlUndefinedObject = "sql.undefined_object", Permanent, "a table, column or function does not exist";
    SqlDeadlock = "sql.deadlock", Transient, "two transactions waited for each other";
    SqlSerialization = "sql.serialization", Transient, "concurrent transactions could not be put in an order";
    CodeException = "code.exception", Permanent, "the user's code raised an exception";
    CodeSyntax = "code.syntax", Permanent, "the user's code does not parse";
    CodeImport = "code.import", Permanent, "a module of the user's code is missing";
    CodeResult = "code.result", Permanent, "the result of the user's code cannot be sent";
    TemplateUndefined = "template.undefined", Permanent, "a template reads a name that is not there";
    TemplateSyntax = "template.syntax", Permanent, "a template does not parse";
    TemplateType = "template.type", Permanent, "a template applies an operation to the wrong type";
    PlaybookInvalid = "playbook.invalid", Permanent, "the playbook was refused";
    PlaybookNotFound = "playbook.not_found", Permanent, "there is no such playbook or version";
    PlaybookNoRoute = "playbook.no_route", Permanent, "no arc was true where one was required";
    PlaybookLoopSource = "playbook.loop_source", Permanent, "the collection of a loop is not one";
    PlaybookChildFailed = "playbook.child_failed", Unclear, "a sub-playbook failed; the cause is there";
    PlaybookCycleLimit = "playbook.cycle_limit", Permanent, "a cycle of steps never ended";
    ToolUnknown = "tool.unknown", Permanent, "there is no such kind of tool";
    ToolConfig = "tool.config", Permanent, "a field of a tool is missing or wrong";
    ResourceMemory = "resource.memory", Unclear, "memory ran out";
    ResourceDisk = "resource.disk", Permanent, "no space is left";
    ResourceKilled = "resource.killed", Unclear, "a signal ended the process";
    WorkerLost = "worker.lost", Transient, "the worker was lost before it reported";
    WorkerNone = "worker.none", Unclear, "no worker can take the work";
    RunCancelled = "run.cancelled", Permanent, "somebody cancelled it";
    Unknown = "unknown", Unclear, "nothing in the error supports any other cause";
}

/// What of an error a cause rests on, the firmest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// A field: a status, a SQLSTATE, the type of an exception, a Code of ours.
    Field,
    /// A number or a phrase that a library or a system is known to say.
    Phrase,
    /// What a sentence is about.
    Sentence,
    /// Texts that it is like.
    Likeness,
    /// The kind of the error alone.
    Kind,
}

impl Cause {
    /// What the error itself says about its cause; `tool` is the kind of tool that failed, where that is known.
    pub fn of(error: &TaskError, tool: Option<&str>) -> Self {
        Self::with_basis(error, tool).0
    }

    /// The same, and what it rests on.
    pub fn with_basis(error: &TaskError, tool: Option<&str>) -> (Self, Basis) {
        let tool = tool.filter(|tool| !tool.is_empty()).unwrap_or(&error.source);
        let ways: [(Basis, &dyn Fn() -> Option<Self>); 5] = [
            (Basis::Field, &|| typed::cause(error, tool)),
            (Basis::Phrase, &|| told::cause(error).or_else(|| phrase::narrow(&error.message))),
            (Basis::Sentence, &|| sentence::cause(&phrase::unquoted(&error.message))),
            // Texts that say nothing are like each other too: of a program that is all there is.
            (Basis::Likeness, &|| {
                // A record that somebody quotes may be like anything.
                let like = match error.kind.as_str() {
                    "tool_error" => likeness::cause(&phrase::unquoted(&error.message), Clear::Fairly)?,
                    _ => likeness::cause(&error.message, Clear::Fairly)?,
                };
                (like != Self::Unknown || error.kind == "shell").then_some(like)
            }),
            (Basis::Kind, &|| typed::family(error, tool)),
        ];
        let found = ways.iter().find_map(|(basis, look)| Some((look()?, *basis)));
        found.unwrap_or((Self::Unknown, Basis::Kind))
    }

    /// What words alone say: a sentence, a short code of a service, the name of an exception.
    pub fn in_words(text: &str) -> Self {
        told::status(&phrase::unquoted(text))
            .and_then(|status| typed::of_status(status, &TaskError::new("http", text)))
            .or_else(|| phrase::narrow(text))
            .or_else(|| spoken::code(text))
            .or_else(|| phrase::cause(text))
            .unwrap_or(Self::Unknown)
    }

    /// What an exception means that comes with no library: a check in somebody's own code, in words of its own.
    pub fn of_own_exception(name: &str, words: &str) -> Option<Self> {
        sentence::home::cause(name, words)
    }

    /// What a text is likest to among texts whose cause is known, where that is as clear as it has to be.
    pub fn like(text: &str, clear: Clear) -> Option<Self> {
        likeness::cause(text, clear)
    }

    /// What comes nearest to a text, however near; `Unknown` where texts that say nothing come about as near.
    pub fn nearest_to(text: &str) -> Option<Self> {
        likeness::nearest(text)
    }

    /// `network` of `network.refused`.
    pub fn family(self) -> &'static str {
        let code = self.code();
        code.split_once('.').map_or(code, |(family, _)| family)
    }

    /// Whether trying again later helps by itself.
    pub fn is_transient(self) -> bool {
        self.nature() == Nature::Transient
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::str::FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|cause| cause.code() == text)
            .ok_or_else(|| UnknownCause(text.to_owned()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a cause")]
pub struct UnknownCause(pub String);
