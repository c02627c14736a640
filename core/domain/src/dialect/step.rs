//! One step of a workflow.

use super::body::{self, Made};
use super::fields::Fields;
use super::reader::{Met, Reader};
use super::task::{self, Place};
use super::{case, condition, keys, looped, pagination, policy, retry, routes, save, sets};
use crate::code::Code;
use crate::finding::Span;
use crate::playbook::{Dialect, Expr, Join, OutputPolicy, RouteMode, Step};
use crate::yaml::Node;
use crate::{Map, Value, template};

/// A step as read, with what only the whole workflow can settle.
pub(super) struct Read {
    pub(super) step: Step,
    pub(super) span: Span,
    pub(super) met: Met,
    /// `dialect:` of the canonical form.
    pub(super) fixed: Option<Dialect>,
    /// `next` or `case` says where to go.
    pub(super) routed: bool,
    /// Nothing at all says what it does.
    pub(super) toolless: bool,
    /// L0: ends the loop of the step named here.
    pub(super) end_loop: Option<String>,
}

pub(super) const DIALECTS: &[(&str, Dialect)] = &[
    ("first", Dialect::First),
    ("L0", Dialect::L0),
    ("A", Dialect::A),
    ("B", Dialect::B),
    ("C", Dialect::C),
    ("D", Dialect::D),
    ("E", Dialect::E),
];

pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    node: &'a Node,
    default_mode: Option<RouteMode>,
) -> Option<Read> {
    let mut fields = reader.fields(node, "a step")?;
    reader.met = Met::default();
    let named = fields.take("step").or_else(|| fields.take("name"));
    let Some(name) = named.and_then(|node| reader.text(node, "`step`")) else {
        reader.error_hint(Code::MissingKey, node.span, "a step has no name", "add `step: name`");
        return None;
    };
    let name = name.trim().to_owned();
    let path = format!("steps/{name}");
    reader.source.mark(path.clone(), node.span);
    let mut step = Step { name: name.clone(), ..Step::default() };
    if let Some(node) = fields.take_any(&["desc", "description"]) {
        step.description = reader.text(node, "`desc`");
    }
    fields.ignore(&["assert", "resources", "tags", "labels"]);
    let fixed = fields.take("dialect").and_then(|node| reader.word(node, "`dialect`", DIALECTS));
    guard(reader, &mut fields, &mut step, &path);

    let (routed, default_mode) = next(reader, &mut fields, &mut step, default_mode);
    if let Some(node) = fields.take("case") {
        step.cases = case::read(reader, node, &format!("{path}/case"));
    }
    // A step whose whole work is to save keeps its inputs for that.
    let flat_kind = fields.peek("tool").or(fields.peek("type")).and_then(Node::as_str);
    let saving = matches!(flat_kind, Some("save" | "sink"));
    if !saving {
        step.saves = save::take(reader, &mut fields, &format!("{path}/saves"));
        inputs(reader, &mut fields, &mut step, &path);
    }
    let vars = fields.take("vars");
    if let Some(node) = vars {
        reader.met(Dialect::B, Dialect::C);
        step.extracts = reader.map(node, &format!("{path}/vars"), "`vars`");
    }
    if fields.has("set") {
        reader.met(Dialect::E, Dialect::E);
    }
    step.sets = sets::take(reader, &mut fields, &path);
    let tries = fields.take("retry").map(|node| retry::read(reader, node, &format!("{path}/retry")));
    let loop_node = fields.take("loop");
    let read_loop = loop_node.map(|node| looped::read(reader, node, &name));
    let pages = read_loop.as_ref().and_then(|read| read.pagination).or_else(|| fields.take("pagination"));
    let repeat = pages.and_then(|node| pagination::read(reader, node, &format!("{path}/body/0/repeat")));
    step.looped = read_loop.and_then(|read| read.looped);
    if !matches!(flat_kind, Some("secrets" | "secret"))
        && let Some(node) = fields.take("as")
    {
        step.alias = reader.text(node, "`as`");
        if let Some(alias) = &step.alias {
            // The other name is a variable, so that every later template reads it.
            step.extracts.entry(alias.clone()).or_insert_with(|| Value::from("{{ result }}"));
        }
    }
    if let Some(node) = fields.take_any(&["pool", "execution_pool"]) {
        step.pool = reader.text(node, "`pool`");
    }
    if let Some(node) = fields.take("idempotent") {
        step.idempotent = reader.boolean(node, "`idempotent`");
    }
    if let Some(node) = fields.take("join") {
        let words = [("barrier", Join::Barrier), ("each_token", Join::EachToken)];
        step.join = reader.word(node, "`join`", &words).unwrap_or_default();
    }
    let end_loop = fields.take("end_loop").and_then(|node| reader.text(node, "`end_loop`"));
    if end_loop.is_some() {
        reader.met(Dialect::L0, Dialect::L0);
        if let Some(node) = fields.take("result") {
            step.extracts.extend(reader.map(node, &format!("{path}/vars"), "`result`"));
        }
    }
    output(reader, &mut fields, &mut step);
    let spec = fields.take("spec");

    let place =
        Place { step: &name, base: &path, label: &name, index: 0, within: step.looped.is_some(), flat: true };
    let made = body::read(reader, &mut fields, place, &step.inputs);
    let toolless = made.is_none();
    let made = made.unwrap_or_default();
    let flat = made.flat;
    fill(&mut step, made);
    if let Some(tries) = tries {
        add_tries(&mut step, tries);
    }
    if let (Some(repeat), Some(task)) = (repeat, step.body.first_mut()) {
        task.repeat = Some(repeat);
    }
    if let Some(node) = spec {
        self::spec(reader, node, &mut step, &path, default_mode);
    }
    if flat && let [only] = step.body.as_mut_slice() {
        task::http_data(only, false, &step.inputs);
    }
    leftovers(reader, &mut fields, &mut step, toolless, flat);
    // The tool's own inputs are the step's: routing may override them.
    if !step.pipeline
        && let [only] = step.body.as_mut_slice()
    {
        only.name.clone_from(&step.name);
        let (later, own) = std::mem::take(&mut only.inputs)
            .into_iter()
            .partition(|(_, value)| reads_inputs(value, &step.inputs));
        only.inputs = later;
        task::merge_missing(&mut step.inputs, own);
    }
    let toolless = toolless && end_loop.is_none() && step.looped.is_none();
    Some(Read { step, span: node.span, met: reader.met, fixed, routed, toolless, end_loop })
}

/// Whether a value is made from the Step's inputs, so that it can be rendered only after them.
fn reads_inputs(value: &Value, inputs: &Map) -> bool {
    !inputs.is_empty()
        && template::reads_paths(value).iter().any(|path| {
            let mut parts = path.split('.');
            let name = match parts.next() {
                Some("input" | "inputs" | "args" | "data") => parts.next(),
                root => root,
            };
            name.is_some_and(|name| inputs.contains_key(name))
        })
}

fn fill(step: &mut Step, made: Made) {
    step.body = made.tasks;
    step.pipeline = made.pipeline;
    step.looped = made.looped.or(step.looped.take());
    step.saves.extend(made.saves);
    for (key, value) in made.extracts {
        step.extracts.entry(key).or_insert(value);
    }
}

/// The tries of a single tool are its own; those of a pipeline are for the whole of it.
fn add_tries(step: &mut Step, tries: retry::Tries) {
    match step.body.as_mut_slice() {
        [only] if !step.pipeline => {
            only.retry = tries.retry;
            only.repeat = only.repeat.take().or(tries.repeat);
        }
        _ => step.retry = tries.retry,
    }
}

fn guard<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, step: &mut Step, path: &str) {
    let path = format!("{path}/guard");
    if let Some(node) = fields.take("when") {
        let when = reader.expr(node, &path, "`when`");
        add_guard(step, when);
    }
    if let Some(node) = fields.take("pass") {
        reader.met(Dialect::L0, Dialect::L0);
        let pass = reader.expr(node, &path, "`pass`");
        add_guard(step, pass.map(|pass| condition::not(&pass)));
    }
}

fn add_guard(step: &mut Step, more: Option<Expr>) {
    let Some(more) = more else { return };
    step.guard = Some(match step.guard.take() {
        Some(guard) => condition::and(&guard, &more),
        None => more,
    });
}

/// Reads `next`; a `spec.next_mode` beside it says how arcs are chosen.
fn next<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    step: &mut Step,
    default_mode: Option<RouteMode>,
) -> (bool, Option<RouteMode>) {
    let own = fields.peek("spec").and_then(|spec| spec.get("next_mode"));
    let own = own.and_then(|node| routes::mode(reader, node));
    let default_mode = own.or(default_mode);
    let Some(node) = fields.take("next") else { return (fields.has_any(&["case"]), default_mode) };
    step.routes = routes::read(reader, node, &step.name, default_mode);
    if let Some(mode) = own
        && node.as_list().is_some()
        && step.routes.mode == RouteMode::All
    {
        step.routes.mode = mode;
    }
    let routed =
        !step.routes.arcs.is_empty() || !step.routes.otherwise.is_empty() || fields.has_any(&["case"]);
    (routed, default_mode)
}

fn inputs<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, step: &mut Step, path: &str) {
    for (key, first, last) in [
        ("input", Dialect::E, Dialect::E),
        ("inputs", Dialect::E, Dialect::E),
        ("args", Dialect::B, Dialect::D),
        ("data", Dialect::A, Dialect::B),
        ("with", Dialect::L0, Dialect::C),
    ] {
        let Some(node) = fields.peek(key) else { continue };
        // A list belongs to a tool such as a container's `args`.
        if node.as_map().is_none()
            && fields.peek("tool").or(fields.peek("type")).is_some_and(|tool| tool.as_str().is_some())
        {
            continue;
        }
        fields.ignore(&[key]);
        reader.met(first, last);
        let values = reader.map(node, &format!("{path}/inputs"), &format!("`{key}`"));
        task::merge_missing(&mut step.inputs, values);
    }
}

/// `output: {store, output_select}` and `output_select`.
fn output<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, step: &mut Step) {
    let mut policy = OutputPolicy::default();
    if let Some(node) = fields.take("output_select") {
        policy.select = task::words(reader, node);
    }
    if fields.peek("output").is_some_and(|node| node.as_map().is_some())
        && let Some(mut output) = fields.take("output").and_then(|node| reader.fields(node, "`output`"))
    {
        if let Some(node) = output.take_any(&["output_select", "select"]) {
            policy.select = task::words(reader, node);
        }
        if let Some(node) = output.take("store") {
            let kind = node.get("kind").or(node.get("type")).unwrap_or(node);
            policy.store = reader.text(kind, "`store`");
        }
        output.ignore(&[
            "scope",
            "ttl",
            "preview",
            "inline_max_bytes",
            "max_inline_bytes",
            "publish",
            "as",
            "select_mode",
        ]);
        for entry in output.rest() {
            keys::unknown(reader, entry, "`output`", &["store", "output_select", "scope"]);
        }
    }
    if policy != OutputPolicy::default() {
        step.output = Some(policy);
    }
}

/// `spec` of a step: admission, lifecycle, failure, rules, timeout.
fn spec<'a>(reader: &mut Reader<'a>, node: &'a Node, step: &mut Step, path: &str, mode: Option<RouteMode>) {
    let Some(mut spec) = reader.fields(node, "`spec`") else { return };
    spec.ignore(&["next_mode", "desc", "emit", "exec"]);
    if let Some(node) = spec.take("timeout") {
        reader.source.mark(format!("{path}/timeout"), node.span);
        step.timeout_seconds = reader.seconds(node, "`timeout`");
    }
    if let Some(node) = spec.take_any(&["admit"]) {
        let admitted = policy::admission(reader, node, &format!("{path}/guard"));
        add_guard(step, admitted);
    }
    if let Some(node) = spec.take("retry") {
        let tries = retry::read(reader, node, &format!("{path}/retry"));
        add_tries(step, tries);
    }
    if let Some(node) = spec.take_any(&["result", "output"])
        && let Some(select) = node.get("output_select").or(node.get("select"))
    {
        step.output.get_or_insert_default().select = task::words(reader, select);
    }
    if let Some(node) = spec.take("policy") {
        step_policy(reader, node, step, path);
    }
    let _ = mode;
    for entry in spec.rest() {
        keys::unknown(
            reader,
            entry,
            "`spec`",
            &["policy", "timeout", "next_mode", "result", "admit", "retry"],
        );
    }
}

fn step_policy<'a>(reader: &mut Reader<'a>, node: &'a Node, step: &mut Step, path: &str) {
    let Some(mut policy) = reader.fields(node, "`policy`") else { return };
    if let Some(node) = policy.take("admit") {
        reader.met(Dialect::D, Dialect::E);
        let admitted = policy::admission(reader, node, &format!("{path}/guard"));
        add_guard(step, admitted);
    }
    if let Some(mut lifecycle) = policy.take("lifecycle").and_then(|node| reader.fields(node, "`lifecycle`"))
    {
        if let Some(node) = lifecycle.take_any(&["timeout_s", "timeout", "timeout_seconds"]) {
            reader.source.mark(format!("{path}/timeout"), node.span);
            step.timeout_seconds = reader.seconds(node, "`timeout_s`");
        }
        if let Some(node) = lifecycle.take_any(&["deadline_s", "deadline", "deadline_seconds"]) {
            step.deadline_seconds = reader.fixed_seconds(node, "`deadline_s`");
        }
        for entry in lifecycle.rest() {
            keys::unknown(reader, entry, "`lifecycle`", &["timeout_s", "deadline_s"]);
        }
    }
    if let Some(node) = policy.take("failure")
        && let Some(looped) = &mut step.looped
    {
        looped::failure(reader, node, looped);
    }
    if let Some(node) = policy.take("rules") {
        let rules = policy::rules(reader, node, &format!("{path}/body/0/rules"));
        for task in step.body.iter_mut().filter(|task| task.rules.is_empty()) {
            task.rules.clone_from(&rules);
        }
    }
    policy.ignore(&["emit", "exec"]);
    for entry in policy.rest() {
        keys::unknown(reader, entry, "`policy`", &["admit", "lifecycle", "failure", "emit", "rules", "exec"]);
    }
}

/// Keys beside `tool: {…}` that are the tool's, and keys that nobody knows.
fn leftovers<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    step: &mut Step,
    toolless: bool,
    flat: bool,
) {
    let path = format!("steps/{}/body/0", step.name);
    if let Some(node) = fields.take("timeout") {
        reader.source.mark(format!("steps/{}/timeout", step.name), node.span);
        if node.as_map().is_none() {
            step.timeout_seconds = reader.seconds(node, "`timeout`");
        }
    }
    if let Some(node) = fields.take("deadline") {
        step.deadline_seconds = reader.fixed_seconds(node, "`deadline`");
    }
    fields.ignore(&["name", "iterator"]);
    if toolless {
        return missing_tool(reader, fields, step);
    }
    if let [only] = step.body.as_mut_slice() {
        task::auth(reader, fields, only, &path);
        if let Some(node) = fields.take("eval") {
            reader.met(Dialect::D, Dialect::D);
            only.rules = policy::rules(reader, node, &format!("{path}/rules"));
        }
    } else {
        let credential = fields.take_any(&["auth", "credential", "credentials"]);
        if let Some(node) = credential {
            let value = reader.value(node, &format!("{path}/auth"));
            for task in &mut step.body {
                task.auth.get_or_insert_with(|| value.clone());
            }
        }
    }
    for entry in fields.rest() {
        let known = keys::TOOL_FIELDS.contains(&entry.key.as_str());
        match step.body.as_mut_slice() {
            [only] if known && !flat => {
                let value: Value = reader.entry_value(entry, &format!("{path}/config"));
                only.config.entry(entry.key.clone()).or_insert(value);
            }
            _ => keys::unknown(reader, entry, "a step", keys::STEP),
        }
    }
}

/// A step without a tool may route; keys that only a tool can use say that it was meant to have one.
fn missing_tool<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, step: &mut Step) {
    let marker = matches!(step.name.as_str(), "start" | "end");
    let mut orphan: Option<String> = None;
    for entry in fields.rest() {
        if keys::TOOL_FIELDS.contains(&entry.key.as_str()) || task::INPUTS.contains(&entry.key.as_str()) {
            orphan.get_or_insert_with(|| entry.key.clone());
        } else {
            keys::unknown(reader, entry, "a step", keys::STEP);
        }
    }
    if orphan.is_none() && !marker {
        let unused: [(&str, bool); 2] = [("args", !step.inputs.is_empty()), ("save", false)];
        orphan = unused.iter().find(|(_, used)| *used).map(|(key, _)| (*key).to_owned());
    }
    if let Some(key) = orphan {
        let message = format!("step `{}` has no tool that could use `{key}`", step.name);
        let span = reader.source.span(&format!("steps/{}", step.name));
        reader.error_hint(Code::MissingTool, span, message, "add for example `tool: { kind: python }`");
    }
}

/// No tool, nowhere to go and nothing to do: only `start` and `end` may be that.
pub(super) fn is_pointless(read: &Read) -> bool {
    if !read.toolless || matches!(read.step.name.as_str(), "start" | "end") {
        return false;
    }
    let step = &read.step;
    let works =
        !step.sets.is_empty() || !step.extracts.is_empty() || !step.saves.is_empty() || step.guard.is_some();
    !works && !read.routed
}

/// Only what is written, for steps that a tool's absence makes plain.
pub(super) fn empty(name: &str) -> Step {
    Step { name: name.to_owned(), inputs: Map::new(), ..Step::default() }
}
