//! What the engine refuses with: ClickHouse's code and text.

/// An error as ClickHouse tells it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Exception {
    pub(crate) code: u32,
    /// `Code: 60. DB::Exception: …`
    pub(crate) message: String,
}

impl Exception {
    pub(crate) fn new(code: Code, text: impl std::fmt::Display) -> Self {
        let (code, name) = (code as u32, code.name());
        Self { code, message: format!("Code: {code}. DB::Exception: {text}. ({name})") }
    }

    pub(crate) fn from_engine(message: String) -> Self {
        let code = message
            .strip_prefix("Code: ")
            .and_then(|rest| rest.split('.').next())
            .and_then(|code| code.parse().ok())
            .unwrap_or(Code::StdException as u32);
        Self { code, message }
    }

    pub(crate) fn without_answer() -> Self {
        Self::new(Code::StdException, "The engine gave no answer")
    }

    /// The HTTP status that ClickHouse gives this code.
    pub(crate) fn status(&self) -> u16 {
        match self.code {
            194 => 401,
            192 | 193 | 497 | 516 => 403,
            // What was sent cannot be read, or makes no sense.
            6 | 26 | 27 | 33 | 36 | 38 | 41 | 42 | 43 | 44 | 53 | 62 | 69 | 70 | 72 | 117 | 130 | 131
            | 190 | 395 | 403 | 427 | 452 | 456 | 457 => 400,
            // What was named does not exist.
            16 | 46 | 47 | 50 | 56 | 60 | 63 | 73 | 81 | 115 | 372 => 404,
            159 => 408,
            307 => 413,
            48 => 501,
            202 | 439 => 503,
            _ => 500,
        }
    }
}

/// The codes that the front itself answers with; numbers and names are ClickHouse's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Code {
    UnsupportedMethod = 1,
    BadArguments = 36,
    NotImplemented = 48,
    SyntaxError = 62,
    UnknownSetting = 115,
    IncorrectData = 117,
    Readonly = 164,
    TooManySimultaneousQueries = 202,
    SessionNotFound = 372,
    RequiredPassword = 194,
    TooManyBytes = 307,
    QueryWasCancelled = 394,
    SettingConstraintViolation = 452,
    AccessDenied = 497,
    AuthenticationFailed = 516,
    StdException = 1001,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::UnsupportedMethod => "UNSUPPORTED_METHOD",
            Self::BadArguments => "BAD_ARGUMENTS",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::SyntaxError => "SYNTAX_ERROR",
            Self::UnknownSetting => "UNKNOWN_SETTING",
            Self::IncorrectData => "INCORRECT_DATA",
            Self::Readonly => "READONLY",
            Self::TooManySimultaneousQueries => "TOO_MANY_SIMULTANEOUS_QUERIES",
            Self::SessionNotFound => "SESSION_NOT_FOUND",
            Self::RequiredPassword => "REQUIRED_PASSWORD",
            Self::TooManyBytes => "TOO_MANY_BYTES",
            Self::QueryWasCancelled => "QUERY_WAS_CANCELLED",
            Self::SettingConstraintViolation => "SETTING_CONSTRAINT_VIOLATION",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::AuthenticationFailed => "AUTHENTICATION_FAILED",
            Self::StdException => "STD_EXCEPTION",
        }
    }
}
