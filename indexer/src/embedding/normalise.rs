//! Text as a person would have said it: names and codes become words, and what differs from run to run goes away.
//!
//! A sentence model was trained on sentences, and a failure is rarely one: `ECONNREFUSED 10.0.3.7:5432` and
//! "connection refused" meet only here.
//! Nothing here knows a particular product: only what operating systems, HTTP, SQL and languages have in common.

mod codes;
mod frames;
mod pieces;

use codes::{Context, meaning};
use frames::without_frames;
use pieces::{Piece, is_plain, of_chunk, pieces};

/// Words kept of one text: a little more than models read.
const WORDS: usize = 96;
/// Of these, words of the end, where many tools say what went wrong.
const LAST: usize = 40;

/// Words of a text that is short enough to be said twice: models read little more.
const SHORT: usize = 48;

/// The text for a model: as it stands but for what differs from run to run, and then in words.
///
/// A model takes hints from how things are written, so the writing stays beside the words.
/// A text that consists of words is itself; one in which nothing has a meaning is empty.
pub fn normalise(text: &str) -> String {
    let text = without_frames(text);
    let words = words(&text);
    if words.is_empty() || words.len() > SHORT {
        return words.join(" ");
    }
    let words = words.join(" ");
    let cleaned = cleaned(&text);
    if cleaned.is_empty() || cleaned.to_lowercase() == words { words } else { format!("{cleaned} {words}") }
}

/// The text in words of lower case.
pub(super) fn in_words(text: &str) -> Vec<String> {
    words(&without_frames(text))
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let pieces: Vec<Piece<'_>> = pieces(text).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let context = Context { before: &pieces[at.saturating_sub(4)..at], after: pieces.get(at + 1) };
        match meaning(piece, context) {
            Some(meaning) => add(&mut words, meaning.split(' ')),
            None => add(&mut words, piece.words().iter().map(String::as_str)),
        }
    }
    if words.len() > WORDS {
        words.drain(WORDS - LAST..words.len() - LAST);
    }
    words
}

/// What is written, without addresses, ids and numbers.
fn cleaned(text: &str) -> String {
    let mut kept: Vec<String> = Vec::new();
    for chunk in text.split_whitespace() {
        let pieces = of_chunk(chunk);
        let telling = |piece: &Piece<'_>| !piece.is_code() || piece.is_known();
        if is_plain(chunk) && !pieces.is_empty() && pieces.iter().all(telling) {
            kept.push(chunk.to_owned());
        } else {
            kept.extend(pieces.iter().flat_map(Piece::words));
        }
    }
    kept.join(" ")
}

/// A phrase that stands twice in a row says nothing more: codes are often followed by what they mean.
fn add<'w>(words: &mut Vec<String>, more: impl Iterator<Item = &'w str>) {
    const LONGEST: usize = 4;
    for word in more.filter(|word| !word.is_empty()) {
        words.push(word.to_owned());
        let end = words.len();
        let again = |length: &usize| words[end - 2 * length..end - length] == words[end - length..];
        if let Some(length) = (1..=LONGEST.min(end / 2)).find(again) {
            words.truncate(end - length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        in_words(text).join(" ")
    }

    #[test]
    fn says_in_words_what_codes_mean() {
        for (text, expected) in [
            ("connect ECONNREFUSED 10.0.3.7:5432", "connect connection refused"),
            ("HTTP 429", "http too many requests"),
            ("got status 503 Service Unavailable", "got status service unavailable"),
            (
                "ERROR: relation \"orders\" does not exist (SQLSTATE 42P01)",
                "error relation orders does not exist sqlstate undefined table",
            ),
            ("SQLSTATE[23505]", "sqlstate unique violation duplicate key"),
            ("sqlstate 08999", "sqlstate connection exception"),
            ("requests.exceptions.ConnectTimeout", "connect timeout"),
            ("KeyError: 'customer_id'", "key error missing key customer id"),
            ("process exited with code 137", "process exited with code killed out of memory"),
            (
                "getaddrinfo ENOTFOUND db.internal.example",
                "name resolution dns host name not found dns database internal",
            ),
            ("line 404 of the file", "line of the file"),
            ("took 500 ms", "took ms"),
            ("java.lang.NullPointerException", "null pointer exception"),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_model_sees_the_writing_beside_the_words() {
        for (text, expected) in [
            ("the card was declined", "the card was declined"),
            (
                "HTTP 403: token lacks scope \"orders:write\"",
                "HTTP 403: token lacks scope \"orders:write\" http forbidden permission denied token lacks scope orders write",
            ),
            ("connect ECONNREFUSED 10.0.3.7:5432", "connect ECONNREFUSED connect connection refused"),
            ("order 48121 not found", "order not found"),
            (" 12345 ::: ", ""),
        ] {
            assert_eq!(normalise(text), expected);
        }
    }

    #[test]
    fn drops_what_differs_from_run_to_run() {
        for (a, b) in [
            ("order 48121 not found", "order 7 not found"),
            (
                "request 3f2b8c1e-9d11-4c5e-8a55-0242ac120002 failed",
                "request 00000000-1111-2222-3333-444444444444 failed",
            ),
            ("cannot open /var/lib/app/42/orders.csv", "cannot open /data/tenant-b/orders.csv"),
            (
                "GET https://a.example/v1/orders/123?page=2 failed",
                "GET http://b.example:8080/v1/orders/77 failed",
            ),
            ("at 2026-03-01T10:00:00Z worker-7f9c4 died", "at 2025-01-31T23:59:59Z worker-0a1b2 died"),
            ("allocated 0x7ffde3a1 at", "allocated 0x00001234 at"),
            ("mail to ann@shop.example bounced", "mail to bob.lee@mail.example bounced"),
        ] {
            assert_eq!(words(a), words(b));
            assert_eq!(normalise(a), normalise(b));
            assert!(!words(a).is_empty());
        }
    }

    #[test]
    fn takes_names_apart() {
        assert_eq!(
            words("loadOrdersByID failed in fetch-all_items"),
            "load orders by id failed in fetch all items"
        );
        assert_eq!(words("JSONDecodeError"), "json decode error invalid json");
        assert_eq!(words("utf8 base64 sha256"), "utf8 base64 sha256");
    }

    #[test]
    fn a_trace_is_its_message() {
        let trace = "Traceback (most recent call last):\n  File \"/app/run.py\", line 3, in <module>\n    main(x)\n\
            ZeroDivisionError: division by zero\n";
        assert_eq!(words(trace), "zero division error division by zero");
        let java = "java.io.IOException: broken pipe\n\tat com.acme.Writer.write(Writer.java:31)\n\tat com.acme.Main.main(Main.java:5)";
        assert_eq!(words(java), "io exception broken pipe");
    }

    #[test]
    fn long_texts_keep_their_beginning_and_their_end() {
        let middle: Vec<String> =
            ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| format!("{a}{b}{a}"))).collect();
        let text = format!("first {} last", middle.join(" ").repeat(20));
        let normal = words(&text);
        assert!(normal.starts_with("first ") && normal.ends_with(" last"), "{normal}");
        assert_eq!(normal.split(' ').count(), WORDS);
        assert_eq!(words("  \u{0} 12345 ::: "), "");
    }

    #[test]
    fn other_languages_stay_as_they_are() {
        assert_eq!(words("Verbindung zum Rechner »db1« verweigert"), "verbindung zum rechner db1 verweigert");
        assert_eq!(words("接続が拒否されました"), "接続が拒否されました");
    }
}
