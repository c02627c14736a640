//! `save` and `sink` (playbooks.md 9): puts a result somewhere, with the tools that are there anyway.

use std::sync::Arc;

use indexmap::IndexMap;
use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Save, SaveOn, SetScope};
use noetl_domain::template::{self, Scope, View};
use noetl_domain::{Map, Value};

use crate::auth::{self, Auth};
use crate::fields;
use crate::pipeline::{Pipeline, Stop, guarded};
use crate::sql::{self, Flavour};
use crate::tool::{Output, TaskContext};

/// Runs every block whose time has come; the first that fails ends it.
pub(crate) async fn run(
    pipeline: &mut Pipeline<'_>,
    saves: &[Save],
    scope: &Scope,
    failed: bool,
    auth: Option<&Value>,
) -> Result<(), TaskError> {
    for save in saves {
        let is_due = match save.on {
            SaveOn::Success => !failed,
            SaveOn::Error => failed,
            SaveOn::Always => true,
        };
        if !is_due {
            continue;
        }
        let mut scope = scope.child();
        if let Some(result) = scope.lookup("result") {
            scope.bind("data", result);
        }
        if let Some(when) = &save.when
            && !pipeline.base.test(pipeline.job, &scope, when).await?
        {
            continue;
        }
        one(pipeline, save, scope, auth).await.map_err(|error| TaskError {
            message: format!("the result could not be saved to {}: {}", save.backend, error.message),
            code: Some(Code::SaveFailed.as_str().to_owned()),
            source: "save".into(),
            ..error
        })?;
    }
    Ok(())
}

async fn one(
    pipeline: &mut Pipeline<'_>,
    save: &Save,
    mut scope: Scope,
    auth: Option<&Value>,
) -> Result<(), TaskError> {
    let (job, base) = (pipeline.job, pipeline.base);
    let auth = match save.auth.as_ref().or(auth) {
        Some(written) => {
            let written = base.value(job, &scope, written).await?;
            auth::resolve(job, &written, Some(&base.keychain), &save.backend, None).await?
        }
        None => Auth::default(),
    };
    scope.bind("auth", View::map(Arc::new(auth.fields())));
    let data = data(pipeline, save, &scope).await?;
    let is_text =
        |key: &str| matches!(key, "statement" | "command" | "commands" | "code" | "data" | "args" | "from");
    let plain: Map = save
        .config
        .iter()
        .filter(|(key, _)| !is_text(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let config = base.map(job, &scope, &plain).await?;
    match save.backend.to_ascii_lowercase().as_str() {
        "event_log" | "event" | "log" => {
            let shown = format!("saved {}", data.as_ref().map_or_else(|| "nothing".into(), Value::to_string));
            job.log(pipeline.index).line("noetl", "info", shown);
            Ok(())
        }
        "variable" | "var" | "vars" => {
            let Some(name) = config.get("name").and_then(Value::as_str) else {
                return Err(wrong("a variable needs `name`"));
            };
            pipeline.write(SetScope::Ctx, name, data.unwrap_or(Value::Null));
            Ok(())
        }
        backend @ ("postgres" | "sqlite") => {
            let flavour = if backend == "postgres" { Flavour::Postgres } else { Flavour::Sqlite };
            let statements = statements(pipeline, save, &scope, &config, data, flavour).await?;
            if statements.is_empty() {
                // A loop or a query that gave nothing.
                return Ok(());
            }
            let own = |key: &str| {
                matches!(
                    key,
                    "table"
                        | "mode"
                        | "key"
                        | "params"
                        | "batch"
                        | "chunk_size"
                        | "concurrency"
                        | "format"
                        | "name"
                        | "spec"
                )
            };
            let mut fields: Map = config
                .iter()
                .filter(|(key, _)| !own(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            fields.insert("commands".into(), statements.into());
            call(pipeline, backend, fields, Map::new(), auth).await
        }
        "http" => {
            let mut fields: Map = config.clone();
            fields.entry("method").or_insert_with(|| "POST".into());
            if let Some(data) = data {
                fields.insert("json".into(), data);
            }
            call(pipeline, "http", fields, Map::new(), auth).await
        }
        backend @ ("python" | "shell") => {
            let mut fields = config.clone();
            for key in ["code", "command", "cmds"] {
                if let Some(value) = save.config.get(key) {
                    let value = if backend == "python" {
                        value.clone()
                    } else {
                        base.value(job, &scope, value).await?
                    };
                    fields.insert(key.into(), value);
                }
            }
            let data = data.unwrap_or(Value::Null);
            let mut inputs = data.as_object().cloned().unwrap_or_default();
            inputs.insert("data".into(), data);
            call(pipeline, backend, fields, inputs, auth).await
        }
        "duckdb" | "s3" | "gcs" | "kv" | "vector" | "graph" | "bigquery" | "snowflake" | "clickhouse" => {
            Err(wrong(
                "this build does not have that backend; there are event_log, variable, postgres, sqlite, http, python and shell",
            ))
        }
        other => Err(wrong(&format!("there is no backend {other:?}"))),
    }
}

/// What is saved: `data`, `args` or `from`, and the result itself where none is written.
async fn data(pipeline: &Pipeline<'_>, save: &Save, scope: &Scope) -> Result<Option<Value>, TaskError> {
    let (job, base) = (pipeline.job, pipeline.base);
    for key in ["data", "args", "from"] {
        if let Some(written) = save.config.get(key).filter(|written| !written.is_null()) {
            return base.value(job, scope, written).await.map(Some);
        }
    }
    let whole = Value::String("{{ result }}".into());
    let value = base.value(job, scope, &whole).await?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

async fn statements(
    pipeline: &Pipeline<'_>,
    save: &Save,
    scope: &Scope,
    config: &Map,
    data: Option<Value>,
    flavour: Flavour,
) -> Result<Vec<String>, TaskError> {
    let (job, base) = (pipeline.job, pipeline.base);
    let mut written = Vec::new();
    for key in ["statement", "command", "commands", "query", "sql"] {
        match save.config.get(key) {
            Some(Value::String(text)) => written.push(text.as_str()),
            Some(Value::Array(items)) => written.extend(items.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    if !written.is_empty() {
        let params = config.get("params").cloned().or(data).unwrap_or(Value::Null);
        let mut statements = Vec::new();
        for text in written {
            if template::has_template(text) {
                statements.push(base.render(job, scope, |scope| template::render_text(text, scope)).await?);
                continue;
            }
            let rows = sql::insert::rows_of(params.clone());
            if rows.is_empty() {
                statements.push(text.to_owned());
            }
            statements.extend(rows.iter().map(|row| sql::bind::bind_named(text, row, flavour)));
        }
        return Ok(statements);
    }
    let Some(table) = config.get("table").and_then(Value::as_str) else {
        return Err(wrong("it needs `table` with `data`, or `statement`"));
    };
    let mode = match config.get("mode") {
        Some(mode) => {
            fields::text(mode).parse().map_err(|error: sql::insert::InsertError| wrong(&error.to_string()))?
        }
        None => sql::insert::Mode::default(),
    };
    let key = config.get("key").map(sql::insert::key_of).unwrap_or_default();
    let chunk = config.get("chunk_size").and_then(fields::integer).unwrap_or(500).clamp(1, 10_000) as usize;
    let insert = sql::insert::Insert { flavour, table, mode, key: &key, chunk };
    let data = data.unwrap_or(Value::Null);
    if data.as_array().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let rows = sql::insert::rows_of(data);
    insert.statements(&rows).map_err(|error| wrong(&error.to_string()))
}

/// Calls a tool the way a Task would.
async fn call(
    pipeline: &Pipeline<'_>,
    kind: &str,
    fields: Map,
    inputs: Map,
    auth: Auth,
) -> Result<(), TaskError> {
    let job = pipeline.job;
    let Some(tool) = job.services.registry.get(kind) else {
        return Err(wrong(&format!("this worker has no tool {kind}")));
    };
    let config = &job.services.config;
    let id = &job.command.id;
    let ctx = TaskContext {
        execution: id.execution,
        step: id.step.clone(),
        task: "save".into(),
        run: id.run,
        index: pipeline.index,
        attempt: 1,
        dialect: pipeline.step.dialect,
        inputs,
        context: Arc::default(),
        credential: auth.primary,
        aliases: IndexMap::clone(&auth.aliases),
        cancel: job.cancel.clone(),
        deadline: None,
        work_dir: config.work_dir.clone(),
        scratch_dir: config.scratch_dir.join(id.execution.to_string()),
        log: job.log(pipeline.index),
        meter: job.meter.clone(),
    };
    match guarded(tool, fields, &ctx).await {
        Ok(Ok(Output::Done { .. } | Output::Sleep { .. } | Output::Child(_))) => Ok(()),
        Ok(Err(failure)) => Err(failure.error),
        Err(Stop::Failed(result)) => Err(result.error.clone().unwrap_or_default()),
        Err(Stop::Parked(_) | Stop::Cancelled) => Err(TaskError::new("cancelled", "the work was cancelled")),
    }
}

fn wrong(message: &str) -> TaskError {
    TaskError::new("config", message)
}
