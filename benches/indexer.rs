//! `cargo xtask bench --indexer`: the follower, the engine in this process and the questions over it.
//!
//! The follower is the real one over the real store; what a figure is compared with is the same engine, fed or asked
//! without us. Nothing here is asserted; the table and the JSON file are what it is for.

#[path = "indexer/backlog.rs"]
mod backlog;
#[path = "report/figures.rs"]
mod figures;
#[path = "indexer/ingest.rs"]
mod ingest;
#[path = "indexer/lag.rs"]
mod lag;
#[path = "indexer/layer.rs"]
mod layer;
#[path = "indexer/meaning.rs"]
mod meaning;
#[path = "indexer/memory.rs"]
mod memory;
#[path = "report/options.rs"]
mod options;
#[path = "indexer/process.rs"]
mod process;
#[path = "indexer/questions.rs"]
mod questions;
#[path = "indexer/shapes.rs"]
mod shapes;
#[path = "report/times.rs"]
mod times;
#[path = "indexer/traffic.rs"]
mod traffic;

use figures::Figures;
use options::Options;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    if noetl_engine_clickhouse::library().is_none() {
        anyhow::bail!("libchdb.so is not here: run `cargo xtask setup`");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut figures = Figures::new();
    runtime.block_on(measure(&options, &mut figures))?;
    figures.report(&options)
}

/// One line per group; a group opens what it needs and closes it.
async fn measure(options: &Options, figures: &mut Figures) -> anyhow::Result<()> {
    if options.wants("ingest") {
        ingest::measure(figures, options.scale(3_000_000, 50_000)).await?;
    }
    if options.wants("lag") {
        lag::measure(figures, options.scale(60, 5)).await?;
    }
    if options.wants("memory") {
        memory::measure(figures, options.scale(5_000_000, 100_000)).await?;
    }
    if options.wants("questions") {
        questions::measure(figures, options.scale(10_000_000, 200_000), options.scale(200, 10)).await?;
    }
    if options.wants("meaning") {
        meaning::calls(figures, options.scale(1_000_000, 50_000)).await?;
        meaning::questions(figures, options.scale(100_000, 2_000), options.scale(200, 10)).await?;
    }
    Ok(())
}
