//! What the words of an error say, where no field does.
//!
//! Phrases of operating systems, runtimes and libraries, in lower case; the first that occurs decides, so that the
//! narrower stand before the wider: `connect timed out` before `timed out`.
//! Words that a message may quote from its data do not appear here alone.

use super::Cause;

/// The first phrase that the message contains.
pub(super) fn cause(message: &str) -> Option<Cause> {
    let message = unquoted(message);
    let found = TABLE.iter().find(|(_, phrases)| phrases.iter().any(|phrase| message.contains(phrase)));
    found.map(|(cause, _)| *cause).or_else(|| missing_object(&message))
}

/// `relation "orders" does not exist`
fn missing_object(message: &str) -> Option<Cause> {
    let (before, _) = message.split_once(" does not exist")?;
    let sorts = ["relation ", "column ", "function ", "table ", "schema ", "type ", "database "];
    sorts.iter().any(|sort| before.contains(sort)).then_some(Cause::SqlUndefinedObject)
}

/// What a template's error is about.
pub(super) fn of_template(message: &str) -> Option<Cause> {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["syntax error", "unexpected end", "unexpected token", "does not parse"]) {
        return Some(Cause::TemplateSyntax);
    }
    if says(&[
        "undefined",
        "is not defined",
        "has no attribute",
        "unknown name",
        "not there",
        "no key",
        "has no key",
    ]) {
        return Some(Cause::TemplateUndefined);
    }
    None
}

/// In lower case, without long quotations: a quoted record may contain any phrase.
fn unquoted(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find('"') {
        let inside = &rest[start + 1..];
        let Some(end) = inside.find('"') else { break };
        out.push_str(&rest[..=start]);
        // A name may stay: `relation "orders" does not exist`. A sentence goes.
        if !inside[..end].contains(' ') {
            out.push_str(&inside[..end]);
        }
        out.push('"');
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    out.make_ascii_lowercase();
    out
}

const TABLE: &[(Cause, &[&str])] = &[
    (
        Cause::AuthTokenExpired,
        &[
            "token has expired",
            "token expired",
            "expired token",
            "expiredtoken",
            "tokenexpirederror",
            "jwt expired",
            "certificate has expired",
            "certificate expired",
            "certhasexpired",
            "cert_has_expired",
            "credentials have expired",
            "signature has expired",
        ],
    ),
    (
        Cause::LimitQuota,
        &[
            "quota exceeded",
            "quotaexceeded",
            "exceeded your current quota",
            "insufficient_quota",
            "resource has been exhausted",
            "credit balance is too low",
            "billing hard limit",
        ],
    ),
    (
        Cause::LimitRate,
        &[
            "too many requests",
            "rate limit exceeded",
            "rate limit reached",
            "ratelimitexceeded",
            "throttlingexception",
            "requestlimitexceeded",
            "rate exceeded",
            "slow down",
            "429 client error",
        ],
    ),
    (
        Cause::LimitConnections,
        &[
            "too many connections",
            "remaining connection slots are reserved",
            "too many clients already",
            "queuepool limit",
            "connection pool exhausted",
            "connection pool is full",
            "pool timed out while waiting for an open connection",
            "timeout waiting for connection from pool",
            "connection is not available, request timed out",
            "maxclientconn",
            "max_client_conn",
        ],
    ),
    (
        Cause::LimitTooLarge,
        &[
            "request entity too large",
            "payload too large",
            "packet too large",
            "got a packet bigger than",
            "packetstoobig",
            "message too long",
            "emsgsize",
            "maximum payload exceeded",
            "exceeds the maximum message size",
            "message larger than max",
            "content too large",
            "argument list too long",
            "maximum context length",
        ],
    ),
    (
        Cause::ResourceMemory,
        &[
            "out of memory",
            "outofmemoryerror",
            "cannot allocate memory",
            "enomem",
            "oomkilled",
            "oom-kill",
            "memoryerror",
            "memory allocation of",
            "std::bad_alloc",
            "java heap space",
            "heap out of memory",
            "gc overhead limit exceeded",
            "memory limit exceeded",
            "too much memory",
        ],
    ),
    (
        Cause::ResourceDisk,
        &[
            "no space left on device",
            "enospc",
            "disk quota exceeded",
            "disk is full",
            "disk full",
            "not enough space on the disk",
            "database or disk is full",
        ],
    ),
    (
        Cause::ResourceKilled,
        &[
            "sigkill",
            "sigterm",
            "sigsegv",
            "segmentation fault",
            "killed by signal",
            "signal: killed",
            "terminated by signal",
            "core dumped",
            "received signal",
        ],
    ),
    (
        Cause::NetworkTls,
        &[
            "certificate verify failed",
            "certificate_verify_failed",
            "self signed certificate",
            "self-signed certificate",
            "unable to get local issuer",
            "unknownissuer",
            "unknown ca",
            "certificate signed by unknown authority",
            "handshake failure",
            "handshake_failure",
            "tls handshake",
            "ssl handshake",
            "sslhandshakeexception",
            "wrong version number",
            "wrong_version_number",
            "invalid peer certificate",
            "hostname mismatch",
            "certificate is not valid for",
            "notvalidforname",
            "pkix path building failed",
            "x509:",
            "depth_zero_self_signed_cert",
            "ssl connection has been closed unexpectedly",
            "unsupported protocol version",
            "received corrupt message of type invalidcontenttype",
        ],
    ),
    (
        Cause::NetworkDns,
        &[
            "name or service not known",
            "temporary failure in name resolution",
            "nodename nor servname",
            "getaddrinfo",
            "no such host",
            "could not resolve host",
            "could not translate host name",
            "unknownhostexception",
            "enotfound",
            "eai_again",
            "failed to lookup address",
            "dns error",
            "no address associated with hostname",
            "nxdomain",
            "name resolution failed",
            "could not resolve",
            "nameresolutionerror",
            "getaddrinfo failed",
            "servfail",
            "unknown host",
        ],
    ),
    (
        Cause::TimeoutConnect,
        &[
            "connect timed out",
            "connect timeout",
            "connection timed out",
            "connecttimeout",
            "connection attempt timed out",
            "timeout while connecting",
            "dial tcp: i/o timeout",
            "etimedout",
            "timed out connecting",
            "connection timeout",
            "timeout expired while connecting",
            "timed out while connecting",
            "handshake timed out",
            "could not connect within",
        ],
    ),
    (
        Cause::NetworkRefused,
        &[
            "connection refused",
            "econnrefused",
            "actively refused",
            "connectionrefusederror",
            "connection was refused",
            "os error 111",
            "errno 111",
        ],
    ),
    (
        Cause::NetworkReset,
        &[
            "connection reset",
            "econnreset",
            "broken pipe",
            "epipe",
            "connection aborted",
            "econnaborted",
            "unexpected eof",
            "server closed the connection",
            "connection closed before",
            "socket hang up",
            "remote end closed connection",
            "connection was closed",
            "lost connection to",
            "server has gone away",
            "connection closed unexpectedly",
            "incomplete message",
            "premature close",
            "eof while reading",
            "connection has been closed",
            "forcibly closed",
            "terminating connection due to",
            "connection to server was lost",
            "stream closed",
        ],
    ),
    (
        Cause::NetworkUnreachable,
        &[
            "network is unreachable",
            "no route to host",
            "host is unreachable",
            "enetunreach",
            "ehostunreach",
            "noroutetohostexception",
            "network is down",
            "host is down",
            "ehostdown",
        ],
    ),
    (
        Cause::TimeoutStatement,
        &[
            "statement timeout",
            "query timed out",
            "query timeout",
            "lock wait timeout",
            "maximum statement execution time exceeded",
            "lock timeout",
            "max_execution_time",
            "database is locked",
        ],
    ),
    (Cause::SqlDeadlock, &["deadlock detected", "deadlock found"]),
    (
        Cause::SqlSerialization,
        &[
            "could not serialize access",
            "serialization failure",
            "write conflict during plan execution",
            "restart transaction",
        ],
    ),
    (
        Cause::AuthForbidden,
        &[
            "permission denied",
            "access denied for operation",
            "accessdenied",
            "not authorized to",
            "insufficient privilege",
            "is forbidden",
            "403 client error",
            "403 forbidden",
            "eacces",
            "operation not permitted",
            "does not have permission",
            "access is denied",
            "insufficientprivilege",
            "insufficient scope",
            "command denied to user",
        ],
    ),
    (
        Cause::AuthUnauthenticated,
        &[
            "password authentication failed",
            "authentication failed",
            "401 client error",
            "401 unauthorized",
            "invalid api key",
            "incorrect api key",
            "access denied for user",
            "login failed",
            "invalid credentials",
            "not authenticated",
            "authentication required",
            "no pg_hba.conf entry",
            "bad credentials",
            "signaturedoesnotmatch",
            "invalidaccesskeyid",
            "noauth authentication",
            "wrongpass",
            "invalid_grant",
            "could not read username",
            "unable to locate credentials",
            "username or password",
        ],
    ),
    (
        Cause::DataDuplicate,
        &[
            "duplicate key value",
            "duplicate entry",
            "unique constraint failed",
            "uniqueviolation",
            "e11000 duplicate",
            "violates unique constraint",
            "ora-00001",
            "violation of unique key",
            "violation of primary key",
        ],
    ),
    (
        Cause::DataConstraint,
        &[
            "violates foreign key constraint",
            "violates not-null constraint",
            "violates check constraint",
            "foreign key constraint fail",
            "not null constraint failed",
            "check constraint failed",
            "integrity constraint",
            "cannot be null",
        ],
    ),
    (
        Cause::SqlUndefinedObject,
        &[
            "no such table",
            "no such column",
            "unknown column",
            "undefinedtable",
            "undefinedcolumn",
            "table or view not found",
            "invalid object name",
            "unknown table",
            "unknown database",
            "ora-00942",
            "object does not exist",
            "missing columns:",
        ],
    ),
    (
        Cause::SqlSyntax,
        &[
            "syntax error at or near",
            "error in your sql syntax",
            "incorrect syntax near",
            "near \"select\": syntax error",
            "ora-00933",
            "parser error: syntax",
        ],
    ),
    (
        Cause::CodeImport,
        &[
            "no module named",
            "modulenotfounderror",
            "cannot find module",
            "cannot import name",
            "importerror",
            "classnotfoundexception",
            "noclassdeffounderror",
            "cannot open shared object file",
        ],
    ),
    (
        Cause::CodeSyntax,
        &[
            "syntaxerror",
            "indentationerror",
            "syntax error near unexpected token",
            "syntax error: unexpected",
            "unexpected end of file",
            "unexpected indent",
        ],
    ),
    (
        Cause::CodeResult,
        &[
            "not json serializable",
            "the result cannot be sent",
            "cannot be serialized",
            "converting circular structure to json",
        ],
    ),
    (
        Cause::RemoteUnavailable,
        &[
            "503 server error",
            "504 server error",
            "service unavailable",
            "gateway timeout",
            "gateway time-out",
            "temporarily unavailable",
            "the database system is starting up",
            "the database system is shutting down",
            "is in recovery mode",
            "server is overloaded",
            "overloaded_error",
            "clusterblockexception",
            "no healthy upstream",
        ],
    ),
    (
        Cause::RemoteServerError,
        &["500 server error", "internal server error", "502 server error", "bad gateway"],
    ),
    (
        Cause::RequestNotFound,
        &[
            "404 client error",
            "404 not found",
            "nosuchkey",
            "nosuchbucket",
            "no such file or directory",
            "enoent",
            "filenotfounderror",
            "does not exist on the server",
            "resource not found",
        ],
    ),
    (
        Cause::RequestConflict,
        &[
            "409 client error",
            "409 conflict",
            "resourceversionconflict",
            "conditionalcheckfailed",
            "version conflict",
            "already being modified",
        ],
    ),
    (
        Cause::RequestInvalid,
        &[
            "400 client error",
            "422 client error",
            "400 bad request",
            "unprocessable entity",
            "validationexception",
            "invalid_request_error",
        ],
    ),
    (
        Cause::ResponseMalformed,
        &[
            "jsondecodeerror",
            "expecting value: line",
            "invalid json",
            "is not valid json",
            "unexpected token < in json",
            "not well-formed",
            "unexpected end of json input",
            "expected value at line",
            "eof while parsing",
            "error decoding response body",
            "invalid character '<' looking for",
            "malformed json",
            "unterminated string",
            "xml parse",
            "mismatched tag",
            "invalid utf-8",
            "stream did not contain valid utf-8",
            "incorrect header check",
            "invalid chunk",
        ],
    ),
    (
        Cause::TimeoutResponse,
        &[
            "read timed out",
            "read timeout",
            "sockettimeoutexception",
            "response timeout",
            "request timed out",
            "deadline exceeded",
            "context deadline exceeded",
            "operation timed out",
            "timed out waiting for",
            "request timeout",
            "timed out reading",
            "esockettimedout",
            "took too long",
            "timed out",
        ],
    ),
    (Cause::WorkerNone, &["no worker can take", "no pool can take", "no worker pool"]),
    (
        Cause::DataEmpty,
        &[
            "'nonetype' object",
            "cannot read properties of undefined",
            "cannot read properties of null",
            "cannot read property",
            "nullpointerexception",
            "nil pointer dereference",
            "null reference",
            "nomethoderror: undefined method",
            "for nil:nilclass",
        ],
    ),
    (
        Cause::DataTypeMismatch,
        &[
            "invalid input syntax for",
            "is of type",
            "unsupported operand type",
            "cannot be cast to",
            "classcastexception",
            "invalid type:",
            "numberformatexception",
            "invalid literal for",
            "data type mismatch",
            "out of range for type",
            "cannot unmarshal",
            "could not convert",
            "value too long for type",
            "incorrect integer value",
        ],
    ),
];
