//! One command of a shell task: its whole group is killed when the work is dropped, and its end tells what it used.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use noetl_domain::usage::Usage;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use wait4::{ResUse, Wait4 as _};

use super::memory;

/// A thread that only starts a process and waits needs little of it.
const STACK: usize = 256 * 1024;
/// How long a command has run when its memory is looked at; then after twice that time, and so on.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_WITHOUT_LOOK: Duration = Duration::from_secs(1);

pub(super) struct Process {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
    group: Group,
    ended: oneshot::Receiver<io::Result<ResUse>>,
    /// The peak that the command's process inherited, as the kernel counts the time before it was another program.
    inherited: u64,
}

/// A process as the thread that waits for it hands it over; dropped, it is killed.
struct Started {
    group: Group,
    stdin: Option<std::process::ChildStdin>,
    stdout: Option<std::process::ChildStdout>,
    stderr: Option<std::process::ChildStderr>,
}

impl Process {
    /// Starts a command, which must have a process group of its own.
    pub(super) async fn start(mut command: Command) -> io::Result<Self> {
        let (starting, started) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        // Only `wait4` tells what a process used, and it blocks for as long as the command runs: too long for the
        // threads that all blocking work shares.
        std::thread::Builder::new().name("noetl-shell".into()).stack_size(STACK).spawn(move || {
            match command.spawn() {
                Err(error) => drop(starting.send(Err(error))),
                Ok(mut child) => {
                    let group = Group(Some(child.id()));
                    let (stdin, stdout, stderr) =
                        (child.stdin.take(), child.stdout.take(), child.stderr.take());
                    // When nobody waits any more this kills it, and the wait is a short one.
                    drop(starting.send(Ok(Started { group, stdin, stdout, stderr })));
                    drop(ending.send(child.wait4()));
                }
            }
        })?;
        let Started { group, stdin, stdout, stderr } = started.await.map_err(|_| lost())??;
        Ok(Self {
            stdin: stdin.map(ChildStdin::from_std).transpose()?,
            stdout: stdout.map(ChildStdout::from_std).transpose()?,
            stderr: stderr.map(ChildStderr::from_std).transpose()?,
            group,
            ended,
            inherited: memory::peak(&"self").unwrap_or(u64::MAX),
        })
    }

    /// Waits for the end, and tells what the process and all that it waited for used.
    pub(super) async fn wait(&mut self) -> io::Result<(ExitStatus, Usage)> {
        let (mut seen, mut pause) = (0, FIRST_LOOK);
        let ResUse { status, rusage } = loop {
            tokio::select! {
                biased;
                ended = &mut self.ended => break ended.map_err(|_| lost())??,
                () = tokio::time::sleep(pause) => {
                    seen = self.group.0.map_or(0, memory::peak_of_family).max(seen);
                    pause = (pause * 2).min(LONGEST_WITHOUT_LOOK);
                }
            }
        };
        let cpu_us = (rusage.utime + rusage.stime).as_micros() as u64;
        // What is not above the inherited peak may be that; what was seen is surely the command's.
        let memory_bytes = if rusage.maxrss > self.inherited { rusage.maxrss } else { seen };
        Ok((status, Usage { cpu_us, memory_bytes, bytes_in: 0 }))
    }

    /// Leaves in peace what a command that has ended left in the background.
    pub(super) fn leave(mut self) {
        self.group.0 = None;
    }
}

fn lost() -> io::Error {
    io::Error::other("the thread that waits for it broke off")
}

/// Kills every process of the group when the work is dropped: on a timeout, on cancel, on shutdown.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            // The group may be gone already, which is as good.
            let _ = killpg(Pid::from_raw(id as i32), Signal::SIGKILL);
        }
    }
}
