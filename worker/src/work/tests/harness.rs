//! Runs steps of a playbook text as Commands, without a control plane.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use noetl_bus::results::Results;
use noetl_domain::command::{Command, Item, Resume, ScopeData, StepResult, Work};
use noetl_domain::dialect;
use noetl_domain::error::TaskError;
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::playbook::Playbook;
use noetl_domain::report::{LogLine, Outcome, Report};
use noetl_domain::result::Stored;
use noetl_domain::{Map, Value};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::credential::{Credential, CredentialSource, OpenError};
use crate::job::Services;

/// A worker's services, a workload, and what earlier steps left behind.
pub(super) struct Bench {
    pub(super) services: Arc<Services>,
    pub(super) folder: tempfile::TempDir,
    pub(super) inputs: Map,
    pub(super) lines: Arc<Mutex<Vec<LogLine>>>,
    pub(super) ctx: Map,
    steps: IndexMap<String, Arc<StepResult>>,
    head: String,
}

impl Bench {
    /// `head`: root keys of the playbook, such as its workload.
    pub(super) fn new(head: &str) -> Self {
        Self::with(head, &json!({}))
    }

    /// `credentials`: by name, `{type, data}`.
    pub(super) fn with(head: &str, credentials: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            work_dir: folder.path().to_owned(),
            scratch_dir: folder.path().join("scratch"),
            python: crate::tools::python::Config::from_env(),
            ..Config::default()
        };
        let vault = credentials.as_object().unwrap().iter().map(|(name, written)| {
            let kind = written["type"].as_str().unwrap().to_owned();
            let data = written["data"].as_object().unwrap().clone();
            (name.clone(), Credential { name: name.clone(), kind, data })
        });
        let vault = Arc::new(Vault(vault.collect()));
        let results = Results::open("memory://").unwrap();
        Self {
            services: Arc::new(Services::new(config, vault, results)),
            folder,
            inputs: Map::new(),
            lines: Arc::default(),
            ctx: Map::new(),
            steps: IndexMap::new(),
            head: head.to_owned(),
        }
    }

    /// Results above this many bytes go outside the log.
    pub(super) fn limit(&mut self, bytes: usize) {
        let Services { config, credentials, results, .. } = &*self.services;
        let config = Config { inline_limit: bytes, ..config.clone() };
        self.services = Arc::new(Services::new(config, Arc::clone(credentials), results.clone()));
    }

    /// As a worker that was started anew: nothing fetched before is at hand.
    pub(super) fn forget(&mut self) {
        let Services { config, credentials, results, .. } = &*self.services;
        self.services = Arc::new(Services::new(config.clone(), Arc::clone(credentials), results.clone()));
    }

    /// Makes a Report's result visible to the next step.
    pub(super) fn step_result(&mut self, name: &str, report: &Report) {
        let Outcome::Ok { kind, result } = &report.items[0].outcome else { panic!("{report:?}") };
        let result =
            StepResult { kind: *kind, status: "COMPLETED".into(), value: result.clone(), error: None };
        self.steps.insert(name.to_owned(), Arc::new(result));
    }

    pub(super) async fn run(&self, steps: &str) -> Report {
        self.work(steps, Work::Once { resume: None }).await
    }

    pub(super) async fn resume(&self, steps: &str, resume: Resume) -> Report {
        self.work(steps, Work::Once { resume: Some(resume) }).await
    }

    /// Iterations over these values.
    pub(super) async fn each(&self, steps: &str, values: &[Value], concurrency: u32) -> Report {
        let items = values.iter().zip(0..);
        let items = items.map(|(value, index)| Item { index, value: value.clone(), resume: None }).collect();
        self.work(steps, Work::Items { items, total: values.len() as u64, concurrency }).await
    }

    /// Works on the first step of the text.
    pub(super) async fn work(&self, steps: &str, work: Work) -> Report {
        let lines = Arc::clone(&self.lines);
        let sink = Arc::new(move |line| lines.lock().unwrap().push(line));
        let command = self.command(steps, work);
        crate::execute(Arc::clone(&self.services), command, CancellationToken::new(), sink).await
    }

    pub(super) fn command(&self, steps: &str, work: Work) -> Command {
        let playbook = self.playbook(steps);
        let execution = ExecutionId(7);
        let system = json!({"execution_id": execution.to_string(), "path": playbook.path});
        Command {
            id: CommandId { execution, step: playbook.steps[0].name.clone(), run: 1, batch: 0 },
            attempt: 1,
            issued: 1,
            path: playbook.path.clone(),
            version: 1,
            step: Arc::new(playbook.steps[0].clone()),
            work,
            inputs: self.inputs.clone(),
            scope: ScopeData {
                workload: Arc::new(playbook.workload.clone()),
                ctx: self.ctx.clone(),
                steps: self.steps.clone(),
                system: Arc::new(system.as_object().unwrap().clone()),
            },
            keychain: playbook.keychain.clone(),
            parent: None,
            pool: None,
        }
    }

    fn playbook(&self, steps: &str) -> Playbook {
        let mut text =
            String::from("apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: t, path: t }\n");
        writeln!(text, "{}\nworkflow:", self.head).unwrap();
        for line in steps.lines() {
            writeln!(text, "  {line}").unwrap();
        }
        let reading = dialect::read(&text);
        reading.playbook.unwrap_or_else(|| panic!("{:#?}\n{text}", reading.findings))
    }
}

/// The inline result of `Work::Once`.
pub(super) fn value_of(report: &Report) -> Value {
    match &report.items[0].outcome {
        Outcome::Ok { result: Stored::Inline(value), .. } => value.clone(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn error_of(report: &Report) -> (&TaskError, Value) {
    match &report.items[0].outcome {
        Outcome::Error { error, result: Stored::Inline(value), .. } => (error, value.clone()),
        other => panic!("{other:?}"),
    }
}

struct Vault(HashMap<String, Credential>);

impl CredentialSource for Vault {
    fn open<'a>(
        &'a self,
        name: &'a str,
        _: ExecutionId,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Credential, OpenError>> + Send + 'a>> {
        let found = self.0.get(name).cloned().ok_or_else(|| OpenError::Unknown(name.to_owned()));
        Box::pin(std::future::ready(found))
    }
}
