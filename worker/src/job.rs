//! A Command in hand: what every part of its work shares.

use std::sync::{Arc, Mutex, PoisonError};

use noetl_bus::results::Results;
use noetl_domain::command::Command;
use noetl_domain::error::TaskError;
use noetl_domain::mask::Masker;
use noetl_domain::report::LogLine;
use noetl_domain::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::credential::CredentialSource;
use crate::meter::Meter;
use crate::provider::Providers;
use crate::registry::Registry;
use crate::slot::Slot;
use crate::tool::Log;
use crate::{auth, secret};

/// What all Commands of a worker share.
pub struct Services {
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    pub(crate) credentials: Arc<dyn CredentialSource>,
    pub(crate) results: Results,
    pub(crate) providers: Arc<Providers>,
}

impl Services {
    pub fn new(mut config: Config, credentials: Arc<dyn CredentialSource>, results: Results) -> Self {
        // A task may change its interpreter's directory; a relative path would follow it.
        if let Ok(absolute) = std::path::absolute(&config.work_dir) {
            config.work_dir = absolute;
        }
        let providers = Arc::new(Providers::default());
        let registry = Registry::builtin(config.python.clone(), Arc::clone(&providers));
        Self { config, registry, credentials, results, providers }
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Takes the lines that tools print.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// One Command, with its secrets and its place among the worker's.
pub(crate) struct Job {
    pub(crate) services: Arc<Services>,
    pub(crate) command: Command,
    pub(crate) cancel: CancellationToken,
    pub(crate) slot: Slot,
    pub(crate) meter: Meter,
    sink: LogSink,
    secrets: Arc<Mutex<Secrets>>,
    undefined: Mutex<Vec<String>>,
}

/// Undefined names that one Report tells at most.
const MOST_UNDEFINED: usize = 20;

/// Everything secret that was opened for this Command.
#[derive(Default)]
struct Secrets {
    masker: Masker,
    /// Values that came from a marker, with the marker to put back.
    markers: Vec<(String, Value)>,
}

impl Job {
    pub(crate) fn new(
        services: Arc<Services>,
        command: Command,
        cancel: CancellationToken,
        slot: Slot,
        sink: LogSink,
    ) -> Self {
        Self {
            services,
            command,
            cancel,
            slot,
            meter: Meter::default(),
            sink,
            secrets: Arc::default(),
            undefined: Mutex::default(),
        }
    }

    /// A log for one Task; its lines are masked with whatever is known to be secret by then.
    pub(crate) fn log(&self, index: Option<u64>) -> Log {
        let (sink, secrets) = (Arc::clone(&self.sink), Arc::clone(&self.secrets));
        let (execution, step, run) =
            (self.command.id.execution, self.command.id.step.clone(), self.command.id.run);
        Log::new(move |stream, level, text| {
            let mut line = LogLine {
                execution,
                step: step.clone(),
                run,
                index,
                at_ms: now_ms(),
                stream: stream.to_owned(),
                level: level.to_owned(),
                text,
                fields: Value::Null,
            };
            secrets.lock().unwrap_or_else(PoisonError::into_inner).masker.line(&mut line);
            sink(line);
        })
    }

    /// Remembers names that a template read and nothing provides.
    pub(crate) fn note_undefined(&self, names: Vec<String>) {
        let mut known = self.undefined.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if known.len() < MOST_UNDEFINED && !known.contains(&name) {
                known.push(name);
            }
        }
    }

    pub(crate) fn undefined(&self) -> Vec<String> {
        std::mem::take(&mut self.undefined.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn learn_credential(&self, data: &Map) {
        self.with_secrets(|secrets| secrets.masker.learn_credential(data));
    }

    pub(crate) fn learn(&self, value: &Value) {
        self.with_secrets(|secrets| secrets.masker.learn(value));
    }

    /// Fetches what the markers inside these values stand for, so that [`Job::reveal`] finds it at hand.
    pub(crate) async fn fetch_marked(&self, values: impl Iterator<Item = &Value>) -> Result<(), TaskError> {
        let mut places = Vec::new();
        values.for_each(|value| secret::places(value, &mut places));
        for place in places {
            auth::secret(self, &place, None).await?;
        }
        Ok(())
    }

    /// Opens the markers inside a value that is about to be read by templates.
    pub(crate) fn reveal(&self, value: &mut Value) {
        self.with_secrets(|secrets| {
            let Secrets { masker, markers } = secrets;
            secret::reveal(value, &self.services.providers, &mut |opened, marker| {
                masker.learn(&Value::String(opened.to_owned()));
                if !markers.iter().any(|(known, _)| known == opened) {
                    markers.push((opened.to_owned(), marker.clone()));
                }
            });
        });
    }

    /// Takes secrets out of a value that leaves the worker: markers go back where they came from, the rest is masked.
    pub(crate) fn conceal(&self, value: &mut Value) {
        self.with_secrets(|secrets| {
            if secrets.masker.is_empty() && secrets.markers.is_empty() {
                return;
            }
            if !secrets.markers.is_empty() {
                put_back(value, &secrets.markers);
            }
            secrets.masker.record(value);
        });
    }

    pub(crate) fn conceal_map(&self, map: &mut Map) {
        if !map.is_empty() {
            let mut value = Value::Object(std::mem::take(map));
            self.conceal(&mut value);
            if let Value::Object(concealed) = value {
                *map = concealed;
            }
        }
    }

    pub(crate) fn conceal_error(&self, error: &mut TaskError) {
        self.with_secrets(|secrets| secrets.masker.error(error));
    }

    fn with_secrets<T>(&self, act: impl FnOnce(&mut Secrets) -> T) -> T {
        act(&mut self.secrets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn put_back(value: &mut Value, markers: &[(String, Value)]) {
    match value {
        Value::String(text) => {
            if let Some((_, marker)) = markers.iter().find(|(secret, _)| secret == text) {
                *value = marker.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put_back(item, markers)),
        Value::Object(map) => map.values_mut().for_each(|item| put_back(item, markers)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}
