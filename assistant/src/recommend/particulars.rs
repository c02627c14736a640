//! What exactly is to be changed: the credential, the field, the module, the pool, the value; and the command for it.

use noetl_api::diagnosis::Remedy;
use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::playbook::Step;

use crate::diagnosis::Hypothesis;
use crate::evidence::{Evidence, Said, reads_of};

#[derive(Default)]
pub(super) struct Particulars {
    pub(super) target: Option<String>,
    /// The rest of a sentence.
    pub(super) more: Option<String>,
    pub(super) command: Option<String>,
}

pub(super) fn of(at: &Evidence, winner: &Hypothesis, kind: Remedy) -> Particulars {
    let name = winner.root.step.as_deref().unwrap_or_default();
    let step = at.playbook().and_then(|playbook| playbook.step(name));
    let said = at.run.failure_of(name).map(|failure| Said::of(&failure.error)).unwrap_or_default();
    let quoted = || said.quoted.first().cloned();
    match kind {
        Remedy::RegisterCredential | Remedy::FixCredential | Remedy::RenewToken | Remedy::GrantPermission => {
            credential(at, step, kind)
        }
        Remedy::RaiseTimeout => timeout(step, winner.cause),
        Remedy::SlowDown | Remedy::Retry => wait(at, name),
        Remedy::InstallModule => {
            let module = quoted().map(|module| module.split('.').next().unwrap_or_default().to_owned());
            let command = module
                .as_ref()
                .filter(|module| is_plain(module))
                .map(|module| format!("pip install {module}"));
            Particulars { target: module, command, ..Particulars::default() }
        }
        Remedy::HandleEmpty => {
            let target = winner.subject.clone();
            let more = target
                .as_ref()
                .map(|path| format!("an arc such as `when: \"{{{{ {path} }}}}\"` asks for it"));
            Particulars { target, more, ..Particulars::default() }
        }
        Remedy::FixData | Remedy::AdaptSchema | Remedy::FixTemplate | Remedy::FixPlaybook => {
            Particulars { target: winner.subject.clone().or_else(quoted), ..Particulars::default() }
        }
        Remedy::FixSql => Particulars { target: object(at, name).or_else(quoted), ..Particulars::default() },
        Remedy::FixAddress | Remedy::RestoreService | Remedy::FixCertificate => {
            Particulars { target: address(step), ..Particulars::default() }
        }
        Remedy::RegisterPlaybook => {
            let path = field(step, "path").filter(|path| !path.contains("{{"));
            let command = Some("noetl register FILE".to_owned());
            Particulars { target: path, command, ..Particulars::default() }
        }
        Remedy::StartWorker => {
            let pool = step.and_then(|step| step.pool.clone());
            Particulars { target: pool, ..Particulars::default() }
        }
        Remedy::FixTool => Particulars {
            target: step.and_then(|step| Some(step.body.last()?.kind.clone())),
            ..Particulars::default()
        },
        Remedy::Rerun => {
            Particulars { command: Some(format!("noetl retry {}", at.run.id)), ..Particulars::default() }
        }
        _ => Particulars::default(),
    }
}

/// The credentials that the step names.
fn credential(at: &Evidence, step: Option<&Step>, kind: Remedy) -> Particulars {
    let Some(step) = step else { return Particulars::default() };
    let mut names: Vec<String> = Vec::new();
    for auth in step
        .body
        .iter()
        .flat_map(|task| task.auth.iter().chain(task.saves.iter().filter_map(|save| save.auth.as_ref())))
    {
        texts(auth, &mut names);
    }
    let reads = reads_of(at, &step.name);
    let resolved = names.iter().filter_map(|name| {
        if !name.contains("{{") {
            return Some(name.clone());
        }
        let path = name.trim_matches(|one: char| matches!(one, '{' | '}' | ' '));
        reads.iter().find(|read| read.path == path)?.now.as_ref()?.as_str().map(str::to_owned)
    });
    let known: Vec<String> = resolved.filter(|name| is_plain(name)).collect();
    // Where several are named, the one that is not there.
    let missing =
        |name: &String| at.credentials.iter().any(|fact| fact.name == *name && fact.found.is_none());
    let target = known.iter().find(|name| missing(name)).or_else(|| known.first()).cloned();
    let more = target.as_ref().map(|name| format!("its name is `{name}`"));
    let command = target.as_ref().map(|name| match kind {
        Remedy::RegisterCredential | Remedy::FixCredential | Remedy::RenewToken => {
            "noetl credential register FILE".to_owned()
        }
        _ => format!("noetl credential get {name}"),
    });
    Particulars { target, more, command }
}

fn texts(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => names.push(text.clone()),
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "credential" | "key" | "name" | "auth" | "secret")
                    || value.is_object()
                {
                    texts(value, names);
                }
            }
        }
        _ => {}
    }
}

fn timeout(step: Option<&Step>, cause: Cause) -> Particulars {
    let target = if cause == Cause::TimeoutStatement { "statement_timeout" } else { "timeout" };
    let own = step.and_then(|step| {
        step.timeout_seconds
            .clone()
            .or_else(|| step.body.iter().find_map(|task| task.config.get("timeout").cloned()))
    });
    let more = own.map(|value| format!("its timeout is {value} s now"));
    Particulars { target: Some(target.to_owned()), more, command: None }
}

/// How long the other side asks to be left alone.
fn wait(at: &Evidence, step: &str) -> Particulars {
    let headers = at.run.partial.get(step).and_then(|made| made.get("headers"));
    let asked = headers.and_then(|headers| headers.get("retry-after")).and_then(Value::as_str);
    let more = asked
        .filter(|asked| asked.len() < 40)
        .map(|asked| format!("the other side asks to wait (Retry-After: {asked})"));
    Particulars { target: None, more, command: None }
}

/// `no such table: orders`, `relation "orders" does not exist`
fn object(at: &Evidence, step: &str) -> Option<String> {
    let message = &at.run.failure_of(step)?.error.message;
    let (_, rest) = message.split_once("no such ")?;
    let name = rest.split_once(": ")?.1.split_whitespace().next()?;
    Some(name.trim_matches(|one: char| !(one.is_alphanumeric() || matches!(one, '_' | '.'))).to_owned())
}

/// Where the tool calls, as the playbook writes it.
fn address(step: Option<&Step>) -> Option<String> {
    ["url", "endpoint", "host", "path", "connection"].iter().find_map(|key| field(step, key))
}

fn field(step: Option<&Step>, key: &str) -> Option<String> {
    let text = step?.body.iter().rev().find_map(|task| task.config.get(key).and_then(Value::as_str))?;
    Some(text.chars().take(200).collect())
}

/// Safe to be typed as it stands.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 120
        && name.chars().all(|one| one.is_alphanumeric() || matches!(one, '_' | '-' | '.' | '/'))
        && !name.starts_with('-')
}
