//! Credential files: `{name, type, data}` in JSON or YAML, one per file or a list of them.

use std::path::Path;

use anyhow::Context as _;
use noetl_api::credential::CredentialRequest;
use noetl_domain::Value;

use crate::problem::Problem;

pub(crate) fn read_all(path: &Path) -> anyhow::Result<Vec<CredentialRequest>> {
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
            let file = entry?.path();
            if file
                .extension()
                .is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension == *known))
            {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(Problem::usage(format!("there is no credential file in {}", path.display()))
                .hint("credential files end in .json, .yaml or .yml")
                .into());
        }
    } else {
        files.push(path.to_owned());
    }
    let mut credentials = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| {
            Problem::usage(format!("cannot read the credential file {}", file.display()))
                .hint("noetl credential register FILE")
        })?;
        credentials.extend(parse(&text).with_context(|| {
            Problem::usage(format!("{} is not a credential", file.display()))
                .hint(r#"write it as {"name": "pg", "type": "postgres", "data": {"db_host": "127.0.0.1"}}"#)
        })?);
    }
    Ok(credentials)
}

fn parse(text: &str) -> anyhow::Result<Vec<CredentialRequest>> {
    let value = crate::payload::parse(text).map_err(anyhow::Error::msg)?;
    let list = match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    list.into_iter()
        .map(|value| {
            let credential: CredentialRequest = serde_json::from_value(value)?;
            anyhow::ensure!(!credential.name.trim().is_empty(), "the field `name` is missing");
            anyhow::ensure!(!credential.kind.trim().is_empty(), "the field `type` is missing");
            Ok(credential)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_credential_or_several_and_each_is_complete() {
        let one = parse(r#"{"name": "pg", "type": "postgres", "data": {"db_host": "h"}}"#).unwrap();
        assert_eq!((one[0].name.as_str(), one[0].kind.as_str()), ("pg", "postgres"));
        assert_eq!(parse(r#"[{"name": "a", "type": "x"}, {"name": "b", "type": "y"}]"#).unwrap().len(), 2);
        let yaml = parse("name: pg\ntype: postgres\ndata:\n  db_host: h\n  db_port: 5432\n").unwrap();
        assert_eq!((yaml[0].name.as_str(), &yaml[0].data["db_port"]), ("pg", &Value::from(5432)));
        assert_eq!(parse("- {name: a, type: x}\n- {name: b, type: y}\n").unwrap().len(), 2);
        assert!(parse(r#"{"type": "postgres"}"#).unwrap_err().to_string().contains("`name`"));
        assert!(parse(r#"{"name": "pg"}"#).unwrap_err().to_string().contains("`type`"));
    }
}
