//! What this process has used, engine threads included.

use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Clock ticks a second, as every Linux has them.
const TICKS: f64 = 100.0;

/// CPU time so far.
pub(crate) fn cpu() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program may hold spaces; it ends with the last parenthesis.
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/self/stat")?;
    let field = |at: usize| -> anyhow::Result<f64> {
        Ok(fields.split_whitespace().nth(at).context("a short /proc/self/stat")?.parse()?)
    };
    Ok(Duration::from_secs_f64((field(11)? + field(12)?) / TICKS))
}

/// Memory in use, in MiB.
pub(crate) fn resident_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}

/// Wall and CPU time since a moment.
pub(crate) struct Since {
    wall: Instant,
    cpu: Duration,
}

impl Since {
    pub(crate) fn now() -> anyhow::Result<Self> {
        Ok(Self { wall: Instant::now(), cpu: cpu()? })
    }

    pub(crate) fn wall(&self) -> Duration {
        self.wall.elapsed()
    }

    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(cpu()?.saturating_sub(self.cpu))
    }
}
