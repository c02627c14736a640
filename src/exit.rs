//! Exit statuses: what a script may rely on.

use std::process::ExitCode;

use noetl_domain::event::Status;

use crate::problem::Facts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: the execution COMPLETED, or the command did what it was asked.
    Success,
    /// 1: the execution FAILED, or the command did.
    Failed,
    /// 2: a bad playbook, or a bad command line.
    Usage,
    /// 3: the execution was cancelled.
    Cancelled,
}

impl Exit {
    /// The exit status that an error asks for.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        Facts::of(error).exit.unwrap_or(Self::Failed)
    }
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Running | Status::Completed => Self::Success,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Cancelled => 3,
        })
    }
}
