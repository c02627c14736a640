//! How long questions take over many Events: the HTTP answers, beside a bare reading of the table that they count over.
//!
//! The tables are filled by `INSERT … SELECT` from numbers: 29 days, 40 Playbooks of 8 steps, 200 shapes of failures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use noetl_api::client::Client;
use noetl_api::insight::InsightFilter;
use noetl_indexer::Part;
use tokio::net::TcpListener;

use crate::backlog::Backlog;
use crate::figures::{Figures, Row};
use crate::layer::Layer;
use crate::process::Since;
use crate::times::{median, quantile};

const PLAYBOOKS: u64 = 40;
const SECONDS: u64 = 29 * 86_400;

pub(crate) async fn measure(figures: &mut Figures, events: u64, tries: u64) -> anyhow::Result<()> {
    let mut layer = Layer::open().await?;
    let began = Instant::now();
    fill(&mut layer, events)?;
    layer.merged().await?;
    eprintln!("  filled in {:.0} s", began.elapsed().as_secs_f64());
    layer.semantic.status().change(|status| status.analytics.part = Part::On);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let feed = Arc::new(Backlog::empty().await?);
    let routes = noetl_indexer::router(layer.semantic.clone(), feed);
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let client = Client::new(&address)?;
    for (name, table, columns) in QUESTIONS {
        let mut times = Vec::new();
        let since = Since::now()?;
        for n in 0..tries {
            let filter = filter(name, n);
            let began = Instant::now();
            let found = match *name {
                "clusters" => client.clusters(&filter).await?.len(),
                "stats" => client.stats(&filter).await?.steps.len(),
                _ => client.anomalies(&filter).await?.judged as usize,
            };
            times.push(began.elapsed());
            anyhow::ensure!(found > 0, "{name} finds nothing");
        }
        let each = since.cpu()? / u32::try_from(tries)?;
        let bare = bare(&mut layer, table, columns, tries.min(20))?;
        let raw = format!("a bare reading of {table}");
        for (what, at, goal) in [("p50", 0.5, ""), ("p95", 0.95, "< 300 ms")] {
            let name = format!("questions: {name} over {events} events, {what}");
            figures.add(Row::time(&name, quantile(&mut times, at), goal).raw(&raw, bare));
        }
        figures.add(Row::time(&format!("questions: {name}, CPU of one"), each, ""));
    }
    serving.abort();
    layer.close().await;
    Ok(())
}

/// Each with the table it counts over and what it reads of it.
const QUESTIONS: &[(&str, &str, &str)] = &[
    ("clusters", "noetl_failures_hourly", "sum(failures), sum(handled), min(first_at), max(last_at)"),
    ("stats", "noetl_steps_hourly", "sum(runs), sum(failed), sum(run_ms)"),
    ("anomalies", "noetl_steps_hourly", "sum(runs), sum(failed), sum(run_ms)"),
];

/// Every other question is about everything, as far as it may be; the others go through the Playbooks.
fn filter(name: &str, n: u64) -> InsightFilter {
    let one = name == "stats" || n % 2 == 1;
    let playbook = one.then(|| format!("team/playbook-{}", n % PLAYBOOKS));
    InsightFilter { playbook, ..InsightFilter::default() }
}

fn bare(layer: &mut Layer, table: &str, columns: &str, tries: u64) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..tries {
        let began = Instant::now();
        layer.ask(&format!("SELECT {columns} FROM observability.{table}"), "Null")?;
        times.push(began.elapsed());
    }
    Ok(median(&mut times))
}

/// Ten Events, three runs of steps, and six tenths of an Execution belong together.
fn fill(layer: &mut Layer, events: u64) -> anyhow::Result<()> {
    let shapes = crate::shapes::COUNT;
    let common = "cityHash64(number) AS h, concat('team/playbook-', toString(execution % 40)) AS playbook";
    let at = |count: u64| {
        format!("addMilliseconds(now64(3, 'UTC'), -toInt64(({count} - number) * {SECONDS} * 1000 / {count}))")
    };
    layer.ask(
        &format!(
            "INSERT INTO observability.noetl_events (position, event_id, execution_id, root_execution_id, seq, at, \
                event_type, playbook, version, step, run, iteration, status, tool, pool, worker, duration_ms, tries, bytes_out)
            WITH intDiv(number, 17) AS execution, {common}
            SELECT number + 1, number + 1, execution, execution, number % 17 + 1, {at}, \
                ['step.enter', 'command.issued', 'call.done', 'step.exit'][number % 4 + 1], playbook, 1 + execution % 3, \
                concat('step-', toString(intDiv(number % 17, 4))), 1, -1, 'OK', 'python', 'default', \
                concat('worker-', toString(h % 4)), h % 977 / 3, 1, h % 5000
            FROM numbers({events})",
            at = at(events)
        ),
        "Null",
    )?;
    let steps = events * 3 / 10;
    layer.ask(
        &format!(
            "INSERT INTO observability.noetl_steps (position, event_id, execution_id, root_execution_id, playbook, version, \
                step, run, tool, pool, worker, status, handled, entered_at, exited_at, queue_ms, run_ms, total_ms, commands, \
                attempts, retries, iterations, bytes_out, rows_out, cause, fingerprint, error_kind, message)
            WITH intDiv(number, 5) AS execution, {common}, {at} AS exited, h % 100 < 3 AS failed,
                -100 * log((h % 99991 + 1) / 99992) AS took
            SELECT number + 1, number + 1, execution, execution, playbook, 1 + execution % 3, \
                concat('step-', toString(number % 8)), 1, 'python', 'default', concat('worker-', toString(h % 4)), \
                if(failed, 'FAILED', 'COMPLETED'), h % 3 = 0, subtractMilliseconds(exited, toInt64(took)), exited, \
                took / 10, took, took * 1.1, 1, 1 + (h % 20 = 0), h % 20 = 0, 1, h % 5000, h % 90, \
                if(failed, 'data.duplicate', ''), if(failed, 1 + intDiv(h, 100) % {shapes}, 0), if(failed, 'python', ''), \
                if(failed, concat('row ', toString(h % 9973), ' of table ', toString(intDiv(h, 100) % {shapes}), ' is refused'), '')
            FROM numbers({steps})",
            at = at(steps)
        ),
        "Null",
    )?;
    let executions = events * 6 / 100;
    layer.ask(
        &format!(
            "INSERT INTO observability.noetl_executions (position, execution_id, root_execution_id, playbook, version, status, \
                trigger, started_at, finished_at, duration_ms, attempt, events, steps)
            WITH number AS execution, {common}, {at} AS finished
            SELECT number + 1, execution, execution, playbook, 1 + execution % 3, if(h % 100 < 8, 'FAILED', 'COMPLETED'), \
                'api', subtractMilliseconds(finished, h % 4000), finished, h % 4000, 1, 17, 5
            FROM numbers({executions})",
            at = at(executions)
        ),
        "Null",
    )?;
    layer.ask(
        &format!(
            "INSERT INTO observability.noetl_templates
            SELECT number + 1, concat('row <num> of table ', toString(number), ' is refused'), number + 1, 'error', now64(3)
            FROM numbers({shapes})"
        ),
        "Null",
    )?;
    Ok(())
}
