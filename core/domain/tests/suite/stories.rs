//! Stories: given this Playbook and these answers, what happens?
//!
//! Each file in `tests/stories` holds a playbook, a line `=== answers` with what the workers say by step, and a line
//! `=== then` with everything that must follow. `UPDATE_STORIES=1` writes what follows into the files.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use noetl_domain::Value;
use noetl_domain::event::{Event, IssuedWork, Status, StepStatus, TimerKey};
use noetl_domain::report::Outcome;

use crate::driver::{Driver, answer, error, inline, ok, parked};

#[test]
fn every_story_goes_as_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let update = std::env::var_os("UPDATE_STORIES").is_some();
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).expect("stories").map(|entry| entry.expect("entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no stories");
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("readable");
        let (given, told) = text.split_once("=== then\n").unwrap_or((&text, ""));
        let (yaml, answers) = given.split_once("=== answers\n").unwrap_or((given, "{}"));
        let went = tell(yaml, answers);
        if update {
            std::fs::write(&path, format!("{}\n=== then\n{went}", given.trim_end())).expect("writable");
        } else if went != told {
            wrong.push(format!("{}\n--- told\n{told}--- went\n{went}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "stories went another way:\n{}", wrong.join("\n"));
}

/// Answers by step: a list is used up one entry per call, anything else is said every time.
///
/// `{"!error": "text"}` fails, `{"!park": seconds}` waits, `{"!payload": …}` under the key `!` starts the execution.
fn tell(yaml: &str, answers: &str) -> String {
    let answers: HashMap<String, Value> = serde_json::from_str(answers).expect("answers are JSON");
    let mut said: HashMap<String, usize> = HashMap::new();
    let mut driver = Driver::start(yaml, answers.get("!").unwrap_or(&Value::Null));
    let mut told = 0;
    let mut story = String::new();
    loop {
        for (_, event) in &driver.log[told..] {
            write(&mut story, event, &driver);
        }
        told = driver.log.len();
        if driver.status() != Status::Running {
            break;
        }
        if let Some(command) = driver.commands.pop_front() {
            let name = command.id.step.clone();
            let now = driver.now_ms;
            let report = answer(&command, now, |_, item| {
                let call = said.entry(name.clone()).or_default();
                let words = match answers.get(&name) {
                    Some(Value::Array(list)) => list.get(*call).or(list.last()).cloned().unwrap_or_default(),
                    Some(Value::String(text)) if text == "!item" => item.clone(),
                    Some(other) => other.clone(),
                    None => serde_json::json!({ "status": "ok" }),
                };
                *call += 1;
                outcome(words)
            });
            driver.report(report);
            continue;
        }
        let Some(timer) = driver.timers.iter().position(|timer| matches!(timer.key, TimerKey::Wake { .. }))
        else {
            story.push_str("nothing more happens\n");
            break;
        };
        let timer = driver.timers.remove(timer);
        driver.now_ms = driver.now_ms.max(timer.due_ms);
        driver.happen(vec![Event::TimerFired { timer: timer.key }]);
    }
    story
}

fn outcome(words: Value) -> Outcome {
    if let Some(message) = words.get("!error").and_then(Value::as_str) {
        return error(message);
    }
    if let Some(seconds) = words.get("!park").and_then(Value::as_f64) {
        return parked(seconds);
    }
    ok(words)
}

fn write(story: &mut String, event: &Event, driver: &Driver) {
    let line = match event {
        Event::ExecutionRequested(requested) => {
            format!("requested {}", Value::Object(requested.workload.clone()))
        }
        Event::StepEntered { step, run, inputs, .. } if inputs.is_empty() => format!("enter {step} #{run}"),
        Event::StepEntered { step, run, inputs, .. } => {
            format!("enter {step} #{run} with {}", Value::Object(inputs.clone()))
        }
        Event::CommandIssued(issued) => match issued.work {
            IssuedWork::Once => format!("  command {}", issued.step),
            IssuedWork::Items { first, count } => {
                format!(
                    "  command {} items {first}..{} ({} at once)",
                    issued.step,
                    first + count,
                    issued.slots
                )
            }
            IssuedWork::Frame { lane } => format!("  command {} frame in lane {lane}", issued.step),
            IssuedWork::Saves => format!("  command {} saves", issued.step),
        },
        Event::Called(report) => match report.first_error() {
            Some(error) => format!("  report {} failed: {error}", report.id.step),
            None => format!("  report {}", report.id.step),
        },
        Event::LoopStarted { step, concurrency, .. } => format!("  loop {step} ({concurrency} at once)"),
        Event::LoopFinished { step, stats, .. } => {
            format!("  loop {step} done: {} ok, {} failed of {}", stats.success, stats.failed, stats.total)
        }
        Event::StepExited(exit) => {
            let how = match (exit.status, exit.handled) {
                (StepStatus::Completed, _) => "done",
                (StepStatus::Failed, true) => "failed, and that is answered",
                (StepStatus::Failed, false) => "failed",
                (StepStatus::Skipped, _) => "skipped",
            };
            let mut line = format!("exit {} {how}", exit.step);
            if !exit.ctx.is_empty() {
                let _ = write!(line, ", ctx {}", Value::Object(exit.ctx.clone()));
            }
            for taken in &exit.routes {
                let _ = write!(line, " -> {}", taken.to);
                if !taken.inputs.is_empty() {
                    let _ = write!(line, " {}", Value::Object(taken.inputs.clone()));
                }
            }
            line
        }
        Event::ExecutionFinished(finished) => {
            let mut line = finished.status.as_str().to_owned();
            if let Some(step) = &finished.result_step {
                let result = driver.execution.final_result().map(|result| inline(result)).unwrap_or_default();
                let _ = write!(line, " with {step}: {result}");
            }
            if let Some(error) = &finished.error {
                let _ = write!(line, " because: {error}");
            }
            line
        }
        Event::TimerFired { .. } => "  timer".to_owned(),
        other => format!("  {}", other.name()),
    };
    story.push_str(&line);
    story.push('\n');
}
