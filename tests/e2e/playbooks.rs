//! Every playbook under `tests/playbooks` that says what must come out of it, run on the real binary.
//!
//! `NOETL_TEST_ONLY=name` runs only the playbooks whose name contains the text.

use std::process::{Command, Stdio};

use futures::StreamExt as _;
use noetl_test_service::Service;
use serde_json::Value;

use crate::app::{App, Cli, Options, binary};
use crate::expectation::{self, Case, fill};
use crate::judge::{self, Outcome};
use crate::place;
use crate::postgres::Database;

/// Playbooks of one family that run side by side.
const AT_ONCE: usize = 4;

/// Which text of a playbook is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    AsWritten,
    /// What `noetl convert` prints: the same graph in the newest words must give the same answer.
    Converted,
}

macro_rules! families {
    ($($family:ident)*) => {
        mod as_written { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $family() {
                super::family(stringify!($family), super::Form::AsWritten).await;
            }
        )* }
        mod converted { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $family() {
                super::family(stringify!($family), super::Form::Converted).await;
            }
        )* }
    };
}

families! { hello routing r#loop iterator_save retry pagination sub_playbook workbook vars policy shapes behaviour language kinds printed graph public }

async fn family(name: &str, form: Form) {
    let name = name.trim_start_matches("r#");
    let only = std::env::var("NOETL_TEST_ONLY").unwrap_or_default();
    let mut cases = expectation::cases(name);
    cases.retain(|case| case.name().contains(&only));
    let needs_database = cases.iter().any(|case| !case.expectation.needs.is_empty());
    let database = if needs_database { Some(Database::start().await) } else { None };
    let env = cases.iter().flat_map(|case| case.expectation.env.clone()).collect();
    let app = App::start_with(Options { env, cwd: Some(place::playbooks().join(name)) }).await;
    if let Some(database) = &database {
        for name in ["pg_local", "pg_k8s", "pg_noetl_k8s", "test_postgres"] {
            app.credential(&database.credential(name)).await;
        }
    }
    let (app, database) = (&app, database.as_ref());
    let results: Vec<(String, Vec<String>)> = futures::stream::iter(&cases)
        .map(async |case| (case.name(), run(app, database, case, form).await))
        .buffered(AT_ONCE)
        .collect()
        .await;

    let mut table = Vec::new();
    for (case, problems) in &results {
        let verdict = if problems.is_empty() { "pass" } else { "FAIL" };
        table.push(format!("{verdict}  {name}/{case}"));
        table.extend(problems.iter().map(|problem| format!("        {problem}")));
    }
    let table = table.join("\n");
    eprintln!("{table}");
    let failed = results.iter().filter(|(_, problems)| !problems.is_empty()).count();
    assert!(failed == 0, "{failed} of {} playbooks of {name} are wrong:\n{table}", results.len());
    assert!(!results.is_empty() || !only.is_empty(), "the family {name} has no playbooks");
}

fn text_of(case: &Case, form: Form) -> Result<String, String> {
    match form {
        Form::AsWritten => Ok(place::read(&case.path)),
        Form::Converted => {
            let output = Command::new(binary()).arg("convert").arg(&case.path).stdin(Stdio::null()).output();
            let printed = Cli::of(&output.expect("the binary runs"));
            if printed.code == Some(0) {
                Ok(printed.stdout)
            } else {
                Err(format!("convert: {}", printed.all()))
            }
        }
    }
}

async fn run(app: &App, database: Option<&Database>, case: &Case, form: Form) -> Vec<String> {
    let mut problems = Vec::new();
    let service = Service::start().await.expect("a free port");
    for body in &case.expectation.credentials {
        app.credential(body).await;
    }
    for companion in case.companions() {
        if let Err(problem) = app.register(&place::read(&companion)).await {
            return vec![format!("{}: {problem}", companion.display())];
        }
    }
    let text = match text_of(case, form) {
        Ok(text) => text,
        Err(problem) => return vec![problem],
    };
    let path = match app.register(&text).await {
        Ok(path) => path,
        Err(problem) if form == Form::Converted => return vec![format!("{problem}\n{text}")],
        Err(problem) => return vec![problem],
    };
    let table = format!("t_{}", case.name());
    let temp = app.home.path().display().to_string();
    for (number, run) in case.expectation.runs.iter().enumerate() {
        if run.reset {
            service.reset();
        }
        let names =
            [("$SERVICE", service.url.as_str()), ("$TABLE", table.as_str()), ("$TEMP", temp.as_str())];
        let payload = match fill(&run.payload, &names) {
            Value::Null => Value::Object(serde_json::Map::new()),
            payload => payload,
        };
        let ended = async {
            let id = app.execute(&path, &payload).await?;
            let status = app.ended(&id).await.map_err(|problem| format!("{id}: {problem}"))?;
            Ok::<_, String>((id, status))
        };
        let (id, status) = match ended.await {
            Ok(ended) => ended,
            Err(problem) => {
                problems.push(format!("run {number}: {problem}"));
                continue;
            }
        };
        let names: Vec<(&str, &str)> = names.into_iter().chain([("$EXECUTION", id.as_str())]).collect();
        let outcome = Outcome { app, service: &service, database, id: &id, status, names: &names };
        let found = judge::problems(&outcome, run).await;
        problems.extend(found.into_iter().map(|problem| format!("run {number} ({id}): {problem}")));
        for secret in &case.expectation.secrets {
            problems.extend(shown(app, &id, secret).await);
        }
    }
    problems
}

/// Where a secret shows: answers about the execution, its log, the server's log, the files of the store.
async fn shown(app: &App, id: &str, secret: &str) -> Vec<String> {
    let mut places = Vec::new();
    for path in ["", "/status", "/events?limit=5000", "/logs"] {
        let (_, body) = app.ask(&format!("GET /api/executions/{id}{path}"), None).await;
        places.extend(body.to_string().contains(secret).then(|| format!("GET /api/executions/ID{path}")));
    }
    places.extend(
        crate::place::files_with(app.home.path(), secret).iter().map(|path| path.display().to_string()),
    );
    places.into_iter().map(|place| format!("the secret {secret} shows in {place}")).collect()
}
