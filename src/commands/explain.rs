//! `noetl explain CODE`: the page of an error Code.

use clap::Args;
use noetl_domain::code::Code;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::problem::Problem;

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Such as PB001; without it, every Code is listed
    code: Option<String>,
}

impl Explain {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some(text) = self.code else { return list(context) };
        let code: Code = text.parse().map_err(|_| unknown(&text))?;
        if context.json {
            output::json(&json!({ "code": code, "title": code.title(), "page": code.page() }))?;
        } else {
            output::text(code.page())?;
        }
        Ok(Exit::Success)
    }
}

fn list(context: &Context) -> anyhow::Result<Exit> {
    if context.json {
        let codes: Vec<_> =
            Code::ALL.iter().map(|code| json!({ "code": code, "title": code.title() })).collect();
        output::json(&codes)?;
    } else {
        let mut table = output::Table::new(&["CODE", "MEANING"]);
        for code in Code::ALL {
            table.row([code.to_string(), code.title().to_owned()]);
        }
        table.print()?;
    }
    Ok(Exit::Success)
}

fn unknown(text: &str) -> Problem {
    let near = Code::ALL
        .iter()
        .find(|code| code.as_str().eq_ignore_ascii_case(&text.replace(['-', '_', ' '], "")))
        .map(|code| format!("did you mean {code}? "))
        .unwrap_or_default();
    Problem::usage(format!("{text} is not a NoETL code"))
        .hint(format!("{near}`noetl explain` without a code lists all of them"))
}
