//! What the machine gives without NoETL.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Rows per second and microseconds per commit of bare multi-row inserts, synced.
pub(crate) async fn commits(rows: u64, commits: u64) -> anyhow::Result<(f64, f64)> {
    let directory = tempfile::tempdir()?;
    Ok(noetl_server::store::sqlite::bare_inserts(directory.path(), rows, commits).await?)
}

/// Calls of a warm interpreter over a pipe, one after another.
pub(crate) fn python_calls(count: u32) -> anyhow::Result<Duration> {
    const ECHO: &str = "import sys\nfor line in sys.stdin:\n    exec(line, {})\n    print('1', flush=True)";
    let mut child =
        Command::new("python3").args(["-c", ECHO]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or_else(|| anyhow::anyhow!("no stdin"))?;
    let mut output = BufReader::new(child.stdout.take().ok_or_else(|| anyhow::anyhow!("no stdout"))?);
    let mut line = String::new();
    let mut call = || -> anyhow::Result<()> {
        line.clear();
        input.write_all(b"result = {'n': 1}\n")?;
        output.read_line(&mut line)?;
        Ok(())
    };
    call()?;
    let began = Instant::now();
    for _ in 0..count {
        call()?;
    }
    let elapsed = began.elapsed();
    drop(input);
    child.wait()?;
    Ok(elapsed)
}

/// Starting a process and waiting for its end.
pub(crate) fn spawn(words: &[&str], tries: u64) -> anyhow::Result<Duration> {
    let program = if words[0] == "noetl" { super::server::BINARY } else { words[0] };
    let mut times = Vec::new();
    for _ in 0..tries {
        let began = Instant::now();
        Command::new(program).args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        times.push(began.elapsed());
    }
    Ok(super::median(&mut times))
}

/// Messages per second through a bounded channel between two tasks.
pub(crate) async fn channel(count: u64) -> f64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<u64>(1024);
    let began = Instant::now();
    let sending = tokio::spawn(async move {
        for number in 0..count {
            if sender.send(number).await.is_err() {
                return;
            }
        }
    });
    let mut received: u64 = 0;
    while receiver.recv().await.is_some() {
        received += 1;
    }
    let _ = sending.await;
    received as f64 / began.elapsed().as_secs_f64()
}
