//! `--payload JSON|@file`, `--input FILE` and `--set key=value`, merged into one payload.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use noetl_domain::finding::Severity;
use noetl_domain::{Map, Value, yaml};

use crate::problem::Problem;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Payload {
    /// Set one workload value; dots reach into maps, and values that read as JSON are typed (`n=3`, `on=true`)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Workload values as a JSON object, or `@FILE` (JSON or YAML), or `@-` for stdin
    #[arg(long, value_name = "JSON|@FILE", alias = "workload")]
    payload: Option<String>,
    /// Workload values from a JSON or YAML file
    #[arg(long, short = 'i', value_name = "FILE", hide_short_help = true)]
    input: Option<PathBuf>,
    /// Merge nested maps of the payload into the workload instead of replacing them
    #[arg(long)]
    pub(crate) merge: bool,
}

impl Payload {
    /// `--input` first, `--payload` over it, each `--set` over both.
    pub(crate) fn read(&self) -> anyhow::Result<Map> {
        let mut map = Map::new();
        if let Some(path) = &self.input {
            map.extend(object(&from_file(path)?, &path.display().to_string())?);
        }
        if let Some(text) = &self.payload {
            map.extend(match text.strip_prefix('@') {
                Some("-") => {
                    let text = std::io::read_to_string(std::io::stdin())
                        .with_context(|| Problem::usage("cannot read the payload from standard input"))?;
                    object(&text, "standard input")?
                }
                Some(path) => object(&from_file(Path::new(path))?, path)?,
                None => object(text, "--payload")?,
            });
        }
        for assignment in &self.set {
            let (key, value) = assignment.split_once('=').ok_or_else(|| {
                Problem::usage(format!("--set needs KEY=VALUE, not {assignment:?}"))
                    .hint("write it as --set name=value")
            })?;
            assign(&mut map, key.trim(), typed(value))?;
        }
        Ok(map)
    }

    /// Whether nested values must be merged rather than replaced: asked for, or implied by a dotted `--set`.
    pub(crate) fn is_deep(&self) -> bool {
        self.merge || self.set.iter().any(|text| text.split('=').next().is_some_and(|key| key.contains('.')))
    }
}

fn from_file(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| {
        Problem::usage(format!("cannot read the payload file {}", path.display()))
            .hint("name a JSON or YAML file in UTF-8, as --input FILE or --payload @FILE")
    })
}

fn object(text: &str, from: &str) -> anyhow::Result<Map> {
    let problem = |message: String| {
        Problem::usage(message)
            .hint(r#"a payload is one object, such as --payload '{"name": "Ada", "n": 3}'"#)
    };
    match parse(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(other) => Err(problem(format!("{from}: expected an object, found {}", kind(&other))).into()),
        Err(error) => Err(problem(format!("{from} is neither JSON nor YAML: {error}")).into()),
    }
}

/// A value as JSON or as YAML. JSON goes first: it is quicker, keeps long numbers, and its files may be larger than
/// the budgets of YAML allow.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let json_error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error.to_string(),
    };
    if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#')) {
        return Ok(Value::Null);
    }
    // Text that begins as JSON was meant as JSON, and its error says more; but `{a: 1}` is YAML's own short form.
    let document = yaml::parse(text);
    let mistake = document.findings.iter().find(|finding| finding.severity == Severity::Error);
    match (document.root, mistake) {
        (Some(root), None) => Ok(root.to_value()),
        (None, None) => Err(json_error),
        (_, Some(_)) if text.trim_start().starts_with(['{', '[']) => Err(json_error),
        (_, Some(finding)) => {
            Err(format!("{} at line {} column {}", finding.message, finding.span.line, finding.span.column))
        }
    }
}

/// JSON where it reads as JSON, text otherwise.
fn typed(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => match text {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            _ => Value::String(text.to_owned()),
        },
    }
}

fn assign(map: &mut Map, key: &str, value: Value) -> anyhow::Result<()> {
    let (head, rest) = match key.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (key, None),
    };
    if head.is_empty() {
        return Err(Problem::usage(format!("--set has an empty name in {key:?}"))
            .hint("write it as --set name=value")
            .into());
    }
    let Some(rest) = rest else {
        map.insert(head.to_owned(), value);
        return Ok(());
    };
    match map.entry(head.to_owned()).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(inner) => assign(inner, rest, value),
        other => {
            let mut inner = Map::new();
            assign(&mut inner, rest, value)?;
            *other = Value::Object(inner);
            Ok(())
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(payload: Option<&str>, set: &[&str]) -> Result<Value, String> {
        let payload = Payload {
            payload: payload.map(ToOwned::to_owned),
            set: set.iter().map(ToString::to_string).collect(),
            ..Payload::default()
        };
        payload.read().map(Value::Object).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_typed_and_dots_reach_into_maps() {
        let cases = [
            (None, vec!["n=3", "on=true", "name=Ada"], json!({"n": 3, "on": true, "name": "Ada"})),
            (None, vec!["id=007", "ids=[1,2]", "empty="], json!({"id": "007", "ids": [1, 2], "empty": ""})),
            (Some(r#"{"a": {"b": 1, "c": 2}}"#), vec!["a.b=5"], json!({"a": {"b": 5, "c": 2}})),
            (Some(r#"{"a": 1}"#), vec!["a.b.c=x=y"], json!({"a": {"b": {"c": "x=y"}}})),
            (None, vec![], json!({})),
        ];
        for (payload, set, expected) in cases {
            assert_eq!(read(payload, &set), Ok(expected), "{payload:?} {set:?}");
        }
    }

    #[test]
    fn files_are_read_as_yaml_or_json_whatever_they_are_called() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("input");
        for (text, expected) in [
            ("n: 3\nnested: {on: yes, off: false}\nlist:\n  - 1\n  - two\n", {
                json!({"n": 3, "nested": {"on": "yes", "off": false}, "list": [1, "two"]})
            }),
            (r#"{"n": 3}"#, json!({"n": 3})),
            ("# nothing yet\n", json!({})),
            ("", json!({})),
        ] {
            std::fs::write(&file, text).unwrap();
            let payloads = [
                Payload { input: Some(file.clone()), ..Payload::default() },
                Payload { payload: Some(format!("@{}", file.display())), ..Payload::default() },
            ];
            for payload in payloads {
                assert_eq!(payload.read().map(Value::Object).unwrap(), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused_in_words() {
        assert_eq!(read(Some("[1]"), &[]), Err("--payload: expected an object, found a list".to_owned()));
        assert!(read(Some("{nope"), &[]).unwrap_err().starts_with("--payload is neither JSON nor YAML"));
        let twice = read(Some("a: 1\nb:\n  a: 2\n  a: 3\n"), &[]).unwrap_err();
        assert!(
            twice.starts_with("--payload is neither JSON nor YAML") && twice.contains("line 4"),
            "{twice}"
        );
        assert_eq!(read(None, &["x"]), Err("--set needs KEY=VALUE, not \"x\"".to_owned()));
    }
}
