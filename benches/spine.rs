//! `cargo xtask bench`: the release binary over HTTP, with the raw limit of the machine beside each figure.
//!
//! Nothing here is asserted; the table and the JSON file are what it is for.

#[path = "report/figures.rs"]
mod figures;
#[path = "spine/fingerprints.rs"]
mod fingerprints;
#[path = "report/options.rs"]
mod options;
#[path = "spine/raw.rs"]
mod raw;
#[path = "spine/server.rs"]
mod server;
#[path = "report/times.rs"]
mod times;

use std::time::{Duration, Instant};

use figures::{Figures, Row};
use options::Options;
use server::Server;
use times::{median, quantile};

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut figures = Figures::new();
    runtime.block_on(measure(&options, &mut figures))?;
    figures.report(&options)
}

async fn measure(options: &Options, figures: &mut Figures) -> anyhow::Result<()> {
    let scale = |full: u64, quick: u64| options.scale(full, quick);
    if options.wants("fingerprint") {
        fingerprints::measure(figures, Duration::from_millis(scale(3_000, 300)));
    }
    if options.wants("start") {
        starts(figures, scale(10, 3)).await?;
    }
    if options.wants("python") {
        python_chain(figures).await?;
    }
    if options.wants("latency") {
        latency(figures, scale(300, 30)).await?;
    }
    if options.wants("throughput") {
        throughput(figures, scale(500, 50)).await?;
    }
    if options.wants("chain") {
        chain(figures, 1_000).await?;
        chain(figures, scale(10_000, 2_000)).await?;
    }
    if options.wants("loop") {
        for items in [1_000, scale(100_000, 10_000), scale(1_000_000, 50_000)] {
            noop_loop(figures, items).await?;
        }
    }
    Ok(())
}

async fn starts(figures: &mut Figures, tries: u64) -> anyhow::Result<()> {
    let mut serving = Vec::new();
    for _ in 0..tries {
        let began = Instant::now();
        let server = Server::start().await?;
        serving.push(began.elapsed());
        server.stop().await?;
    }
    let bare = raw::spawn(&["noetl", "--version"], tries)?;
    figures.add(
        Row::time("start: first answer of GET /health", median(&mut serving), "< 500 ms")
            .raw("noetl --version", bare),
    );
    let mut runs = Vec::new();
    for _ in 0..tries {
        let data = tempfile::tempdir()?;
        let began = Instant::now();
        let status = tokio::process::Command::new(server::BINARY)
            .args(["run", "examples/hello.yaml", "--json", "--data"])
            .arg(data.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .await?;
        anyhow::ensure!(status.success(), "examples/hello.yaml ended with {status}");
        runs.push(began.elapsed());
    }
    let python = raw::spawn(&["python3", "-c", "pass"], tries)?;
    figures.add(
        Row::time("start: noetl run examples/hello.yaml, cold", median(&mut runs), "< 150 ms")
            .raw("python3 -c pass", python),
    );
    Ok(())
}

async fn python_chain(figures: &mut Figures) -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.register(&chain_yaml("bench/python", 40, "{ kind: python, code: 'result = {\"n\": 1}' }")).await?;
    server.run("bench/python").await?;
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(server.run("bench/python").await?);
    }
    let raw = raw::python_calls(40)?;
    figures.add(
        Row::time("python: 40 light steps in a row", median(&mut times), "< 400 ms")
            .raw("40 bare interpreter calls", raw),
    );
    server.stop().await
}

async fn latency(figures: &mut Figures, tries: u64) -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.register(&chain_yaml("bench/noop", 3, "{ kind: noop }")).await?;
    server.run("bench/noop").await?;
    let mut times = Vec::new();
    for _ in 0..tries {
        times.push(server.run("bench/noop").await?);
    }
    let (_, micros) = raw::commits(4, 500).await?;
    let bare = Duration::from_nanos((micros * 1000.0) as u64);
    figures.add(
        Row::time("latency: three noop steps, request to final state, p50", median(&mut times), "< 15 ms")
            .raw("one commit of 4 rows", bare),
    );
    figures.add(
        Row::time("latency: the same, p99", quantile(&mut times, 0.99), "< 50 ms")
            .raw("one commit of 4 rows", bare),
    );
    server.stop().await
}

async fn throughput(figures: &mut Figures, executions: u64) -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.register(&chain_yaml("bench/noop", 3, "{ kind: noop }")).await?;
    server.register(&chain_yaml("bench/python3", 3, "{ kind: python, code: 'result = 1' }")).await?;
    server.run("bench/noop").await?;
    server.run("bench/python3").await?;
    let (rows, _) = raw::commits(64, 1000).await?;
    let elapsed = server.run_many("bench/noop", executions, 16).await?;
    figures.add(
        Row::rate(
            "throughput: 3 noop steps × executions, 16 at a time",
            executions * 3,
            elapsed,
            "steps/s",
            "> 1,000, goal 5,000",
        )
        .raw_rate("bare rows/s, 64 a commit", rows),
    );
    let elapsed = server.run_many("bench/python3", executions, 16).await?;
    figures.add(
        Row::rate(
            "throughput: 3 python steps × executions, 16 at a time",
            executions * 3,
            elapsed,
            "steps/s",
            "",
        )
        .raw_rate("bare interpreter calls/s", 40.0 / raw::python_calls(40)?.as_secs_f64()),
    );
    server.stop().await
}

async fn chain(figures: &mut Figures, steps: u64) -> anyhow::Result<()> {
    let server = Server::start().await?;
    let path = format!("bench/chain{steps}");
    server.register(&chain_yaml(&path, steps, "{ kind: noop }")).await?;
    let elapsed = server.run(&path).await?;
    let (rows, _) = raw::commits(1000, 20).await?;
    figures.add(
        Row::rate(
            &format!("chain: {steps} noop steps in one execution"),
            steps,
            elapsed,
            "steps/s",
            "> 1,000, flat",
        )
        .raw_rate("bare rows/s, 1,000 a commit", rows),
    );
    server.stop().await
}

async fn noop_loop(figures: &mut Figures, items: u64) -> anyhow::Result<()> {
    let server = Server::start().await?;
    let path = format!("bench/loop{items}");
    let yaml = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: loop, path: {path} }}\nworkflow:\n  - step: start\n    \
         loop: {{ in: {items}, iterator: x, spec: {{ mode: parallel, max_in_flight: 8 }} }}\n    tool: {{ kind: noop }}\n"
    );
    server.register(&yaml).await?;
    let elapsed = server.run(&path).await?;
    let goal = match items {
        1_000 => "< 50 ms",
        100_000 => "> 20,000 items/s",
        _ => "< 1 GiB",
    };
    figures.add(
        Row::rate(
            &format!("loop: {items} parallel noop items ({:.0} ms)", elapsed.as_secs_f64() * 1000.0),
            items,
            elapsed,
            "items/s",
            goal,
        )
        .raw_rate("bare channel messages/s", raw::channel(items.min(1_000_000)).await),
    );
    figures.add(Row::plain(
        &format!("loop: peak memory of the server after {items} items"),
        server.peak_mib()?,
        "MiB",
        "< 1,024",
    ));
    server.stop().await
}

fn chain_yaml(path: &str, steps: u64, tool: &str) -> String {
    use std::fmt::Write as _;
    let mut yaml = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: chain, path: {path} }}\nworkflow:\n"
    );
    for at in 0..steps {
        let name = if at == 0 { "start".to_owned() } else { format!("s{at}") };
        let _ = writeln!(yaml, "  - step: {name}\n    tool: {tool}");
        if at + 1 < steps {
            let _ = writeln!(yaml, "    next: {{ arcs: [ {{ step: s{} }} ] }}", at + 1);
        }
    }
    yaml
}
