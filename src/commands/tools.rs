//! `noetl tools [KIND]`: what steps can do, and with which fields.

use std::collections::BTreeMap;

use clap::Args;
use noetl_domain::{Map, Value};
use noetl_worker::registry::{self, ToolSchema};

use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Tools {
    /// Show the fields of this tool; without it, every tool is listed
    #[arg(value_name = "[show] KIND", num_args = 0..=2)]
    words: Vec<String>,
}

impl Tools {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let schemas = registry::schemas();
        match self.words.iter().find(|word| !matches!(word.as_str(), "show" | "list")) {
            Some(kind) => show(context, &schemas, kind)?,
            None => list(context, &schemas)?,
        }
        Ok(Exit::Success)
    }
}

fn list(context: &Context, schemas: &BTreeMap<String, ToolSchema>) -> anyhow::Result<()> {
    if context.json {
        return output::json(schemas);
    }
    let mut table = output::Table::new(&["TOOL", "WHAT IT DOES"]);
    for (kind, tool) in schemas {
        table.row([kind.clone(), tool.about.clone()]);
    }
    table.print()
}

fn show(context: &Context, schemas: &BTreeMap<String, ToolSchema>, kind: &str) -> anyhow::Result<()> {
    let tool = schemas.get(registry::canonical(kind)).ok_or_else(|| {
        Problem::usage(format!("there is no tool {kind:?}"))
            .code(noetl_domain::code::Code::UnknownTool)
            .hint("`noetl tools` lists every tool")
    })?;
    if context.json {
        return output::json(tool);
    }
    output::text(&format!("{}: {}\n", registry::canonical(kind), tool.about))?;
    let required: Vec<&str> =
        tool.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let empty = Map::new();
    let fields = tool.schema["properties"].as_object().unwrap_or(&empty);
    let mut table = output::Table::new(&["FIELD", "TYPE", "WHAT IT IS"]);
    for (name, field) in fields {
        let mark = if required.contains(&name.as_str()) { " (required)" } else { "" };
        let about = field["description"].as_str().unwrap_or_default().replace('\n', " ");
        table.row([terminal::stdout_style().bold(name), type_of(field), format!("{about}{mark}")]);
    }
    table.print()
}

/// The type of a field in few words: `text`, `number or text`, `list`.
fn type_of(field: &Value) -> String {
    let mut words: Vec<String> = match &field["type"] {
        Value::String(one) => vec![word(one)],
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).filter(|one| *one != "null").map(word).collect()
        }
        _ => ["anyOf", "oneOf"]
            .iter()
            .filter_map(|key| field[*key].as_array())
            .flatten()
            .filter(|one| one["type"] != "null")
            .map(type_of)
            .collect(),
    };
    words.dedup();
    match (words.is_empty(), field["$ref"].as_str()) {
        (true, Some(reference)) => reference.rsplit('/').next().unwrap_or("any").to_owned(),
        (true, None) => "any".to_owned(),
        (false, _) => words.join(" or "),
    }
}

fn word(json_type: &str) -> String {
    match json_type {
        "string" => "text",
        "object" => "map",
        "array" => "list",
        "integer" => "whole number",
        other => other,
    }
    .to_owned()
}
