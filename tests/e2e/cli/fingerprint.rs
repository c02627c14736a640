//! `noetl fingerprint` over the real binary: files, pipes that pause, pipes that close.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use serde_json::Value;

use super::home::{Home, transcript};

const MESSAGES: &str = "connection to 10.0.0.1:5432 refused\n\
    step load took 12 ms\n\
    connection to 10.0.0.7:5433 refused\n\
    \n\
    step load took 7 ms\n\
    connection to 192.168.1.1:80 refused\n";

#[test]
fn a_file_becomes_a_table_of_templates() {
    let home = Home::new();
    home.write("app.log", MESSAGES);
    insta::assert_snapshot!(transcript(&home.noetl(&["fingerprint", "app.log"]), &home));
}

#[test]
fn json_names_every_line_in_order() {
    let home = Home::new();
    home.write("app.log", MESSAGES);
    insta::assert_snapshot!(transcript(&home.noetl(&["fingerprint", "app.log", "--json"]), &home));
}

#[test]
fn a_missing_file_says_what_to_type() {
    let home = Home::new();
    insta::assert_snapshot!(transcript(&home.noetl(&["fingerprint", "nothing.log"]), &home));
}

#[test]
fn a_directory_says_what_to_type() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("logs")).expect("a directory");
    insta::assert_snapshot!(transcript(&home.noetl(&["fingerprint", "logs"]), &home));
}

#[test]
fn a_pause_of_the_input_is_enough_for_an_answer() {
    let home = Home::new();
    let mut child = home
        .command(&["fingerprint", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    // Not UTF-8, and a carriage return: both are lines like any other.
    for (number, line) in [(1, &b"job 17 \xff lost\n"[..]), (2, b"job 18 \xff lost\r\n"), (3, b"\n")] {
        input.write_all(line).expect("the binary reads");
        // The input stays open: only the pause can bring the answer.
        let answer = answers.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["line"], number);
        let template = if number == 3 { "" } else { "job <num> \u{fffd} lost" };
        assert_eq!(answer["template"], template);
        assert_eq!(answer["id"].as_str().expect("an id").len(), 16);
    }
    drop(input);
    assert!(answers.next().is_none() && child.wait().expect("our child").success());
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let home = Home::new();
    home.write("app.log", &MESSAGES.repeat(20_000));
    let mut child = home
        .command(&["fingerprint", "app.log", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut first = [0; 10];
    let mut answers = child.stdout.take().expect("a pipe");
    answers.read_exact(&mut first).expect("the first answer");
    drop(answers);
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert!(child.wait().expect("our child").success() && said.is_empty(), "{said}");
}
