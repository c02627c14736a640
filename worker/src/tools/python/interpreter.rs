//! One interpreter process: start, exchange of one task, end.

use std::io::{self, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::output::Captured;

const RUNNER: &str = include_str!("runner.py");
/// A larger answer is a mistake of the task, not something to hold in memory.
const ANSWER_BYTES: u32 = 1 << 30;

#[derive(Debug)]
pub(super) struct Interpreter {
    child: Child,
    channel: UnixStream,
    stdout: OutputPipe,
    stderr: OutputPipe,
    pub(super) tasks: u32,
    pub(super) idle_since: Instant,
}

/// Why an exchange gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The task was never taken: another interpreter may have it.
    #[error("the interpreter did not take the task")]
    NotSent(#[source] io::Error),
    #[error("the interpreter ended in the middle of the task")]
    Died(#[source] io::Error),
}

impl Interpreter {
    /// Starts a process in a group of its own; it is ready when it reads its first task.
    pub(super) fn spawn(program: &Path) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (stdout, their_stdout) = OutputPipe::new()?;
        let (stderr, their_stderr) = OutputPipe::new()?;
        let child = Command::new(program)
            .arg("-c")
            .arg(RUNNER)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(their_stdout))
            .stderr(Stdio::from(their_stderr))
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self {
            child,
            channel: UnixStream::from_std(ours)?,
            stdout,
            stderr,
            tasks: 0,
            idle_since: Instant::now(),
        })
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends one task and waits for its answer, passing on what it prints.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        stdout: &mut Captured,
        stderr: &mut Captured,
    ) -> Result<Vec<u8>, Broken> {
        // Whatever a child process of an earlier task printed since belongs to nobody.
        self.stdout.drain(|_| {});
        self.stderr.drain(|_| {});
        let length = u32::try_from(request.len())
            .map_err(|_| Broken::NotSent(io::Error::other("the task's inputs are larger than 4 GiB")))?;
        let mut frame = Vec::with_capacity(request.len() + 4);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(request);
        self.channel.write_all(&frame).await.map_err(Broken::NotSent)?;
        drop(frame);
        self.tasks += 1;

        let answer = read_frame(&mut self.channel);
        tokio::pin!(answer);
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                () = self.stdout.pass_on(stdout) => {}
                () = self.stderr.pass_on(stderr) => {}
            }
        };
        // The runner flushes before it answers: what the task printed is in the pipes by now.
        self.stdout.drain(|bytes| stdout.push(bytes));
        self.stderr.drain(|bytes| stderr.push(bytes));
        answer.map_err(Broken::Died)
    }

    /// How a process that broke off ended, in words.
    pub(super) async fn post_mortem(mut self) -> Ending {
        let waited = tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await;
        let Ok(Ok(status)) = waited else { return Ending::Unknown };
        match (status.signal(), status.code()) {
            (Some(signal), _) => match Signal::try_from(signal) {
                Ok(Signal::SIGXCPU) => Ending::CpuLimit,
                Ok(signal) => Ending::Signal(signal.as_str()),
                Err(_) => Ending::Unknown,
            },
            (None, Some(code)) => Ending::Exit(code),
            (None, None) => Ending::Unknown,
        }
    }

    /// Resident memory in bytes, where the system tells.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        let pid = self.child.id()?;
        let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * 4096)
    }
}

/// Ends the whole group: a task's child processes must not outlive it.
impl Drop for Interpreter {
    fn drop(&mut self) {
        // The id is there as long as the process was not waited for, so it names no other process.
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    CpuLimit,
    Signal(&'static str),
    Exit(i32),
    Unknown,
}

/// The reading end of what a task prints.
#[derive(Debug)]
struct OutputPipe {
    receiver: pipe::Receiver,
    /// The same pipe, read without asking the reactor: after an answer everything must be taken at once.
    direct: PipeReader,
}

impl OutputPipe {
    fn new() -> io::Result<(Self, io::PipeWriter)> {
        let (direct, writer) = io::pipe()?;
        // This also makes the pipe's reading end non-blocking.
        let receiver = pipe::Receiver::from_owned_fd(OwnedFd::from(direct.try_clone()?))?;
        Ok((Self { receiver, direct }, writer))
    }

    /// Waits for output and takes it; never returns once the pipe is closed.
    async fn pass_on(&self, captured: &mut Captured) {
        if self.receiver.readable().await.is_err() || self.take_ready(captured).is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes what the reactor announced; an error means that the pipe is closed.
    fn take_ready(&self, captured: &mut Captured) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.receiver.try_read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => captured.push(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes what is there.
    fn drain(&self, mut sink: impl FnMut(&[u8])) {
        let mut buffer = [0; 16 * 1024];
        loop {
            match (&self.direct).read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => sink(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

async fn read_frame(channel: &mut UnixStream) -> io::Result<Vec<u8>> {
    let length = channel.read_u32_le().await?;
    if length > ANSWER_BYTES {
        return Err(io::Error::other("the result is larger than 1 GiB"));
    }
    let mut frame = vec![0; length as usize];
    channel.read_exact(&mut frame).await?;
    Ok(frame)
}
