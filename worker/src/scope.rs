//! What templates on the worker may read, and how what they touch is fetched while they render.
//!
//! Templates render without waiting. What they touch and is not there yet (a large result, a token, a secret) is noted,
//! fetched, and the template is rendered again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use noetl_domain::command::{ScopeData, StepResult};
use noetl_domain::error::TaskError;
use noetl_domain::result::Stored;
use noetl_domain::template::{self, Ambient, Scope, Source, View};
use noetl_domain::{Map, Value};

use crate::job::{Job, now_ms};
use crate::provider::Place;
use crate::{auth, keychain, secret};

/// How often one template may come back for more.
const ROUNDS: usize = 64;

/// The scope of a whole Command; Iterations and Tasks put layers over it.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) scope: Scope,
    pub(crate) data: Arc<ScopeData>,
    pub(crate) inputs: Arc<Map>,
    /// Keychain entries by name.
    pub(crate) keychain: Arc<Map>,
    wanted: Arc<Wanted>,
}

/// Secrets that templates asked for by name.
#[derive(Debug, Default)]
struct Wanted {
    known: Mutex<HashMap<Want, Value>>,
    asked: Mutex<Vec<Want>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Want {
    /// `token('name')`, or `token('name', 'audience')` for an ID token.
    Token(String, Option<String>),
    /// `secret.NAME`.
    Secret(String),
}

impl Base {
    pub(crate) async fn new(job: &Job) -> Result<Self, TaskError> {
        let inline = |result: &Arc<StepResult>| match &result.value {
            Stored::Inline(value) if secret::is_marked(value) => Some(Arc::clone(result)),
            Stored::Inline(_) | Stored::Ref(_) => None,
        };
        let marked: Vec<_> = job.command.scope.steps.values().filter_map(inline).collect();
        let results = marked.iter().filter_map(|result| match &result.value {
            Stored::Inline(value) => Some(value),
            Stored::Ref(_) => None,
        });
        job.fetch_marked(results.chain(job.command.scope.ctx.values()).chain(job.command.inputs.values()))
            .await?;
        let (data, inputs) = revealed(job);
        let ambient = Ambient { now_ms: now_ms(), seed: rand::random() };
        let mut scope = Scope::new(ambient);
        template::bind_shared(&mut scope, Arc::clone(&data), Arc::clone(&inputs));
        let wanted = Arc::new(Wanted::default());
        scope.bind("env", View::namespace(Arc::new(Environment)));
        if data.steps.get("secret").is_none() && !data.workload.contains_key("secret") {
            scope.bind("secret", View::namespace(Arc::new(SecretNames(Arc::clone(&wanted)))));
        }
        let asking = Arc::clone(&wanted);
        scope.function(
            "token",
            Arc::new(move |arguments: &[Value]| {
                let audience = arguments.get(1).map(|given| given.get("audience").unwrap_or(given));
                match (arguments.first(), audience) {
                    (Some(Value::String(name)), None) => Ok(asking.ask(Want::Token(name.clone(), None))),
                    (Some(Value::String(name)), Some(Value::String(audience))) => {
                        Ok(asking.ask(Want::Token(name.clone(), Some(audience.clone()))))
                    }
                    _ => {
                        Err("token(name, audience) takes the name of a credential and an address".to_owned())
                    }
                }
            }),
        );
        let mut base = Self { scope, data, inputs, keychain: Arc::default(), wanted };
        if !job.command.keychain.is_empty() {
            base.keychain = Arc::new(Box::pin(keychain::resolve(job, &base)).await?);
            base.scope.bind("keychain", View::map(Arc::clone(&base.keychain)));
        }
        Ok(base)
    }

    /// Renders, fetching what the template touches, until nothing is missing.
    pub(crate) async fn render<T, E>(
        &self,
        job: &Job,
        scope: &Scope,
        render: impl Fn(&Scope) -> Result<T, E>,
    ) -> Result<T, TaskError>
    where
        TaskError: From<E>,
    {
        for _ in 0..ROUNDS {
            let rendered = render(scope);
            let missing = scope.missing();
            let asked = self.wanted.take();
            if missing.is_empty() && asked.is_empty() {
                return rendered.map_err(TaskError::from);
            }
            for reference in missing {
                let value = job.services.results.get(&reference).await.map_err(|error| {
                    TaskError::new("missing_reference", format!("a large result cannot be read: {error}"))
                })?;
                scope.provide(&reference, value);
            }
            for want in asked {
                let value = Box::pin(fetch(job, &want)).await?;
                job.learn(&value);
                self.wanted.put(want, value);
            }
        }
        Err(TaskError::new("template", "a template keeps asking for more results than can be loaded"))
    }

    /// As [`Base::render`], and names that nothing provides are noted for a warning.
    pub(crate) async fn noted<T, E>(
        &self,
        job: &Job,
        scope: &Scope,
        render: impl Fn(&Scope) -> Result<T, E>,
    ) -> Result<T, TaskError>
    where
        TaskError: From<E>,
    {
        let rendered = self.render(job, scope, render).await;
        let undefined = scope.undefined();
        if !undefined.is_empty() {
            job.note_undefined(undefined);
        }
        rendered
    }

    pub(crate) async fn value(&self, job: &Job, scope: &Scope, value: &Value) -> Result<Value, TaskError> {
        if has_template(value) {
            self.noted(job, scope, |scope| template::render(value, scope)).await
        } else {
            Ok(value.clone())
        }
    }

    pub(crate) async fn map(&self, job: &Job, scope: &Scope, map: &Map) -> Result<Map, TaskError> {
        if map.iter().any(|(key, value)| template::has_template(key) || has_template(value)) {
            self.noted(job, scope, |scope| template::render_map(map, scope)).await
        } else {
            Ok(map.clone())
        }
    }

    pub(crate) async fn test(
        &self,
        job: &Job,
        scope: &Scope,
        condition: &noetl_domain::playbook::Expr,
    ) -> Result<bool, TaskError> {
        let answer = self.render(job, scope, |scope| template::test(condition, scope)).await;
        // A condition asks whether something is there; that nothing is, is an answer.
        scope.undefined();
        answer
    }

    /// Values by name, for tools that hand a whole context to code.
    pub(crate) async fn context(&self, job: &Job) -> Result<Map, TaskError> {
        let mut context = Map::clone(&self.data.workload);
        for (name, result) in &self.data.steps {
            let value = match &result.value {
                Stored::Inline(value) => value.clone(),
                Stored::Ref(reference) => {
                    let loaded = job.services.results.get(reference).await.map_err(|error| {
                        TaskError::new(
                            "missing_reference",
                            format!("the result of {name} cannot be read: {error}"),
                        )
                    })?;
                    Value::clone(&loaded)
                }
            };
            context.insert(name.clone(), value);
        }
        context.extend(self.data.ctx.clone());
        context.insert("workload".into(), Value::Object(Map::clone(&self.data.workload)));
        for (name, value) in self.data.system.iter() {
            context.insert(name.clone(), value.clone());
        }
        Ok(context)
    }
}

/// Whether anything inside is a template.
pub(crate) fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => template::has_template(text),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(map) => {
            map.iter().any(|(key, value)| template::has_template(key) || has_template(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The Command's scope with every secret marker opened; nothing is copied when there is none.
fn revealed(job: &Job) -> (Arc<ScopeData>, Arc<Map>) {
    let mut data = job.command.scope.clone();
    let is_marked = |map: &Map| map.values().any(secret::is_marked);
    let open = |map: &mut Map| map.values_mut().for_each(|value| job.reveal(value));
    if is_marked(&data.ctx) {
        open(&mut data.ctx);
    }
    for result in data.steps.values_mut() {
        let Stored::Inline(value) = &result.value else { continue };
        if secret::is_marked(value) {
            let mut opened = StepResult::clone(result);
            if let Stored::Inline(value) = &mut opened.value {
                job.reveal(value);
            }
            *result = Arc::new(opened);
        }
    }
    let mut inputs = job.command.inputs.clone();
    if is_marked(&inputs) {
        open(&mut inputs);
    }
    (Arc::new(data), Arc::new(inputs))
}

impl Wanted {
    /// The value when it is known; otherwise null, and a note that it is wanted.
    fn ask(&self, want: Want) -> Value {
        if let Some(value) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&want) {
            return value.clone();
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.contains(&want) {
            asked.push(want);
        }
        Value::Null
    }

    fn take(&self) -> Vec<Want> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, want: Want, value: Value) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(want, value);
    }
}

async fn fetch(job: &Job, want: &Want) -> Result<Value, TaskError> {
    match want {
        Want::Token(name, audience) => {
            let credential = auth::open(job, name).await?;
            auth::token(job, credential, audience.as_deref()).await.map(Value::String)
        }
        Want::Secret(name) => {
            if let Some(value) = job.services.providers.known(&Place::new("env", name, &Map::new())) {
                return Ok(Value::String(value));
            }
            let credential = auth::open(job, name).await?;
            auth::token(job, credential, None).await.map(Value::String)
        }
    }
}

/// `env.NAME`: the worker's environment, without the platform's own keys.
#[derive(Debug)]
struct Environment;

impl Source for Environment {
    fn get(&self, name: &str) -> Option<View> {
        if secret::is_own(name) {
            return None;
        }
        std::env::var(name).ok().map(View::text)
    }
}

#[derive(Debug)]
struct SecretNames(Arc<Wanted>);

impl Source for SecretNames {
    fn get(&self, name: &str) -> Option<View> {
        match self.0.ask(Want::Secret(name.to_owned())) {
            Value::Null => None,
            value => Some(View::json(Arc::new(value))),
        }
    }
}
