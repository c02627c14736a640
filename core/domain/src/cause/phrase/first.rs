//! Phrases of single systems, which the wider ones behind them would take for something else.

use super::Cause;

pub(super) const FIRST: &[(Cause, &[&str])] = &[
    (
        Cause::AuthCredentialMissing,
        &[
            "unable to locate credentials",
            "could not find credentials",
            "api_key client option must be set",
            "env var required but not provided",
            "declare it as envvar",
            "default credentials were not found",
            "no secret key",
            "no value found for secret",
            "no password stored for",
            "api_key not configured",
            "environment variables are not fully configured",
        ],
    ),
    (
        Cause::LimitQuota,
        &[
            "totalrequests limit exceeded",
            "billing period has been exceeded",
            "allowance consumed",
            "insufficient processing units",
            "you must enable billing",
            "enable billing on",
            "assocgrp",
        ],
    ),
    (Cause::AuthTokenExpired, &["expired binary security token"]),
    (Cause::ResourceKilled, &["died with <signals.", "] error 137", "] error 139", "] error 143"]),
    (Cause::ResourceDisk, &["wrote only", "transaction log for database"]),
    (Cause::RequestConflict, &["inequivalent arg", "conflicting lock is held", "another git process seems"]),
    (Cause::LimitConnections, &["connection is not available, request timed out after"]),
    (
        Cause::ResponseMalformed,
        &[
            "ended before the end-of-stream marker",
            "jq: parse error",
            "not in gzip format",
            "cannot identify image file",
            "postscript is truncated",
            "ne ressemble pas à une archive",
        ],
    ),
    (
        Cause::RemoteServerError,
        &["object reference not set to an instance", "panic in handler", "short dump"],
    ),
    (Cause::NetworkReset, &["connection has been closed unexpectedly", "closed the connection unexpectedly"]),
    (
        Cause::AuthUnauthenticated,
        &[
            "refused: not authori",
            "refused: bad user name or password",
            "refused: identifier rejected",
            "refused, not authori",
        ],
    ),
    (Cause::TemplateUndefined, &["' is undefined", "undefinederror"]),
    (
        Cause::TemplateSyntax,
        &[
            "unclosed action",
            "templatesyntaxerror",
            "expected token 'end of",
            "unexpected eof in template",
            "unknown tag '",
        ],
    ),
    (Cause::NetworkUnreachable, &["host unreachable", "network unreachable", "réseau n'est pas accessible"]),
    (Cause::NetworkTls, &["path building failed", "keine vertrauensstellung"]),
    (Cause::NetworkDns, &["remotename konnte nicht aufgelöst"]),
    (
        Cause::AuthForbidden,
        &[
            "permission non accordée",
            "authorization failed",
            "authorization_failed",
            "no permissions to referred object",
            "when calling the headobject operation: forbidden",
        ],
    ),
    (Cause::DataTypeMismatch, &["conversionsyntax"]),
    (
        Cause::AuthCredentialInvalid,
        &[
            "failed to find any pem data",
            "no pem header",
            "partial credentials found",
            "could not deserialize key data",
            "unable to load private key",
            "error in libcrypto",
            "not a valid openssh private key",
            "invalidkeyexception",
            "invalidkeyspecexception",
        ],
    ),
    (Cause::RemoteUnavailable, &["not primary", "notwritableprimary", "no endpoints available for service"]),
    (Cause::NetworkRefused, &["is the docker daemon running"]),
];
