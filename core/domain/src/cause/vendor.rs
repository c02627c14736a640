//! Numbers and codes by which databases, clouds and remote calls tell what went wrong: `ORA-01017`, `Msg 208`,
//! `ERROR 1205 (HY000)`, `Code: 241. DB::Exception`, `[42S02] [Microsoft]`, `code = Unavailable`.

use super::{Cause, phrase, spoken, typed};

/// A number that says more than any words. The text is in lower case.
pub(super) fn number(text: &str) -> Option<Cause> {
    oracle(text)
        .or_else(|| sql_server(text))
        .or_else(|| clickhouse(text))
        .or_else(|| mysql(text))
        .or_else(|| odbc(text))
        .or_else(|| with_state(text))
}

/// Codes that words may refine; the text as it was written.
pub(super) fn code(text: &str) -> Option<Cause> {
    aws(text).or_else(|| grpc(&text.to_lowercase()))
}

/// The digits at the beginning of a text.
fn digits(text: &str) -> Option<u32> {
    let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn oracle(text: &str) -> Option<Cause> {
    Some(match digits(text.split_once("ora-")?.1)? {
        1 => Cause::DataDuplicate,
        1400 | 1407 | 2290..=2292 => Cause::DataConstraint,
        1017 | 1005 | 28000 => Cause::AuthUnauthenticated,
        28001 => Cause::AuthTokenExpired,
        1031 | 1045 => Cause::AuthForbidden,
        18 | 20 | 2391 | 12519 | 12520 | 12516 => Cause::LimitConnections,
        60 => Cause::SqlDeadlock,
        8177 => Cause::SqlSerialization,
        54 | 1013 | 30006 | 40 | 51 => Cause::TimeoutStatement,
        900..=903 | 905..=928 | 930 | 931 | 933..=941 | 1756 => Cause::SqlSyntax,
        904 | 942 | 4043 | 4080 | 1418 | 2289 | 6550 => Cause::SqlUndefinedObject,
        955 => Cause::RequestConflict,
        1722 | 1830 | 1840..=1861 | 932 | 12899 | 1438 | 6502 => Cause::DataTypeMismatch,
        1403 => Cause::DataEmpty,
        1652..=1655 | 1658 | 257 | 19809 | 1536 => Cause::ResourceDisk,
        4030 | 4031 => Cause::ResourceMemory,
        3113 | 3114 | 3135 => Cause::NetworkReset,
        12541 => Cause::NetworkRefused,
        12545 | 12154 => Cause::NetworkDns,
        12170 | 12535 => Cause::TimeoutConnect,
        1033 | 1034 | 1089 | 1090 | 12514 | 12528 | 27101 => Cause::RemoteUnavailable,
        600 | 7445 => Cause::RemoteServerError,
        _ => return None,
    })
}

/// `Msg 208, Level 16`, and the number at the end of a driver's message.
fn sql_server(text: &str) -> Option<Cause> {
    let number = match text.split_once("msg ") {
        Some((_, rest)) if text.contains("level ") => digits(rest)?,
        _ if text.contains("sql server]") => text.rsplit('(').find_map(digits)?,
        _ if text.contains("db-lib error") => text.split('(').skip(1).find_map(digits)?,
        _ => return None,
    };
    Some(match number {
        102 | 105 | 156 | 170 => Cause::SqlSyntax,
        207 | 208 | 2812 | 911 | 4121 | 4902 | 3701 => Cause::SqlUndefinedObject,
        229 | 230 | 262 | 297 | 300 | 916 => Cause::AuthForbidden,
        245 | 206 | 241 | 242 | 8114 | 8115 | 8152 | 2628 | 257 => Cause::DataTypeMismatch,
        515 | 547 | 550 => Cause::DataConstraint,
        2601 | 2627 => Cause::DataDuplicate,
        1205 => Cause::SqlDeadlock,
        3960 => Cause::SqlSerialization,
        1222 => Cause::TimeoutStatement,
        18456 | 18452 | 4060 | 18470 => Cause::AuthUnauthenticated,
        18487 | 18488 => Cause::AuthTokenExpired,
        2714 => Cause::RequestConflict,
        1101 | 1105 | 9002 => Cause::ResourceDisk,
        701 | 802 => Cause::ResourceMemory,
        17809 | 17300 => Cause::LimitConnections,
        40197 | 40501 | 40613 | 49918..=49920 => Cause::RemoteUnavailable,
        _ => return None,
    })
}

/// `Code: 241. DB::Exception: …`
fn clickhouse(text: &str) -> Option<Cause> {
    if !text.contains("db::exception") {
        return None;
    }
    Some(match digits(text.split_once("code: ")?.1)? {
        62 => Cause::SqlSyntax,
        16 | 46 | 47 | 60 | 81 | 36 => Cause::SqlUndefinedObject,
        57 => Cause::RequestConflict,
        6 | 26 | 27 | 38 | 41 | 43 | 53 | 69 | 70 | 72 | 349 => Cause::DataTypeMismatch,
        159 | 160 => Cause::TimeoutStatement,
        209 => Cause::TimeoutResponse,
        210 => Cause::NetworkReset,
        198 => Cause::NetworkDns,
        241 => Cause::ResourceMemory,
        243 => Cause::ResourceDisk,
        202 => Cause::LimitRate,
        201 | 307 | 158 | 396 => Cause::LimitQuota,
        252 | 242 | 164 | 999 => Cause::RemoteUnavailable,
        192..=194 | 516 => Cause::AuthUnauthenticated,
        291 | 497 => Cause::AuthForbidden,
        394 => Cause::RunCancelled,
        _ => return None,
    })
}

/// `ERROR 1062 (23000)`, `(1062, "Duplicate entry …")`, `Error 1062: …`
fn mysql(text: &str) -> Option<Cause> {
    let after = |mark: &str| text.match_indices(mark).find_map(|(at, _)| digits(&text[at + mark.len()..]));
    let is_call = text.starts_with('(') || text.contains("error: (") || text.contains("error (");
    let told = after("error ").or_else(|| after("got error: "));
    let number = told.filter(|number| *number >= 1000).or_else(|| {
        let number = after("(").filter(|_| is_call)?;
        text.contains(&format!("({number},")).then_some(number)
    })?;
    Some(match number {
        1040 | 1203 | 1226 => Cause::LimitConnections,
        1044 | 1142 | 1143 | 1227 | 1290 | 1370 => Cause::AuthForbidden,
        1045 | 1698 | 1251 => Cause::AuthUnauthenticated,
        1862 => Cause::AuthTokenExpired,
        1046 | 1049 | 1051 | 1054 | 1146 | 1305 | 1109 => Cause::SqlUndefinedObject,
        1064 | 1149 => Cause::SqlSyntax,
        1048 | 1364 | 1216 | 1217 | 1451 | 1452 | 3819 => Cause::DataConstraint,
        1062 | 1586 => Cause::DataDuplicate,
        1264 | 1265 | 1292 | 1366 | 1406 | 1411 | 3140 => Cause::DataTypeMismatch,
        1213 => Cause::SqlDeadlock,
        1205 | 1317 | 3024 => Cause::TimeoutStatement,
        1021 | 1114 | 3 => Cause::ResourceDisk,
        1037 | 1038 | 1041 => Cause::ResourceMemory,
        1050 | 1007 => Cause::RequestConflict,
        1053 | 1836 => Cause::RemoteUnavailable,
        1153 => Cause::LimitTooLarge,
        2002 | 2003 => return phrase::fixed(text).or(Some(Cause::NetworkRefused)),
        2005 => Cause::NetworkDns,
        2006 | 2013 | 2055 => Cause::NetworkReset,
        2026 => Cause::NetworkTls,
        _ => return None,
    })
}

/// `('42S02', "[42S02] [Microsoft][ODBC Driver 17 …")`
fn odbc(text: &str) -> Option<Cause> {
    if !text.contains("odbc") && !text.contains("sqlstate") {
        return None;
    }
    let state =
        text.split('[').skip(1).filter_map(|rest| rest.split(']').next()).find(|state| is_state(state))?;
    match state {
        "hyt00" if text.contains("login") => Some(Cause::TimeoutConnect),
        "hyt00" | "hyt01" => Some(Cause::TimeoutStatement),
        state => of_state(state, text),
    }
}

/// `002003 (42S02): SQL compilation error`, `ERROR 1146 (42S02)`: a number, and the SQLSTATE behind it.
fn with_state(text: &str) -> Option<Cause> {
    text.match_indices(" (").find_map(|(at, _)| {
        let state = text[at + 2..].split(')').next().filter(|state| is_state(state))?;
        let before = text[..at].rsplit(|one: char| !one.is_ascii_digit()).next()?;
        (before.len() >= 4).then(|| of_state(state, text))?
    })
}

/// A state that only says that no connection came about leaves the rest to the words beside it.
fn of_state(state: &str, text: &str) -> Option<Cause> {
    match state {
        "08001" | "08004" => phrase::worded(text).or(Some(Cause::NetworkRefused)),
        _ => typed::of_sqlstate(&state.to_ascii_uppercase(), text),
    }
}

fn is_state(text: &str) -> bool {
    text.len() == 5
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// `An error occurred (ThrottlingException) when calling the …`
fn aws(text: &str) -> Option<Cause> {
    let (_, rest) = text.split_once("error occurred (")?;
    spoken::code(rest.split(')').next()?)
}

/// `rpc error: code = Unavailable desc = …`, `StatusCode.UNAVAILABLE`, `StatusRuntimeException: UNAVAILABLE: …`
fn grpc(text: &str) -> Option<Cause> {
    let marks = [
        "code = ",
        "statuscode.",
        "code: statuscode.",
        "statusruntimeexception: ",
        "grpc status: ",
        "grpc code ",
    ];
    let rest = marks.iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)?;
    let name: String = rest
        .chars()
        .take_while(|one| one.is_ascii_alphanumeric() || *one == '_')
        .filter(|one| *one != '_')
        .collect();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(match name.as_str() {
        "unavailable" => Cause::RemoteUnavailable,
        "deadlineexceeded" => Cause::TimeoutResponse,
        "unauthenticated" => Cause::AuthUnauthenticated,
        "permissiondenied" => Cause::AuthForbidden,
        "resourceexhausted" if says(&["larger than max", "too large", "message size"]) => {
            Cause::LimitTooLarge
        }
        "resourceexhausted" if says(&["rate", "per minute", "per second", "too many requests"]) => {
            Cause::LimitRate
        }
        "resourceexhausted" => Cause::LimitQuota,
        "notfound" => Cause::RequestNotFound,
        "alreadyexists" | "failedprecondition" | "aborted" => Cause::RequestConflict,
        "invalidargument" | "outofrange" | "unimplemented" => Cause::RequestInvalid,
        "internal" | "dataloss" => Cause::RemoteServerError,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_databases_are_known() {
        for (text, expected) in [
            ("ORA-01017: invalid username/password; logon denied", Cause::AuthUnauthenticated),
            ("ORA-12541: TNS:no listener", Cause::NetworkRefused),
            ("Msg 208, Level 16, State 1, Line 1 Invalid object name 'dbo.x'", Cause::SqlUndefinedObject),
            (
                "('42S02', \"[42S02] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Invalid object name 'x'. (208) (SQLExecDirectW)\")",
                Cause::SqlUndefinedObject,
            ),
            ("Code: 241. DB::Exception: Memory limit (total) exceeded", Cause::ResourceMemory),
            (
                "mysqldump: Got error: 1045: \"Access denied for user 'etl'\" when trying to connect",
                Cause::AuthUnauthenticated,
            ),
            ("ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded", Cause::TimeoutStatement),
            ("(1213, 'Deadlock found when trying to get lock')", Cause::SqlDeadlock),
            ("002003 (42S02): SQL compilation error: Object 'X' does not exist", Cause::SqlUndefinedObject),
            ("100038 (22018): Numeric value 'abc' is not recognized", Cause::DataTypeMismatch),
        ] {
            assert_eq!(number(&text.to_lowercase()), Some(expected), "{text}");
        }
        assert_eq!(number("order 1062 (23 items) failed"), None);
        assert_eq!(number("error 404 (not found)"), None);
    }

    #[test]
    fn codes_of_clouds_and_remote_calls_are_known() {
        for (text, expected) in [
            ("rpc error: code = Unavailable desc = transport is closing", Cause::RemoteUnavailable),
            (
                "status = StatusCode.RESOURCE_EXHAUSTED details = \"Received message larger than max\"",
                Cause::LimitTooLarge,
            ),
            ("io.grpc.StatusRuntimeException: PERMISSION_DENIED: caller", Cause::AuthForbidden),
            (
                "An error occurred (RequestLimitExceeded) when calling the RunInstances operation",
                Cause::LimitRate,
            ),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }
}
