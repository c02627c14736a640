//! Tools by kind, with their input types erased.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::provider::Providers;
use crate::tool::{Failure, Output, TaskContext, Tool};
use crate::tools;
use crate::tools::python::PythonPool;

/// Every Tool this worker can run.
#[derive(Debug)]
pub struct Registry {
    tools: BTreeMap<&'static str, Box<dyn AnyTool>>,
}

/// What lint, `noetl tools` and forms know about a Tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolSchema {
    pub about: String,
    /// JSON Schema of the tool's fields.
    pub schema: Value,
}

impl Registry {
    /// The built-in Tools: one line each.
    pub(crate) fn builtin(python: tools::python::Config, providers: Arc<Providers>) -> Self {
        let mut registry = Self { tools: BTreeMap::new() };
        registry.add(tools::http::Http::default());
        registry.add(tools::noop::Noop);
        registry.add(tools::playbook::Playbook);
        registry.add(tools::playbooks::Playbooks);
        registry.add(tools::postgres::Postgres::default());
        registry.add(tools::python::Python::new(PythonPool::new(python)));
        registry.add(tools::secrets::Secrets(providers));
        registry.add(tools::shell::Shell);
        registry.add(tools::sleep::Sleep);
        registry.add(tools::sqlite::Sqlite);
        registry
    }

    pub fn add<T: Tool>(&mut self, tool: T) {
        self.tools.insert(T::KIND, Box::new(tool));
    }

    /// Looks a kind up, older spellings and versioned plugins (`http-handler:0_1_0`) included.
    pub(crate) fn get(&self, kind: &str) -> Option<&dyn AnyTool> {
        self.tools.get(canonical(kind)).map(Box::as_ref)
    }

    /// Lets every Tool prepare what is slow the first time; needs a Tokio runtime and returns at once.
    pub(crate) fn warm(&self) {
        self.tools.values().for_each(|tool| tool.warm());
    }

    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.tools.keys().copied()
    }
}

/// The kind that an older or longer spelling stands for.
pub fn canonical(kind: &str) -> &str {
    let plain = kind.split(':').next().unwrap_or(kind);
    match plain {
        "http-handler" | "https" | "rest" => "http",
        "script" | "bash" | "sh" | "command" => "shell",
        "secret" => "secrets",
        "sink" => "save",
        "start" | "end" | "router" => "noop",
        "postgresql" | "pg" => "postgres",
        "sqlite3" => "sqlite",
        "wait" | "delay" => "sleep",
        _ => plain,
    }
}

/// The fields of every built-in Tool, by kind.
pub fn schemas() -> BTreeMap<String, ToolSchema> {
    let registry = Registry::builtin(tools::python::Config::default(), Arc::default());
    registry
        .tools
        .into_iter()
        .map(|(kind, tool)| {
            (kind.to_owned(), ToolSchema { about: tool.about().to_owned(), schema: tool.schema() })
        })
        .collect()
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Output, Failure>> + Send + 'a>>;

/// A [`Tool`] without its type.
pub(crate) trait AnyTool: Send + Sync {
    fn kind(&self) -> &'static str;
    fn about(&self) -> &'static str;
    fn schema(&self) -> Value;
    fn raw(&self) -> &'static [&'static str];
    fn warm(&self);
    fn text(&self) -> &'static [&'static str];
    fn run<'a>(&'a self, fields: Map, ctx: &'a TaskContext) -> Running<'a>;
}

impl std::fmt::Debug for dyn AnyTool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

impl<T: Tool> AnyTool for T {
    fn kind(&self) -> &'static str {
        T::KIND
    }

    fn about(&self) -> &'static str {
        T::ABOUT
    }

    fn schema(&self) -> Value {
        schemars::schema_for!(T::Input).to_value()
    }

    fn warm(&self) {
        Tool::warm(self);
    }

    fn raw(&self) -> &'static [&'static str] {
        T::RAW
    }

    fn text(&self) -> &'static [&'static str] {
        T::TEXT
    }

    fn run<'a>(&'a self, fields: Map, ctx: &'a TaskContext) -> Running<'a> {
        match read::<T::Input>(fields) {
            Ok(input) => Box::pin(Tool::run(self, input, ctx)),
            Err(error) => {
                let message = format!("the fields of this {} task are wrong: {error}", T::KIND);
                let error = TaskError::new("config", message).with_code("TL002");
                Box::pin(std::future::ready(Err(error.into())))
            }
        }
    }
}

fn read<I: DeserializeOwned>(fields: Map) -> Result<I, serde_json::Error> {
    serde_json::from_value(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_an_object_schema_and_a_sentence() {
        let schemas = schemas();
        assert!(schemas.len() >= 7);
        for (kind, tool) in schemas {
            assert_eq!(tool.schema["type"], "object", "{kind}");
            assert!(!tool.about.is_empty(), "{kind}");
        }
    }

    #[test]
    fn old_spellings_find_their_tool() {
        let registry = Registry::builtin(tools::python::Config::default(), Arc::default());
        for (written, kind) in [("http-handler:0_1_0", "http"), ("bash", "shell"), ("secret", "secrets")] {
            assert_eq!(registry.get(written).map(AnyTool::kind), Some(kind));
        }
        assert!(registry.get("quantum").is_none());
    }
}
