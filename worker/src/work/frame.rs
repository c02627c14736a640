//! Cursor loops (playbooks.md 7.4): claim a frame of rows with the author's SQL, then run the body for each row.

use std::sync::Arc;
use std::time::{Duration, Instant};

use noetl_domain::command::Item;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Cursor, LoopSource};
use noetl_domain::report::{ItemReport, Outcome};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::{self, View};
use noetl_domain::{Map, Value};
use serde_json::json;

use super::{is_fail_fast, many, rows_of};
use crate::auth;
use crate::fields;
use crate::job::Job;
use crate::pipeline::{Iteration, Pipeline, Stop, guarded};
use crate::registry;
use crate::scope::Base;
use crate::tool::{Output, TaskContext};

/// Key under which a parked pipeline keeps its row.
pub(super) const ROW: &str = "row";

pub(super) struct Frame {
    pub(super) claimed: u64,
    pub(super) items: Vec<ItemReport>,
}

pub(super) async fn run(job: &Job, base: &Base, lane: u32, max_rows: u32) -> Frame {
    match claim(job, base, max_rows).await {
        Ok((_, rows)) if rows.is_empty() => Frame { claimed: 0, items: Vec::new() },
        Ok((cursor, rows)) => {
            Frame { claimed: rows.len() as u64, items: process(job, base, cursor, rows, lane).await }
        }
        Err(Stop::Cancelled | Stop::Parked(_)) => Frame {
            claimed: 0,
            items: vec![ItemReport { outcome: Outcome::Cancelled, ..ItemReport::default() }],
        },
        Err(Stop::Failed(result)) => {
            let mut error = result.error.clone().unwrap_or_default();
            error.message = format!("the claim of a cursor loop failed: {}", error.message);
            job.conceal_error(&mut error);
            let outcome = Outcome::Error { error, kind: ResultKind::Plain, result: Stored::default() };
            Frame { claimed: 0, items: vec![ItemReport { outcome, ..ItemReport::default() }] }
        }
    }
}

async fn claim<'j>(job: &'j Job, base: &Base, max_rows: u32) -> Result<(&'j Cursor, Vec<Value>), Stop> {
    let step = &job.command.step;
    let Some(LoopSource::Cursor(cursor)) = step.looped.as_ref().map(|looped| &looped.source) else {
        return Err(TaskError::new("config", "this step has no cursor to claim rows with").into());
    };
    let kind = registry::canonical(&cursor.kind);
    let Some(tool) = job.services.registry.get(kind).filter(|_| matches!(kind, "postgres" | "sqlite")) else {
        let message = format!("cursor kind {:?} is not known; use postgres or sqlite", cursor.kind);
        return Err(TaskError::new("config", message).into());
    };
    let mut scope = base.scope.child();
    scope.bind("__frame_max_rows", View::number(max_rows));
    let auth = match &cursor.auth {
        Some(written) => {
            let written = base.value(job, &scope, written).await?;
            auth::resolve(job, &written, Some(&base.keychain), kind, None).await?
        }
        None => auth::Auth::default(),
    };
    let mut config = base.map(job, &scope, &cursor.config).await?;
    let statement = base.render(job, &scope, |scope| template::render_text(&cursor.claim, scope)).await?;
    config.insert("command".into(), statement.into());
    let settings = &job.services.config;
    let id = &job.command.id;
    let lease = Duration::try_from_secs_f64(cursor.lease_seconds).unwrap_or(Duration::from_mins(2));
    let ctx = TaskContext {
        execution: id.execution,
        step: id.step.clone(),
        task: "claim".into(),
        run: id.run,
        index: None,
        attempt: 1,
        dialect: step.dialect,
        inputs: Map::new(),
        context: Arc::default(),
        credential: auth.primary,
        aliases: auth.aliases,
        cancel: job.cancel.clone(),
        deadline: Instant::now().checked_add(lease),
        work_dir: settings.work_dir.clone(),
        scratch_dir: settings.scratch_dir.join(id.execution.to_string()),
        log: job.log(None),
        meter: job.meter.clone(),
    };
    match guarded(tool, config, &ctx).await? {
        Ok(Output::Done { value, .. }) => Ok((cursor, rows_of(&value))),
        Ok(Output::Sleep { .. } | Output::Child(_)) => Ok((cursor, Vec::new())),
        Err(failure) => Err(failure.error.into()),
    }
}

async fn process(job: &Job, base: &Base, cursor: &Cursor, rows: Vec<Value>, lane: u32) -> Vec<ItemReport> {
    if cursor.per_frame {
        let mut scope = base.scope.child();
        let frame = json!({"rows": rows, "count": rows.len(), "row_count": rows.len(), "lane": lane});
        scope.bind_json("frame", &frame);
        let value = Value::Array(rows);
        let iteration = Iteration { index: 0, value: &value, total: None };
        return vec![Pipeline::new(job, base, scope, Some(iteration), None).run().await];
    }
    let items: Vec<Item> =
        rows.into_iter().zip(0..).map(|(value, index)| Item { index, value, resume: None }).collect();
    let concurrency = match base.value(job, &base.scope, &cursor.row_concurrency).await {
        Ok(written) => fields::integer(&written).unwrap_or(1).clamp(1, 1024) as u32,
        Err(_) => 1,
    };
    let mut reports = many(job, base, &items, None, concurrency, is_fail_fast(job)).await;
    for report in &mut reports {
        if let Outcome::Parked { state, .. } = &mut report.outcome
            && let Some(item) = items.get(report.index as usize)
        {
            state.extra.insert(ROW.to_owned(), item.value.clone());
        }
    }
    reports
}
