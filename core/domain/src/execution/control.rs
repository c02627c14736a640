//! What people may order: cancel, finalize, retry.

use super::state::{Execution, Phase};
use crate::code::Code;
use crate::event::{Event, Finished, Status};

/// An order that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ControlError {
    pub code: Code,
    pub message: String,
}

/// Ends an Execution because somebody asked for it.
pub fn cancel(execution: &Execution, reason: Option<String>) -> Result<Event, ControlError> {
    still_running(execution, "cancelled")?;
    Ok(finished(execution, Status::Cancelled, reason.or_else(|| Some("cancelled by request".to_owned()))))
}

/// Forces a final state on an Execution that is stuck.
pub fn finalize(
    execution: &Execution,
    status: Status,
    reason: Option<String>,
) -> Result<Event, ControlError> {
    still_running(execution, "finalized")?;
    if !status.is_final() {
        return Err(ControlError {
            code: Code::InvalidRequest,
            message: "RUNNING is not a final state".to_owned(),
        });
    }
    Ok(finished(execution, status, reason))
}

/// Runs a finished Execution again from the Steps that failed, or from one Step, keeping every other result.
pub fn retry(execution: &Execution, from: Option<&str>) -> Result<Event, ControlError> {
    if execution.status == Status::Running {
        let message = format!("execution {} is still running", execution.id);
        return Err(ControlError { code: Code::InvalidRequest, message });
    }
    let steps = match from {
        Some(step) if execution.steps.contains_key(step) => vec![step.to_owned()],
        Some(step) => {
            let known: Vec<&str> = execution.steps.keys().map(String::as_str).collect();
            let message =
                format!("step {step:?} did not run in this execution; these did: {}", known.join(", "));
            return Err(ControlError { code: Code::UnknownStep, message });
        }
        None => {
            let failed = execution
                .steps
                .iter()
                .filter(|(name, state)| state.phase == Phase::Failed && !execution.handled.contains(name));
            failed.map(|(name, _)| name.clone()).collect()
        }
    };
    if steps.is_empty() {
        let message = format!(
            "no step of execution {} failed; name one to run again from there: --from STEP",
            execution.id
        );
        return Err(ControlError { code: Code::InvalidRequest, message });
    }
    Ok(Event::ExecutionRetried { steps, reason: from.map_or("failed steps", |_| "from a step").to_owned() })
}

fn still_running(execution: &Execution, order: &str) -> Result<(), ControlError> {
    if execution.status == Status::Running {
        return Ok(());
    }
    let message =
        format!("execution {} cannot be {order}: it is {} already", execution.id, execution.status.as_str());
    Err(ControlError { code: Code::AlreadyFinished, message })
}

fn finished(execution: &Execution, status: Status, reason: Option<String>) -> Event {
    let error = (status == Status::Failed).then(|| {
        crate::error::TaskError::new(
            "finalized",
            reason.clone().unwrap_or_else(|| "finalized as failed".to_owned()),
        )
    });
    Event::ExecutionFinished(Box::new(Finished {
        status,
        result_step: execution.last_completed.clone(),
        error,
        failed_steps: execution.failed.clone(),
        handled_failures: execution.handled.clone(),
        reason,
    }))
}
