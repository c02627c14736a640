//! What the assistant is worth: the fault laboratory, answers under load, and the tuner against a simulator that knows.
//!
//! `cargo xtask bench --assistant` runs the laboratory over the release binary first and hands its figures in; this
//! program adds the tuner's and prints all of them as one table.

use std::time::Instant;

use anyhow::Context as _;
use noetl_assistant::laboratory;
use serde_json::Value;

#[path = "report/figures.rs"]
mod figures;
#[path = "report/options.rs"]
mod options;

use figures::{Figures, Row};
use options::Options;

/// Simulated histories for each world, and where the simulator begins.
const RUNS: u64 = 400;
const SEED: u64 = 1;

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let mut figures = Figures::new();
    if options.wants("faults") {
        faults(&mut figures, &left("")?);
    }
    if options.wants("load") {
        load(&mut figures, &left(".load")?);
    }
    if options.wants("history") {
        history(&mut figures, &left(".history")?);
    }
    // Only who asked for it has asked a model.
    if options.wants("model") && std::env::var_os("NOETL_LAB_MODEL").is_some() {
        model(&mut figures, &left(".model")?);
    }
    if options.wants("tuner") {
        tuner(&mut figures, options.scale(RUNS, 40) as usize);
    }
    figures.report(&options)
}

/// What the laboratory left behind.
fn left(kind: &str) -> anyhow::Result<Value> {
    let file = std::env::var("NOETL_LAB_JSON").context("run it by `cargo xtask bench --assistant`")? + kind;
    let text = std::fs::read_to_string(&file).with_context(|| format!("the laboratory left no {file}"))?;
    Ok(serde_json::from_str(&text)?)
}

fn faults(figures: &mut Figures, found: &Value) {
    let number = |pointer: &str| found.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let goals = [
        ("root step and cause", "> 95"),
        ("root step", ""),
        ("cause", ""),
        ("transience", ""),
        ("chain from root to failure", ""),
        ("remedy named first", ""),
        ("what changed", ""),
        ("with a misleading last error", ""),
        ("with good runs before", ""),
        ("believing the last error", ""),
        ("believing a misleading last error", ""),
        ("abstention, all cases", "> 98"),
        ("abstention, nothing to be claimed", ""),
    ];
    for (what, goal) in goals {
        let of = |field: &str| number(&format!("/shares/{what}/{field}"));
        let name = format!("faults: {what} ({} of {})", of("right"), of("all"));
        let row = Row::plain(&name, of("share") * 100.0, "%", goal);
        figures.add(match what {
            "root step and cause" => {
                row.beside("by chance, the commonest cause", number("/chance/majority") * 100.0, "%")
            }
            "with a misleading last error" => {
                let believing = number("/shares/believing a misleading last error/share");
                row.beside("believing it", believing * 100.0, "%")
            }
            _ => row,
        });
    }
    figures.add(Row::plain(
        "faults: lift over chance",
        number("/shares/root step and cause/share") / number("/chance/majority"),
        "times",
        "",
    ));
    figures.add(Row::plain(
        "faults: calibration error (ECE) at first sight, × 100",
        number("/calibration_error_at_first_sight") * 100.0,
        "",
        "< 5",
    ));
    figures.add(Row::plain(
        "faults: on all cases, answers are less sure than right by, × 100",
        number("/calibration_error") * 100.0,
        "",
        "",
    ));
    figures.add(Row::plain("faults: citations that lead nowhere", number("/unresolved_citations"), "", "0"));
    figures.add(Row::plain("faults: time of an answer, p50", number("/took_ms/p50"), "ms", ""));
    figures.add(Row::plain("faults: the same, p95", number("/took_ms/p95"), "ms", "< 2,000"));
}

fn load(figures: &mut Figures, found: &Value) {
    let number = |field: &str| found[field].as_f64().unwrap_or(f64::NAN);
    let rate = number("steps_per_second");
    figures.add(Row::plain("load: steps that the server runs meanwhile", rate, "steps/s", "> 500"));
    for (name, field, goal) in [("p50", "p50_ms", ""), ("p95", "p95_ms", "< 2,000"), ("p99", "p99_ms", "")] {
        let row = Row::plain(&format!("load: an answer meanwhile, {name}"), number(field), "ms", goal);
        let health = std::time::Duration::from_secs_f64(number("health_ms") / 1_000.0);
        figures.add(row.raw("GET /health meanwhile, median", health));
    }
}

fn history(figures: &mut Figures, found: &Value) {
    let number = |pointer: &str| found.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    figures.add(Row::plain("history: events of one execution", number("/events"), "", "> 1,000,000"));
    for (what, of) in [("its own answer", "long"), ("of a short execution beside it", "short")] {
        for (name, goal) in [("p50", ""), ("p95", "< 2,000")] {
            let time = number(&format!("/{of}/{name}_ms"));
            figures.add(Row::plain(&format!("history: {what}, {name}"), time, "ms", goal));
        }
    }
}

/// The same cases without a model and with a small one that runs on this machine.
fn model(figures: &mut Figures, found: &Value) {
    let number = |pointer: &str| found.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    for what in [
        "root step and cause",
        "transience",
        "chain from root to failure",
        "remedy named first",
        "abstention, all cases",
    ] {
        let share = |of: &str| number(&format!("/{of}/shares/{what}/share")) * 100.0;
        let name = format!("model: {what}, of {} cases with it", number("/cases"));
        figures.add(Row::plain(&name, share("with"), "%", "").beside("without it", share("alone"), "%"));
    }
    let written = format!("model: explanations of its own that held (of {} written)", number("/answered"));
    figures.add(Row::plain(&written, number("/written"), "", ""));
    figures.add(Row::plain(
        "model: citations that lead nowhere",
        number("/with/unresolved_citations"),
        "",
        "0",
    ));
    figures.add(Row::plain("model: time of an answer, p50", number("/seconds/p50"), "s", ""));
    figures.add(Row::plain("model: the same, p95", number("/seconds/p95"), "s", ""));
    for (what, of) in
        [("calls", "calls"), ("tokens that it read", "input"), ("tokens that it wrote", "output")]
    {
        figures.add(Row::plain(&format!("model: {what}"), number(&format!("/tokens/{of}")), "", ""));
    }
}

fn tuner(figures: &mut Figures, runs: usize) {
    let began = Instant::now();
    let found = laboratory::run(SEED, runs);
    for one in &found.regret {
        let name = format!("tuner: regret in {}, {} runs", one.world, one.runs);
        let row = Row::plain(&name, one.after * 100.0, "%", "");
        figures.add(row.beside("without the tuner", one.before * 100.0, "%"));
    }
    figures.add(Row::plain(
        "tuner: false proposals on stationary traffic",
        found.false_share() * 100.0,
        "%",
        "< 5",
    ));
    for one in &found.coverage {
        figures.add(Row::plain(
            &format!("tuner: intervals that hold the truth, {} ({} of {})", one.what, one.hits, one.of),
            one.share() * 100.0,
            "%",
            "93 to 97",
        ));
    }
    let rollback = &found.rollback;
    let share = rollback.in_time as f64 / rollback.runs.max(1) as f64;
    figures.add(Row::plain(
        &format!(
            "tuner: planted harm rolled back within 100 executions ({} of {})",
            rollback.in_time, rollback.runs
        ),
        share * 100.0,
        "%",
        "100",
    ));
    figures.add(Row::plain("tuner: executions until then, median", rollback.median, "", ""));
    figures.add(Row::plain("tuner: the same, p95", rollback.p95, "", "< 100"));
    let wrongly = rollback.wrongly as f64 / rollback.wrongly_of.max(1) as f64;
    figures.add(Row::plain("tuner: harmless changes rolled back", wrongly * 100.0, "%", "< 5"));
    figures.add(Row::time("tuner: time of all of it", began.elapsed(), ""));
}
