//! What the reading user may say.
//!
//! The engine guards too: this user has a role that may only SELECT and SHOW, and its settings are locked (`readonly`).
//! Here stand only the ways around that which the embedded engine leaves open: functions that read files of this
//! machine or call models without asking for a grant, and statements that would change the role.

use super::{Token, tokens};
use crate::exception::{Code, Exception};

const STATEMENTS: &[&str] = &["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"];

/// Functions the engine lets anyone call. A function can be named without being called (`APPLY(file)`), so the name
/// itself is refused wherever it stands.
const NAMES: &[&str] = &[
    "file",
    "catboostEvaluate",
    "showCertificate",
    "aiClassify",
    "aiEmbed",
    "aiExtract",
    "aiGenerate",
    "aiTranslate",
];

pub(crate) fn check(sql: &[u8]) -> Result<(), Exception> {
    let tokens: Vec<Token<'_>> = tokens(sql).map(|(token, _)| token).collect();
    let first = tokens.iter().find(|token| **token != Token::Symbol(b'('));
    if !first.is_some_and(|first| STATEMENTS.iter().any(|word| first.is(word))) {
        return Err(Exception::new(
            Code::Readonly,
            format_args!("The reading user may only {}", STATEMENTS.join(", ")),
        ));
    }
    if let Some(name) = tokens.iter().filter_map(Token::name).find(|name| is_refused(name)) {
        return Err(Exception::new(
            Code::AccessDenied,
            format_args!(
                "The name `{name}` is not available to the reading user, as a function of that name reaches files or services"
            ),
        ));
    }
    let settings = tokens
        .windows(3)
        .any(|three| three[0].is("SETTINGS") && three[1].name().is_some() && three[2] == Token::Symbol(b'='));
    if settings {
        return Err(Exception::new(
            Code::Readonly,
            "The reading user may not set SETTINGS in a statement; a few can be given in the URL",
        ));
    }
    Ok(())
}

fn is_refused(name: &str) -> bool {
    NAMES.iter().any(|refused| refused.eq_ignore_ascii_case(name))
}

/// Settings that the reading user may give, with the most it may ask for.
const SETTINGS: &[(&str, Option<u64>)] = &[
    ("max_execution_time", Some(MAX_SECONDS)),
    ("max_result_rows", Some(MAX_ROWS)),
    ("max_result_bytes", Some(MAX_BYTES)),
    ("max_rows_to_read", None),
    ("max_bytes_to_read", None),
    ("max_threads", Some(64)),
    ("max_block_size", Some(1_000_000)),
    ("max_query_size", Some(1_048_576)),
    ("limit", None),
    ("offset", None),
    ("extremes", None),
    ("final", None),
    ("result_overflow_mode", None),
    ("timeout_overflow_mode", None),
    ("read_overflow_mode", None),
    ("join_use_nulls", None),
    ("session_timezone", None),
    ("date_time_output_format", None),
    ("date_time_input_format", None),
    ("log_comment", None),
    ("send_progress_in_http_headers", None),
    ("cancel_http_readonly_queries_on_client_close", None),
    ("add_http_cors_header", None),
];

const MAX_SECONDS: u64 = 60;
const MAX_ROWS: u64 = 1_000_000;
const MAX_BYTES: u64 = 256 << 20;

/// What holds for the reading user when it asks for nothing.
pub(crate) fn defaults() -> Vec<(String, String)> {
    [
        ("max_execution_time", MAX_SECONDS.to_string()),
        ("max_result_rows", MAX_ROWS.to_string()),
        ("max_result_bytes", MAX_BYTES.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Settings that clients send along with whatever they ask, and that change nothing of an answer here: of servers,
/// their connections and their inserts.
const PASSED_OVER: &[&str] = &[
    "allow_experimental_dynamic_type",
    "allow_experimental_json_type",
    "allow_experimental_object_type",
    "allow_experimental_variant_type",
    "async_insert",
    "cast_string_to_dynamic_use_inference",
    "connect_timeout",
    "distributed_product_mode",
    "http_connection_timeout",
    "http_headers_progress_interval_ms",
    "http_native_compression_disable_checksumming_on_decompress",
    "http_receive_timeout",
    "http_response_buffer_size",
    "http_send_timeout",
    "http_write_exception_in_output_format",
    "insert_deduplicate",
    "insert_distributed_sync",
    "insert_quorum",
    "load_balancing",
    "network_compression_method",
    "prefer_localhost_replica",
    "receive_timeout",
    "send_timeout",
    "use_query_cache",
    "use_skip_indexes",
    "use_uncompressed_cache",
    "wait_for_async_insert",
    "wait_for_async_insert_timeout",
];

/// The value that one setting of the reading user gets: what it may not exceed is made smaller, `None` is passed over.
pub(crate) fn setting(name: &str, value: String) -> Result<Option<String>, Exception> {
    let looks_only = name.starts_with("output_format_") && !name.contains("schema") && !name.contains("path");
    if looks_only {
        return Ok(Some(value));
    }
    if PASSED_OVER.contains(&name) {
        return Ok(None);
    }
    let Some((_, most)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
        return Err(Exception::new(
            Code::Readonly,
            format_args!("Cannot modify '{name}' setting as the reading user"),
        ));
    };
    let Some(most) = most else { return Ok(Some(value)) };
    match value.parse::<f64>() {
        // Zero means without limit.
        Ok(number) if number == 0.0 || number > *most as f64 => Ok(Some(most.to_string())),
        Ok(number) if number > 0.0 => Ok(Some(value)),
        _ => Err(Exception::new(
            Code::SettingConstraintViolation,
            format_args!("Setting {name} is a number from 0 to {most} for the reading user, not '{value}'"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_that_read_tables_pass() {
        let check = |sql: &str, expected: Result<(), u32>| {
            assert_eq!(check(sql.as_bytes()).map_err(|error| error.code), expected, "{sql}");
        };
        check("SELECT * FROM t", Ok(()));
        check("((select 1) union all (select 2))", Ok(()));
        check("EXPLAIN SELECT 'file(x)', profile, t.files FROM t -- file", Ok(()));
        check("SELECT name FROM system.settings WHERE settings = 'a'", Ok(()));
        for sql in [
            "SET readonly = 0",
            "KILL QUERY WHERE 1",
            "SYSTEM FLUSH LOGS",
            "BACKUP TABLE t TO Disk('a', 'b')",
            "",
            "INSERT INTO t VALUES (1)",
        ] {
            check(sql, Err(164));
        }
        for sql in [
            "SELECT file('/etc/passwd')",
            "SELECT `file` /* x */ ('/etc/passwd')",
            "SELECT \"fi\\x6ce\"('/etc/passwd')",
            "SELECT * APPLY(FILE) FROM (SELECT '/etc/passwd')",
            "SELECT arrayMap(file, ['/etc/passwd'])",
            "SELECT aiGenerate('x')",
        ] {
            check(sql, Err(497));
        }
        check("SELECT 1 SETTINGS max_execution_time = 0", Err(164));
        check("SELECT * FROM (SELECT 1 SETTINGS/**/`max_threads`=1)", Err(164));
    }

    #[test]
    fn limits_can_be_lowered_and_nothing_else_set() {
        let given = |name, value: &str| setting(name, value.to_owned()).map_err(|error| error.code);
        let check = |name, value, expected: Option<&str>| {
            assert_eq!(given(name, value), Ok(expected.map(str::to_owned)), "{name} = {value}");
        };
        check("max_execution_time", "5", Some("5"));
        // Clients ask for more, or for no limit, out of habit: they get the most there is.
        check("max_execution_time", "0", Some("60"));
        check("max_execution_time", "300", Some("60"));
        check("max_result_rows", "99999999", Some("1000000"));
        check("output_format_json_quote_64bit_integers", "1", Some("1"));
        check("async_insert", "1", None);
        assert_eq!(given("max_execution_time", "-1"), Err(452));
        assert_eq!(given("max_execution_time", "NaN"), Err(452));
        assert_eq!(given("max_execution_time", "1; 2"), Err(452));
        assert_eq!(given("output_format_schema", "x"), Err(164));
        assert_eq!(given("format_schema", "/etc/passwd:x"), Err(164));
        assert_eq!(given("readonly", "0"), Err(164));
    }
}
