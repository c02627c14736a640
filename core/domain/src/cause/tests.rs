//! Errors as tools report them, and what they are about; among them those whose words mislead.

mod cases;
mod spoken;
mod words;

use super::*;
use cases::CASES;
use spoken::SPOKEN;
use words::WORDS;

#[test]
fn errors_say_their_cause() {
    let mut wrong = Vec::new();
    for (kind, code, status, message, expected) in CASES.iter().chain(WORDS) {
        let mut error = TaskError::new(*kind, *message);
        error.code = (!code.is_empty()).then(|| (*code).to_owned());
        error.status_code = (*status > 0).then_some(*status);
        let found = Cause::of(&error, None);
        if found.code() != *expected {
            wrong.push(format!("{kind} {code} {status} {message}: {found}, not {expected}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        CASES.len() + WORDS.len(),
        wrong.join("\n")
    );
}

#[test]
fn messages_of_many_tools_say_their_cause() {
    let mut wrong = Vec::new();
    for (expected, message) in SPOKEN {
        let found = Cause::of(&TaskError::new("tool_error", *message), None);
        if found.code() != *expected {
            wrong.push(format!("{message}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SPOKEN.len(), wrong.join("\n"));
}

#[test]
fn the_tool_and_the_details_count() {
    let late = |source: &str| {
        let mut error =
            TaskError::new("timeout", "GET https://x/ took too long (x:443): operation timed out")
                .with_code("EX002");
        source.clone_into(&mut error.source);
        Cause::of(&error, None)
    };
    assert_eq!((late("http"), late("sleep")), (Cause::TimeoutResponse, Cause::TimeoutStep));
    let status = TaskError::new("tool_error", "the command ended with exit status 137").with_code("137");
    assert_eq!(Cause::of(&status, Some("container")), Cause::ResourceKilled);
    assert_eq!(Cause::of(&status, Some("http")), Cause::Unknown);
    let details =
        TaskError::new("tool_error", "failed").with_details(serde_json::json!({ "sqlstate": "40P01" }));
    assert_eq!(Cause::of(&details, None), Cause::SqlDeadlock);
}

/// Numbers and states in the forms by which drivers tell them.
const TOLD: &[&str] = &[
    "250001 (08001): None: ",
    "1045 (08004) ",
    "[08001] [Microsoft][ODBC Driver 18] ",
    "sqlstate[08004] [1040] ",
    "ORA-12541: ",
    "Msg 208, Level 16 ",
    "ERROR 2002 (HY000): ",
    "(2003, \"",
    "Code: 209. DB::Exception: ",
    "SQLSTATE: 57014 ",
    "[42S02] odbc ",
    "[HYT00] odbc login ",
    "curl: (7) ",
    "code = Unavailable desc = ",
    "error occurred (ThrottlingException) ",
    "HTTP 503: ",
    "exit status 137 ",
    "ÄÖ\u{301} ",
    "\n",
    "\"",
    "(",
    ")",
    "[",
    "'",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(3_000))]

    /// Whatever tools print, looking for its cause comes to an end.
    #[test]
    fn any_words_have_some_cause(
        parts in proptest::collection::vec((0..SPOKEN.len(), 0_usize..12, 0..TOLD.len()), 0..8), noise in ".{0,12}",
        kind in proptest::sample::select(&["tool_error", "python", "postgres", "http", "sqlite", "shell", "odbc"][..]),
        code in proptest::sample::select(&["", "08001", "08004", "42P01", "DatabaseError", "OperationalError", "7"][..]),
    ) {
        let mut message = noise;
        for (spoken, from, told) in parts {
            message.push_str(TOLD[told]);
            let words = SPOKEN[spoken].1.split(' ').skip(from).take(6);
            message.push_str(&words.collect::<Vec<_>>().join(" "));
        }
        let mut error = TaskError::new(kind, message);
        error.code = (!code.is_empty()).then(|| code.to_owned());
        proptest::prop_assert!(Cause::ALL.contains(&Cause::of(&error, None)));
    }
}

#[test]
fn a_state_that_tells_of_no_connection_leaves_the_rest_to_the_words() {
    for (message, expected) in [
        (
            "250001 (08001): None: Failed to connect to DB: acme.example.com:443. Incorrect username or password was specified.",
            Cause::AuthUnauthenticated,
        ),
        ("250001 (08001): None: Failed to connect to DB: acme.example.com:443.", Cause::NetworkRefused),
        ("[08001] [Microsoft][ODBC Driver 18 for SQL Server] Login timeout expired", Cause::TimeoutConnect),
    ] {
        assert_eq!(Cause::of(&TaskError::new("tool_error", message), None), expected, "{message}");
    }
}

#[test]
fn codes_read_back_and_belong_to_a_family() {
    for cause in Cause::ALL {
        assert_eq!(cause.code().parse(), Ok(*cause));
        assert_eq!(serde_json::to_value(cause).expect("JSON"), cause.code());
        assert!(cause.code().starts_with(cause.family()));
    }
    assert_eq!(Cause::NetworkRefused.family(), "network");
    assert!(Cause::NetworkRefused.is_transient() && !Cause::DataDuplicate.is_transient());
    assert_eq!("network".parse::<Cause>(), Err(UnknownCause("network".into())));
}
