//! `shell`: runs commands in order, stops at the first that fails, and kills the whole process group when it must.

mod memory;
mod process;

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use noetl_domain::error::TaskError;
use noetl_domain::playbook::Dialect;
use noetl_domain::result::ResultKind;
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use self::process::Process;
use crate::tool::{Failure, Log, Output, TaskContext, Tool};
use crate::{fields, secret};

/// Output kept per stream; what is beyond goes to the log only.
const KEPT_BYTES: usize = 8 * 1024 * 1024;
/// A line longer than this is told in pieces.
const LONGEST_LINE: u64 = 64 * 1024;
/// What a command that has ended may still have in its pipes.
const LINGER: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, Default)]
pub struct Shell;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// A command line, or a program when `args` is given; a list runs in order.
    #[serde(default)]
    command: Option<Value>,
    /// Command lines, run in order until one fails.
    #[serde(default)]
    cmds: Option<Value>,
    /// The same as `cmds`.
    #[serde(default)]
    commands: Option<Value>,
    /// Text of a whole script.
    #[serde(default)]
    code: Option<Value>,
    /// Arguments of the program in `command`; they are passed as they are, without a shell.
    #[serde(default)]
    args: Option<Value>,
    /// Program that reads the command line (default `/bin/sh`).
    #[serde(default)]
    shell: Option<String>,
    /// Working directory.
    #[serde(default)]
    cwd: Option<String>,
    /// Variables added to the environment.
    #[serde(default)]
    env: Option<Map>,
    /// Keep the output in the result (default true).
    #[serde(default)]
    capture: Option<Value>,
    /// Text given to the command's standard input.
    #[serde(default)]
    stdin: Option<Value>,
    /// The exit status that counts as success (default 0).
    #[serde(default, rename = "exitCode")]
    exit_code: Option<Value>,
    /// Seconds before the command is killed.
    #[serde(default)]
    #[expect(dead_code, reason = "the pipeline enforces it for every tool; the schema names it")]
    timeout_seconds: Option<Value>,
}

impl Tool for Shell {
    const KIND: &'static str = "shell";
    const ABOUT: &'static str = "Runs commands on the worker's machine.";
    const TEXT: &'static [&'static str] = &["command", "cmds", "commands", "code", "args"];
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let plan = plan(&input)?;
        let expected = input.exit_code.as_ref().and_then(fields::integer).unwrap_or(0);
        let mut ran = Ran::default();
        for (program, arguments) in plan {
            let step = spawn(&program, &arguments, &input, ctx).await?;
            ran.stdout.push_str(&step.stdout);
            ran.stderr.push_str(&step.stderr);
            ran.exit_code = step.exit_code;
            if ran.exit_code != expected {
                break;
            }
        }
        let capture = input.capture.as_ref().is_none_or(|value| !matches!(value, Value::Bool(false)));
        let value = shown(&ran, expected, capture, ctx);
        if ran.exit_code == expected {
            return Ok(Output::plain(value));
        }
        Err(Failure { error: failure(&ran), kind: ResultKind::Plain, value })
    }
}

#[derive(Debug, Default)]
struct Ran {
    exit_code: i64,
    stdout: String,
    stderr: String,
}

/// Programs with their arguments, in order.
fn plan(input: &Input) -> Result<Vec<(String, Vec<String>)>, TaskError> {
    let shell = input.shell.as_deref().unwrap_or("/bin/sh");
    let line = |text: String| {
        let mut words = shell.split_whitespace().map(str::to_owned);
        let program = words.next().unwrap_or_else(|| "/bin/sh".into());
        let mut arguments: Vec<String> = words.collect();
        arguments.extend(["-c".to_owned(), text]);
        (program, arguments)
    };
    if let (Some(command), Some(args)) = (&input.command, &input.args) {
        let arguments = match args {
            Value::Array(items) => items.iter().map(fields::text).collect(),
            Value::Null => Vec::new(),
            other => vec![fields::text(other)],
        };
        return Ok(vec![(fields::text(command), arguments)]);
    }
    let written = [&input.command, &input.cmds, &input.commands, &input.code].into_iter().flatten();
    let lines: Vec<String> = written
        .flat_map(|value| match value {
            Value::Array(items) => items.iter().map(fields::text).collect(),
            other => vec![fields::text(other)],
        })
        .filter(|text| !text.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return Err(TaskError::new("config", "a shell task needs `command` or `cmds`").with_code("TL002"));
    }
    Ok(lines.into_iter().map(line).collect())
}

async fn spawn(
    program: &str,
    arguments: &[String],
    input: &Input,
    ctx: &TaskContext,
) -> Result<Ran, TaskError> {
    let directory = input.cwd.as_deref().map_or_else(|| ctx.work_dir.clone(), |cwd| ctx.work_dir.join(cwd));
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    if directory != PathBuf::new() {
        command.current_dir(&directory);
    }
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if secret::is_own(&name) {
            command.env_remove(name);
        }
    }
    command.env("NOETL_EXECUTION_ID", ctx.execution.to_string()).env("NOETL_STEP", &ctx.step);
    for (name, value) in input.env.iter().flatten() {
        command.env(name, fields::text(value));
    }
    let given = [program].into_iter().chain(arguments.iter().map(String::as_str)).map(str::len).sum();
    let mut process = Process::start(command).await.map_err(|error| {
        let message = if error.kind() == std::io::ErrorKind::NotFound && !directory.as_os_str().is_empty() {
            format!("cannot run {program:?} in {}: {error}", directory.display())
        } else {
            format!("cannot run {program:?}: {error}")
        };
        TaskError::new("shell", message).with_code("TL001")
    })?;
    ctx.meter.add(Usage::given(given));
    let stdin = process.stdin.take();
    let feed = async {
        if let (Some(text), Some(mut stdin)) = (&input.stdin, stdin) {
            let text = fields::text(text);
            ctx.meter.add(Usage::given(text.len()));
            // A command that does not read its input to the end is no failure.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
    };
    let (out, err) = (process.stdout.take(), process.stderr.take());
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let status = {
        let mut printing = Box::pin(async {
            tokio::join!(
                drain(out, "stdout", &ctx.log, &mut stdout),
                drain(err, "stderr", &ctx.log, &mut stderr),
                feed
            )
        });
        let mut ended = Box::pin(process.wait());
        tokio::select! {
            _ = &mut printing => ended.await,
            status = &mut ended => {
                // A process left in the background may hold the pipes open for as long as it likes.
                let _ = tokio::time::timeout(LINGER, printing).await;
                status
            }
        }
    };
    let (status, used) = status.map_err(|error| {
        TaskError::new("shell", format!("lost the process of {program:?}: {error}")).with_code("TL001")
    })?;
    process.leave();
    ctx.meter.add(used);
    let exit_code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(Ran { exit_code: exit_code.into(), stdout, stderr })
}

/// Reads a stream line by line into the log, and keeps what fits.
async fn drain(from: Option<impl AsyncRead + Unpin>, stream: &str, log: &Log, kept: &mut String) {
    let Some(from) = from else { return };
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        if kept.len() + text.len() <= KEPT_BYTES {
            kept.push_str(&text);
        }
        log.line(stream, "info", text.trim_end_matches(['\n', '\r']));
        line.clear();
    }
}

fn shown(ran: &Ran, expected: i64, capture: bool, ctx: &TaskContext) -> Value {
    let mut result = Map::new();
    result.insert("status".into(), if ran.exit_code == expected { "success" } else { "error" }.into());
    result.insert("exit_code".into(), ran.exit_code.into());
    if capture {
        result.insert("stdout".into(), ran.stdout.clone().into());
        result.insert("stderr".into(), ran.stderr.clone().into());
    }
    if ctx.dialect == Dialect::First {
        let output = json!({"exitCode": ran.exit_code, "stdout": ran.stdout, "stderr": ran.stderr});
        result.insert("output".into(), output);
    }
    Value::Object(result)
}

fn failure(ran: &Ran) -> TaskError {
    let last = ran.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let message = match last {
        "" => format!("the command ended with exit status {}", ran.exit_code),
        last => format!("the command ended with exit status {}: {last}", ran.exit_code),
    };
    TaskError::new("shell", message).with_code(ran.exit_code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::context;

    async fn run(input: Value) -> Result<Value, Failure> {
        let input = serde_json::from_value(input).unwrap();
        match Shell.run(input, &context()).await? {
            Output::Done { value, .. } => Ok(value),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn commands_run_in_order_and_stop_at_the_first_failure() {
        let failure =
            run(json!({"cmds": ["echo one", "echo two >&2; exit 3", "echo three"]})).await.unwrap_err();
        assert_eq!(failure.error.code.as_deref(), Some("3"));
        assert_eq!(failure.value["stdout"], "one\n");
        assert_eq!(failure.value["stderr"], "two\n");
    }

    #[tokio::test]
    async fn a_program_with_arguments_sees_them_unchanged() {
        let value = run(json!({"command": "printf", "args": ["%s|", "a b", "$HOME"]})).await.unwrap();
        assert_eq!(value["stdout"], "a b|$HOME|");
    }

    #[tokio::test]
    async fn another_exit_status_may_be_the_expected_one() {
        let value = run(json!({"command": "exit 4", "exitCode": 4})).await.unwrap();
        assert_eq!(value["exit_code"], 4);
    }

    #[tokio::test]
    async fn all_commands_together_tell_what_they_used() {
        const MIB: u64 = 1 << 20;
        let python = crate::tools::python::Config::from_env().places.interpreter().unwrap();
        // More than this process ever held, which is what the kernel counts at least.
        let size = memory::peak(&"self").unwrap() / MIB + 64;
        let code = "import sys, time; held = b\"x\" * (int(sys.argv[1]) << 20)\nwhile time.process_time() < 0.1: pass";
        let line = format!("'{}' -c '{code}' {size}", python.display());
        let context = context();
        let input = serde_json::from_value(json!({"cmds": [line, line, "true"]})).unwrap();
        assert!(Shell.run(input, &context).await.is_ok());
        let used = context.meter.total();
        assert!(used.cpu_us >= 200_000, "{used:?}");
        assert!((size * MIB..2 * size * MIB).contains(&used.memory_bytes), "{used:?}");
    }

    #[tokio::test]
    async fn dropping_the_work_kills_the_whole_group() {
        let scratch = tempfile::tempdir().unwrap();
        let pid = scratch.path().join("pid");
        let line = format!("sleep 600 & echo $! > {0}.part; mv {0}.part {0}; wait", pid.display());
        let work = tokio::spawn(run(json!({"command": line})));
        while !pid.exists() {
            tokio::task::yield_now().await;
        }
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        let id: i32 = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
        let is_alive =
            || std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while is_alive() {
            tokio::task::yield_now().await;
        }
    }
}
