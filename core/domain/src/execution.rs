//! An Execution: the state folded from a log of Events, and the rules that say what follows.
//!
//! [`Execution::apply`] folds, [`decide()`] answers one Event with what follows from it, and [`Advance`] drives both
//! until nothing more follows.
//! None of them observes the world; a result that lies outside the log is asked for through [`Needs`].

mod advance;
mod apply;
mod called;
pub mod collection;
mod command;
mod control;
mod decide;
mod enter;
mod exit;
mod failure;
mod graph;
mod loops;
mod plan;
mod reads;
mod recover;
mod route;
mod scope;
mod settle;
mod start;
mod state;
mod tally;
mod undefined;
mod wake;

pub use advance::{Advance, ChildStart, Object, Timer};
pub use control::{ControlError, cancel, finalize, retry};
pub use decide::{Decision, Needs, decide};
pub use plan::Plan;
pub use start::{Request, StartError, merge_workload, request};
pub use state::{Answer, Execution, Flight, LoopState, Parked, Phase, Segment, StepState, Token};
pub use tally::Tally;

/// Results larger than this many bytes of JSON lie outside the log.
pub const INLINE_LIMIT: usize = 64 * 1024;
