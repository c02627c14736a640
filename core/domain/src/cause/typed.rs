//! What the typed fields of an error say.

use super::{Cause, Clear, likeness, phrase, sentence, spoken, told};
use crate::Value;
use crate::code::Code;
use crate::error::TaskError;

/// The cause, where a field names it.
pub(super) fn cause(error: &TaskError, tool: &str) -> Option<Cause> {
    let code = error.code.as_deref().unwrap_or_default();
    of_kind(&error.kind)
        .or_else(|| error.status_code.and_then(|status| of_status(status, error)))
        .or_else(|| code.parse().ok().and_then(|code| of_code(code, error)))
        .or_else(|| of_database(code, error, tool))
        .or_else(|| of_python(code, error))
        .or_else(|| of_exit(code, error, tool))
}

/// The cause that the kind alone suggests, where neither fields nor words say more.
pub(super) fn family(error: &TaskError, tool: &str) -> Option<Cause> {
    match error.kind.as_str() {
        "rate_limit" => Some(Cause::LimitRate),
        "server_error" => Some(Cause::RemoteServerError),
        "not_found" => Some(Cause::RequestNotFound),
        "auth" => Some(Cause::AuthUnauthenticated),
        "timeout" if matches!(tool, "http" | "postgres") => Some(Cause::TimeoutResponse),
        "timeout" => Some(Cause::TimeoutStep),
        "config" => Some(Cause::ToolConfig),
        "template" => Some(Cause::TemplateType),
        "client_error" => Some(Cause::RequestInvalid),
        "python" | "shell" if error.code.is_some() => Some(Cause::CodeException),
        _ => None,
    }
}

fn of_kind(kind: &str) -> Option<Cause> {
    match kind {
        "cancelled" => Some(Cause::RunCancelled),
        "lost" => Some(Cause::WorkerLost),
        "no_route" => Some(Cause::PlaybookNoRoute),
        "python_missing_module" => Some(Cause::CodeImport),
        _ => None,
    }
}

/// An HTTP status; words of the answer refine it, and never contradict it.
pub(super) fn of_status(status: u16, error: &TaskError) -> Option<Cause> {
    let said = || format!("{} {}", error.message, error.details).to_lowercase();
    let says = |words: &[&str]| {
        let said = said();
        words.iter().any(|word| said.contains(word))
    };
    let is_quota = || {
        says(&[
            "quota",
            "billing",
            "insufficient_funds",
            "insufficient funds",
            "credit balance",
            "payment required",
        ])
    };
    let is_expired = || sentence::cause(&said()) == Some(Cause::AuthTokenExpired);
    let limit = if matches!(status, 403 | 503 | 529) {
        let likely = || likeness::cause(&told_by(error)?, Clear::Fairly);
        of_body(error).or_else(likely).filter(|cause| cause.family() == "limit")
    } else {
        None
    };
    Some(match status {
        400 | 401 | 422 if is_expired() => Cause::AuthTokenExpired,
        419 | 440 => Cause::AuthTokenExpired,
        401 | 407 | 498 | 511 => Cause::AuthUnauthenticated,
        402 => Cause::LimitQuota,
        403 if is_quota() => Cause::LimitQuota,
        403 if says(&["rate limit", "ratelimit", "rate_limit", "too many requests"]) => Cause::LimitRate,
        403 if is_expired() => Cause::AuthTokenExpired,
        403 | 503 | 529 if limit.is_some() => return limit,
        403 | 451 => Cause::AuthForbidden,
        // What a web server filters it calls not found.
        404 if says(&["404.13", "404.14", "404.15", "request content length"]) => Cause::LimitTooLarge,
        404 | 410 => Cause::RequestNotFound,
        408 => Cause::TimeoutResponse,
        409 | 412 | 423 => Cause::RequestConflict,
        413 | 414 | 431 => Cause::LimitTooLarge,
        429 if says(&["flood-stage", "disk usage exceeded", "read-only-allow-delete"]) => Cause::ResourceDisk,
        429 if says(&["insufficient_quota", "quota exceeded", "exceeded your current quota", "billing"]) => {
            Cause::LimitQuota
        }
        429 => Cause::LimitRate,
        // Some services answer everything with 400 and say in the body what it is about.
        400 | 422 => of_body(error).unwrap_or(Cause::RequestInvalid),
        // What the request needed failed on the other side.
        424 => Cause::RemoteServerError,
        400..=499 => Cause::RequestInvalid,
        529 => Cause::RemoteUnavailable,
        502..=504 => {
            return Some(if status == 502 { Cause::RemoteServerError } else { Cause::RemoteUnavailable });
        }
        500 => out_of_resources(error).unwrap_or(Cause::RemoteServerError),
        501..=599 => Cause::RemoteServerError,
        // The answer was good and what came of it was not.
        _ => return None,
    })
}

/// What a body says of who asks and of limits; of anything else the status says enough.
fn of_body(error: &TaskError) -> Option<Cause> {
    let body = told_by(error)?;
    let told = phrase::fixed(&body.to_lowercase())
        .or_else(|| spoken::code(&body))
        .or_else(|| sentence::cause(&body.to_lowercase()))
        .or_else(|| likeness::cause(&body, Clear::Surely))?;
    matches!(told.family(), "auth" | "limit").then_some(told)
}

/// What the other side lacks, or that it does not know who asks, where it says so in words that systems are known by.
fn out_of_resources(error: &TaskError) -> Option<Cause> {
    let body = told_by(error)?;
    phrase::narrow(&body).filter(|cause| matches!(cause.family(), "resource" | "limit" | "auth"))
}

/// The words of an answer.
fn told_by(error: &TaskError) -> Option<String> {
    match error.details.get("body") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(body) => Some(body.to_string()),
        // A status that a text tells stands in the words of the answer.
        None => error.status_code.is_none().then(|| error.message.clone()),
    }
}

fn of_code(code: Code, error: &TaskError) -> Option<Cause> {
    Some(match code {
        Code::UnknownTool => Cause::ToolUnknown,
        Code::TemplateSyntax => Cause::TemplateSyntax,
        Code::UnknownName => Cause::TemplateUndefined,
        Code::TemplateFailed => return phrase::of_template(&error.message).or(Some(Cause::TemplateType)),
        Code::LoopSource => Cause::PlaybookLoopSource,
        // An HTTP request that took too long has this Code too, and says at which stage.
        Code::StepTimeout if error.kind == "timeout" && error.source == "http" => {
            return phrase::cause(&error.message)
                .filter(|cause| cause.family() == "timeout")
                .or(Some(Cause::TimeoutResponse));
        }
        Code::StepTimeout | Code::ExecutionTimeout => Cause::TimeoutStep,
        Code::NoRoute => Cause::PlaybookNoRoute,
        Code::TooManySteps | Code::EndlessLoop => Cause::PlaybookCycleLimit,
        Code::ChildFailed => Cause::PlaybookChildFailed,
        Code::CommandLost => Cause::WorkerLost,
        Code::ToolInput | Code::PythonNotFound => Cause::ToolConfig,
        Code::PythonMissingModule => Cause::CodeImport,
        Code::ResourceLimit if error.message.contains("memory") => Cause::ResourceMemory,
        Code::ResourceLimit if error.message.contains("cpu") => Cause::TimeoutStep,
        Code::ResourceLimit => Cause::LimitTooLarge,
        Code::UnknownCredential => Cause::AuthCredentialMissing,
        Code::CredentialShape | Code::VaultKey => Cause::AuthCredentialInvalid,
        Code::KeychainFailed => return phrase::cause(&error.message).or(Some(Cause::AuthCredentialInvalid)),
        Code::UnknownPlaybook => Cause::PlaybookNotFound,
        code if code.as_str().starts_with("PB") => Cause::PlaybookInvalid,
        _ => return None,
    })
}

fn of_database(code: &str, error: &TaskError, tool: &str) -> Option<Cause> {
    if error.kind == "sqlite" || tool == "sqlite" {
        return of_sqlite(code.parse().ok()?, &error.message);
    }
    let is_sql = matches!(
        error.kind.as_str(),
        "postgres" | "connection" | "auth" | "sql" | "duckdb" | "mysql" | "snowflake"
    );
    let has_form =
        code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let sqlstate = if is_sql && has_form { code } else { error.details.get("sqlstate")?.as_str()? };
    of_sqlstate(sqlstate, &error.message)
}

pub(super) fn of_sqlstate(sqlstate: &str, message: &str) -> Option<Cause> {
    Some(match sqlstate {
        "23505" => Cause::DataDuplicate,
        "40001" => Cause::SqlSerialization,
        "40P01" => Cause::SqlDeadlock,
        "42501" => Cause::AuthForbidden,
        // The last two are ODBC's.
        "42P01" | "42703" | "42883" | "42704" | "3F000" | "3D000" | "42P02" | "42S02" | "42S22" => {
            Cause::SqlUndefinedObject
        }
        "42804" | "42846" | "42P18" | "42725" => Cause::DataTypeMismatch,
        "42P07" | "42710" | "42701" | "42P06" | "42S01" => Cause::RequestConflict,
        "53100" => Cause::ResourceDisk,
        "53200" => Cause::ResourceMemory,
        "53300" => Cause::LimitConnections,
        "54000" => Cause::LimitTooLarge,
        "57014" if message.contains("user request") => Cause::RunCancelled,
        "57014" | "25P03" | "55P03" => Cause::TimeoutStatement,
        "57P01" | "57P02" | "57P03" => Cause::RemoteUnavailable,
        "08001" | "08004" => return phrase::cause(message).or(Some(Cause::NetworkRefused)),
        _ => match sqlstate.get(..2)? {
            "08" => Cause::NetworkReset,
            "22" => Cause::DataTypeMismatch,
            "23" => Cause::DataConstraint,
            "28" => Cause::AuthUnauthenticated,
            "42" => Cause::SqlSyntax,
            "53" => Cause::LimitQuota,
            "54" => Cause::LimitTooLarge,
            "58" | "XX" => Cause::RemoteServerError,
            _ => return None,
        },
    })
}

/// SQLite's result codes; the low byte is the plain one.
fn of_sqlite(code: u32, message: &str) -> Option<Cause> {
    Some(match (code, code & 0xff) {
        (1555 | 2067, _) => Cause::DataDuplicate,
        (_, 1) if message.contains("no such") || message.contains("has no column") => {
            Cause::SqlUndefinedObject
        }
        (_, 1) if message.contains("already exists") => Cause::RequestConflict,
        (_, 1) => Cause::SqlSyntax,
        (_, 3 | 8 | 23) => Cause::AuthForbidden,
        (_, 5 | 6) => Cause::TimeoutStatement,
        (_, 7) => Cause::ResourceMemory,
        (_, 9) => Cause::RunCancelled,
        (_, 13) => Cause::ResourceDisk,
        (_, 14) => Cause::RequestNotFound,
        (_, 18) => Cause::LimitTooLarge,
        (_, 19) => Cause::DataConstraint,
        (_, 20) => Cause::DataTypeMismatch,
        _ => return None,
    })
}

/// The exception's type; its words count only where the type is about the world outside.
fn of_python(code: &str, error: &TaskError) -> Option<Cause> {
    if error.kind != "python" {
        return None;
    }
    let message = error.message.as_str();
    let name = code.rsplit('.').next().unwrap_or(code);
    if !speaks_of_code(name)
        && let Some(cause) = told::cause(error)
    {
        return Some(cause);
    }
    Some(match name {
        "SyntaxError" | "IndentationError" | "TabError" => Cause::CodeSyntax,
        "ImportError" | "ModuleNotFoundError" => Cause::CodeImport,
        "MemoryError" => Cause::ResourceMemory,
        "ConnectionRefusedError" => Cause::NetworkRefused,
        "ConnectionResetError"
        | "BrokenPipeError"
        | "ConnectionAbortedError"
        | "RemoteDisconnected"
        | "IncompleteRead"
        | "ChunkedEncodingError" => Cause::NetworkReset,
        "gaierror" | "NameResolutionError" => Cause::NetworkDns,
        "SSLError" | "SSLCertVerificationError" | "SSLEOFError" => Cause::NetworkTls,
        "ConnectTimeout" | "ConnectTimeoutError" => Cause::TimeoutConnect,
        // What `decimal` says of a text that is no number; of two infinities it says more.
        "InvalidOperation" if message.contains("ConversionSyntax") => Cause::DataTypeMismatch,
        "EOFError" if message.contains("end-of-stream") => Cause::ResponseMalformed,
        // What was waited for, its words may say.
        "ReadTimeout" | "ReadTimeoutError" | "TimeoutError" | "Timeout" | "timeout" | "TimeoutException" => {
            return phrase::elsewhere(message)
                .filter(|cause| cause.family() == "timeout" || *cause == Cause::LimitConnections)
                .or(Some(Cause::TimeoutResponse));
        }
        "ArrowInvalid" if message.contains("Could not convert") || message.contains("tried to convert") => {
            Cause::DataTypeMismatch
        }
        // What was to be read is not of the form that was expected.
        "JSONDecodeError" | "UnicodeDecodeError" | "BadGzipFile" | "BadZipFile" | "ExpatError"
        | "ParseError" | "ScannerError" | "XMLSyntaxError" | "ArrowInvalid" | "ParserError" => {
            Cause::ResponseMalformed
        }
        "InterpreterDied" if message.contains("SIGKILL") && message.contains("memory") => {
            Cause::ResourceMemory
        }
        "InterpreterDied" if message.contains("signal") || message.contains("SIG") => Cause::ResourceKilled,
        // What a driver of a database raises passes on what the database said.
        "OperationalError" | "ProgrammingError" | "DatabaseError" | "IntegrityError" | "InternalError"
        | "DataError" | "InterfaceError" | "NotSupportedError" | "InternalError_" => {
            return phrase::cause(message)
                .or_else(|| likeness::cause(message, Clear::Fairly))
                .filter(|cause| *cause != Cause::Unknown)
                .or(Some(Cause::CodeException));
        }
        // What wraps another error: the words say which.
        "ConnectionError"
        | "MaxRetryError"
        | "NewConnectionError"
        | "URLError"
        | "OSError"
        | "IOError"
        | "HTTPError"
        | "APIError"
        | "ClientError"
        | "ConnectError"
        | "RequestException"
        | "APIConnectionError"
        | "ClientConnectorError"
        | "RuntimeError"
        | "Exception"
        | "RetryError"
        | "HTTPStatusError"
        | "RateLimitError" => return phrase::elsewhere(message).or(Some(Cause::CodeException)),
        "TypeError" if message.contains("not JSON serializable") => Cause::CodeResult,
        "TypeError" | "AttributeError" if message.contains("'NoneType'") => Cause::DataEmpty,
        // How a function is called is up to the code, whatever the data.
        "TypeError"
            if [
                "positional argument",
                "keyword argument",
                "multiple values for argument",
                "is not callable",
                "abstract class",
            ]
            .iter()
            .any(|words| message.contains(words)) =>
        {
            Cause::CodeException
        }
        "TypeError" => Cause::DataTypeMismatch,
        "ValueError"
            if message.contains("Out of range float values are not JSON")
                || message.contains("Circular reference") =>
        {
            Cause::CodeResult
        }
        // A text that is no number or no date, whoever wrote it.
        "ValueError"
            if [
                "invalid literal for",
                "could not convert string to",
                "does not match format",
                "Invalid isoformat",
            ]
            .iter()
            .any(|words| message.contains(words)) =>
        {
            Cause::DataTypeMismatch
        }
        "PermissionError" => Cause::AuthForbidden,
        "" if message.contains("the result cannot be read") => Cause::CodeResult,
        "" => return None,
        _ => Cause::CodeException,
    })
}

/// Exceptions whose words quote the code or its data, so that a status in them is nobody's answer.
fn speaks_of_code(name: &str) -> bool {
    let names = [
        "SyntaxError",
        "IndentationError",
        "TabError",
        "ImportError",
        "ModuleNotFoundError",
        "MemoryError",
        "InterpreterDied",
        "KeyError",
        "IndexError",
        "NameError",
        "TypeError",
        "AttributeError",
        "AssertionError",
        "JSONDecodeError",
    ];
    names.contains(&name)
}

/// Exit statuses of shells and of scripts run as processes.
fn of_exit(code: &str, error: &TaskError, tool: &str) -> Option<Cause> {
    if !(error.kind == "shell" || matches!(tool, "shell" | "script" | "container")) {
        return None;
    }
    let status: i32 = code.parse().ok()?;
    match status {
        137 | -9 if error.message.contains("memory") || error.message.contains("OOM") => {
            Some(Cause::ResourceMemory)
        }
        129..=159 | -31..=-1 => Some(Cause::ResourceKilled),
        126 | 127 => Some(Cause::ToolConfig),
        _ => None,
    }
}
