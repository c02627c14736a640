//! The table, on the terminal and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::options::Options;

#[derive(Debug)]
pub(crate) struct Figures {
    rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    goal: String,
    raw: Option<(String, f64, &'static str)>,
}

#[expect(dead_code, reason = "each program uses its part of this module")]
impl Row {
    pub(crate) fn time(name: &str, time: Duration, goal: &str) -> Self {
        Self::plain(name, time.as_secs_f64() * 1000.0, "ms", goal)
    }

    pub(crate) fn rate(name: &str, count: u64, time: Duration, unit: &'static str, goal: &str) -> Self {
        Self::plain(name, count as f64 / time.as_secs_f64(), unit, goal)
    }

    pub(crate) fn plain(name: &str, value: f64, unit: &'static str, goal: &str) -> Self {
        Self { name: name.to_owned(), value, unit, goal: goal.to_owned(), raw: None }
    }

    /// The time that it takes at least.
    pub(crate) fn raw(self, what: &str, time: Duration) -> Self {
        let value = if self.unit == "ms" { time.as_secs_f64() * 1000.0 } else { time.as_secs_f64() * 1e6 };
        let unit = if self.unit == "ms" { "ms" } else { "µs" };
        Self { raw: Some((what.to_owned(), value, unit)), ..self }
    }

    pub(crate) fn raw_rate(mut self, what: &str, rate: f64) -> Self {
        self.raw = Some((what.to_owned(), rate, "/s"));
        self
    }

    /// Another figure of the same kind.
    pub(crate) fn beside(mut self, what: &str, value: f64, unit: &'static str) -> Self {
        self.raw = Some((what.to_owned(), value, unit));
        self
    }

    /// How much of the raw limit the figure reaches: 1 is all of it.
    fn ratio(&self) -> Option<f64> {
        let (_, raw, unit) = self.raw.as_ref().filter(|(_, _, unit)| *unit != "%")?;
        Some(if *unit == "/s" { self.value / raw } else { raw / self.value })
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name, "value": self.value, "unit": self.unit, "goal": self.goal,
            "raw": self.raw.as_ref().map(|(what, value, unit)| json!({ "what": what, "value": value, "unit": unit })),
            "of_raw": self.ratio(),
        })
    }
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("  {}: {} {}", row.name, number(row.value), row.unit);
        self.rows.push(row);
    }

    /// Prints the table, and writes the file that was asked for.
    pub(crate) fn report(&self, options: &Options) -> anyhow::Result<()> {
        self.print();
        options.json.as_ref().map_or(Ok(()), |path| self.write(path))
    }

    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    fn print(&self) {
        println!("\n{}\n", machine());
        println!("| What | Figure | Goal | Raw limit beside it | Of raw |");
        println!("|---|---:|---|---|---:|");
        for row in &self.rows {
            let raw = row
                .raw
                .as_ref()
                .map_or(String::new(), |(what, value, unit)| format!("{what}: {} {unit}", number(*value)));
            let ratio = row.ratio().map_or(String::new(), |ratio| format!("{:.1} %", ratio * 100.0));
            println!(
                "| {} | {} {} | {} | {raw} | {ratio} |",
                row.name,
                number(row.value),
                row.unit,
                row.goal
            );
        }
    }

    fn write(&self, path: &str) -> anyhow::Result<()> {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let document = json!({ "machine": machine(), "figures": rows });
        std::fs::write(path, serde_json::to_string_pretty(&document)?)?;
        Ok(())
    }
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        let whole = format!("{value:.0}");
        let bytes = whole.as_bytes().rchunks(3).rev().map(|part| String::from_utf8_lossy(part).into_owned());
        return bytes.collect::<Vec<_>>().join(",");
    }
    if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// What the machine is, for the record.
fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let memory = read("/proc/meminfo").lines().next().unwrap_or_default().to_owned();
    json!({
        "cpu": model,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": memory.trim_start_matches("MemTotal:").trim(),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}
