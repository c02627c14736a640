//! What every template can see: the names of playbooks.md section 4, with the precedence stated there.

use std::sync::Arc;

use serde_json::Value as Json;

use super::scope::Scope;
use super::shape::status_words;
use super::view::{Source, View};
use crate::Map;
use crate::command::{ScopeData, StepResult};
use crate::error::TaskError;
use crate::result::{ResultKind, Stored};

/// Binds what an Execution offers to a Step: workload, variables, earlier results, ids, and the Step's inputs.
///
/// Ids win over everything; then come inputs, variables, results, workload.
pub fn bind_scope(scope: &mut Scope, data: &ScopeData, inputs: &Map) {
    bind_shared(scope, Arc::new(data.clone()), Arc::new(inputs.clone()));
}

/// As [`bind_scope`], without copying.
pub fn bind_shared(scope: &mut Scope, data: Arc<ScopeData>, inputs: Arc<Map>) {
    scope.source(Arc::new(Names { data, inputs }));
}

#[derive(Debug)]
struct Names {
    data: Arc<ScopeData>,
    inputs: Arc<Map>,
}

impl Source for Names {
    fn get(&self, name: &str) -> Option<View> {
        match name {
            "execution_id" | "catalog_id" => {
                if let Some(id) = View::member(&self.data.system, name) {
                    return Some(id);
                }
            }
            "job" => {
                if let Some(job) = self.job() {
                    return Some(job);
                }
            }
            "workload" => return Some(View::map(self.data.workload.clone())),
            "ctx" => return Some(View::context(self.data.clone())),
            "steps" => return Some(View::namespace(Arc::new(Steps(self.data.clone())))),
            "input" | "args" => return Some(self.input()),
            "data" if !self.inputs.is_empty() => return Some(self.input()),
            _ => {}
        }
        View::member(&self.inputs, name)
            .or_else(|| View::variable(&self.data, name))
            .or_else(|| Some(View::result(self.data.steps.get(name)?.clone())))
            .or_else(|| View::member(&self.data.workload, name))
            .or_else(|| View::member(&self.data.system, name))
            .or_else(|| self.namespace(name))
            .or_else(|| self.label(name))
    }

    /// Only names with hyphens matter here; a scope has no other use for the list.
    fn names(&self) -> Vec<String> {
        let steps = self.data.steps.iter();
        let labels = steps.filter_map(|(_, result)| labels(result)).flat_map(Map::keys);
        let names = self.data.steps.keys().chain(self.data.workload.keys()).chain(self.inputs.keys());
        names.chain(self.data.ctx.keys()).chain(labels).filter(|name| name.contains('-')).cloned().collect()
    }
}

impl Names {
    fn job(&self) -> Option<View> {
        if let Some(job) = View::member(&self.data.system, "job") {
            return Some(job);
        }
        let id = View::member(&self.data.system, "execution_id")?;
        Some(View::fields(["uuid", "id", "execution_id"].map(|name| (name, id.clone()))))
    }

    /// Names that mean something unless the playbook gives them a meaning of its own.
    fn namespace(&self, name: &str) -> Option<View> {
        match name {
            "vars" | "step" => Some(View::context(self.data.clone())),
            "data" => Some(self.input()),
            "tasks" => Some(View::namespace(Arc::new(Steps(self.data.clone())))),
            // The first generation's `spec.vars.x`; one fixture of the last one says `spec.x`.
            "spec" => {
                let workload = View::map(self.data.workload.clone());
                Some(View::envelope([("vars", workload.clone())], workload))
            }
            _ => None,
        }
    }

    fn input(&self) -> View {
        View::namespace(Arc::new(Input { data: self.data.clone(), inputs: self.inputs.clone() }))
    }

    /// A task of a finished pipeline, as the first generation names it.
    fn label(&self, name: &str) -> Option<View> {
        let result = self
            .data
            .steps
            .values()
            .rev()
            .find(|result| labels(result).is_some_and(|map| map.contains_key(name)))?;
        View::label(result.clone(), name)
    }
}

fn labels(result: &StepResult) -> Option<&Map> {
    match (&result.kind, &result.value) {
        (ResultKind::Pipeline, Stored::Inline(Json::Object(map))) => Some(map),
        _ => None,
    }
}

/// Results of earlier steps by name.
#[derive(Debug)]
struct Steps(Arc<ScopeData>);

impl Source for Steps {
    fn get(&self, name: &str) -> Option<View> {
        Some(View::result(self.0.steps.get(name)?.clone()))
    }

    fn names(&self) -> Vec<String> {
        self.0.steps.keys().cloned().collect()
    }
}

/// The inputs of the step; behind them the request's payload, as the first generation reads it.
#[derive(Debug)]
struct Input {
    data: Arc<ScopeData>,
    inputs: Arc<Map>,
}

impl Source for Input {
    fn get(&self, name: &str) -> Option<View> {
        View::member(&self.inputs, name).or_else(|| {
            let payload = self.data.system.get("payload")?.as_object()?.get(name)?;
            Some(View::json(Arc::new(payload.clone())))
        })
    }

    fn names(&self) -> Vec<String> {
        self.inputs.keys().cloned().collect()
    }
}

/// Binds the names of one Iteration; put it into a [`Scope::child`].
pub fn bind_iteration(scope: &mut Scope, iterator: &str, item: &Json, index: u64, total: Option<u64>) {
    let item = View::json(Arc::new(item.clone()));
    let parent = scope.lookup("iter");
    if let Some(ctx) = scope.lookup("ctx") {
        scope.bind("ctx", View::underlaid(ctx, [(iterator, item.clone())]));
    }
    scope.source(Arc::new(Iteration {
        iterator: iterator.to_owned(),
        item: item.clone(),
        index,
        total,
        parent,
    }));
    scope.bind(iterator, item);
}

/// Binds `<step>.result_index` for the Iterations of a looped step.
pub fn bind_result_index(scope: &mut Scope, step: &str, index: u64) {
    let fields = [("result_index", View::number(index))];
    let view = match scope.lookup(step) {
        Some(result) => View::window(fields, result),
        None => View::fields(fields),
    };
    scope.bind(step, view);
}

#[derive(Debug)]
struct Iteration {
    iterator: String,
    item: View,
    index: u64,
    total: Option<u64>,
    parent: Option<View>,
}

impl Source for Iteration {
    fn get(&self, name: &str) -> Option<View> {
        let index = || View::number(self.index);
        let total = || self.total.map_or_else(View::null, View::number);
        let first = || View::flag(self.index == 0);
        let last = || View::flag(self.total == Some(self.index + 1));
        Some(match name {
            "value" => self.item.clone(),
            "_index" => index(),
            "_total" => total(),
            "_first" => first(),
            "_last" => last(),
            "iter" => {
                let mut fields = vec![
                    (self.iterator.as_str(), self.item.clone()),
                    ("item", self.item.clone()),
                    ("index", index()),
                    ("_index", index()),
                    ("_total", total()),
                    ("_first", first()),
                    ("_last", last()),
                ];
                fields.extend(self.parent.clone().map(|parent| ("parent", parent)));
                View::fields(fields)
            }
            "_loop" | "loop" => View::fields([
                ("index", index()),
                ("index0", index()),
                ("current_index", index()),
                ("item", self.item.clone()),
                ("count", total()),
                ("size", total()),
                ("length", total()),
                ("total", total()),
                ("first", first()),
                ("last", last()),
                ("done", last()),
            ]),
            _ => return None,
        })
    }
}

/// The names of a finished call or step, for policies, sets, conditions and saves.
#[derive(Clone, Debug)]
pub struct OutcomeViews {
    /// `output` and `outcome`: `status` ok or error, `data`, `ref`, `error`, `http`, `pg`, `py`, `meta`; other names
    /// fall through to the result, and the bare name means it.
    pub output: View,
    pub result: View,
    /// The full envelope `{status, data, error, meta}`.
    pub this: View,
    pub response: View,
    pub error: View,
    status_code: View,
    success: bool,
}

/// `status`: `ok`, `error`, or the step's `COMPLETED`, `FAILED`, `SKIPPED`.
#[expect(clippy::needless_pass_by_value, reason = "views keep the result alive, so callers hand it over")]
pub fn outcome_view(status: &str, result: Arc<StepResult>, error: Option<&TaskError>) -> OutcomeViews {
    let error = error.or(result.error.as_ref());
    let error_view = View::error(error);
    let words = status_words(status, "ok");
    let (http, status_code) = http_view(&result, error);
    let reference = match &result.value {
        Stored::Ref(reference) => serde_json::to_value(reference).unwrap_or_default(),
        Stored::Inline(_) => Json::Null,
    };
    let meta = View::json(Arc::new(Json::Object(Map::new())));
    let code = error.and_then(|error| error.code.clone()).map_or_else(View::null, View::text);
    let details = error.map_or(Json::Null, |error| error.details.clone());
    let result_view = View::result(result.clone());
    let output = View::window(
        [
            ("status", words.clone()),
            ("data", result_view.clone()),
            ("result", result_view.clone()),
            ("response", result_view.clone()),
            ("ref", View::json(Arc::new(reference))),
            ("error", error_view.clone()),
            ("http", http),
            ("pg", View::fields([("code", code.clone()), ("sqlstate", code.clone())])),
            ("py", View::fields([("exception", code), ("traceback", View::json(Arc::new(details)))])),
            ("meta", meta.clone()),
            ("context", result_view.clone()),
        ],
        result_view.clone(),
    );
    let this = View::envelope(
        [
            ("status", status_words(status, "success")),
            ("data", result_view.clone()),
            ("error", error_view.clone()),
            ("meta", meta),
        ],
        View::window([("result", result_view.clone())], result_view.clone()),
    );
    let success = !matches!(status.to_ascii_lowercase().as_str(), "error" | "failed");
    let response = View::window([("error", error_view.clone())], result_view.clone());
    OutcomeViews { output, result: result_view, this, response, error: error_view, status_code, success }
}

impl OutcomeViews {
    /// Binds `output`, `outcome`, `result`, `this`, `response`, `error`.
    pub fn bind(&self, scope: &mut Scope) {
        scope.bind("output", self.output.clone());
        scope.bind("outcome", self.output.clone());
        scope.bind("result", self.result.clone());
        scope.bind("this", self.this.clone());
        scope.bind("response", self.response.clone());
        scope.bind("error", self.error.clone());
    }

    /// Binds what retry expressions read beside that: `attempt`, `max_attempts`, `status_code`, `success`, `data`.
    pub fn bind_retry(&self, scope: &mut Scope, attempt: u32, max_attempts: u32) {
        self.bind(scope);
        scope.bind("attempt", View::number(attempt));
        scope.bind("_attempt", View::number(attempt));
        scope.bind("max_attempts", View::number(max_attempts));
        scope.bind("status_code", self.status_code.clone());
        scope.bind("success", View::flag(self.success));
        scope.bind("data", self.result.clone());
    }
}

fn http_view(result: &Arc<StepResult>, error: Option<&TaskError>) -> (View, View) {
    let inline = match &result.value {
        Stored::Inline(value) => Some(value),
        Stored::Ref(reference) => Some(&reference.extracted),
    };
    let field = |name: &str| inline.and_then(|value| value.get(name)).cloned();
    let code = field("status_code").or_else(|| Some(Json::from(error?.status_code?))).unwrap_or_default();
    let headers =
        if result.kind == ResultKind::Http { field("headers").unwrap_or_default() } else { Json::Null };
    let code = View::json(Arc::new(code));
    let fields =
        [("status", code.clone()), ("status_code", code.clone()), ("headers", View::json(Arc::new(headers)))];
    (View::fields(fields), code)
}

/// An event at routing time. `names`: the first is its own, the others mean the same (section 6.4).
pub fn event_view(names: &[&str], step: &str, payload: View, timestamp_ms: i64) -> View {
    let name = View::words(names.iter().copied());
    View::fields([
        ("name", name.clone()),
        ("type", name),
        ("step", View::text(step)),
        ("payload", payload.clone()),
        ("data", payload),
        ("timestamp", View::text(super::ambient::timestamp(timestamp_ms))),
    ])
}
