//! Event names of older generations, for queries (playbooks.md 19.1).

/// The names in our log that a name of any generation stands for; an unknown name stands for itself.
///
/// Moments that are no Event of their own here answer with the Event that tells of them:
/// a claim or a start is in the Command's issue, a loop's iterations are in the calls.
pub fn canonical_names(name: &str) -> Vec<&str> {
    match name {
        "execution_start"
        | "playbook_started"
        | "playbook_initialized"
        | "workflow_initialized"
        | "workflow.initialized"
        | "playbook.execution.requested"
        | "workflow.started" => vec!["playbook.initialized"],
        "step_start" | "step_started" | "step.scheduled" | "step.started" => vec!["step.enter"],
        "step_skip" | "step_skipped" => vec!["step.skipped"],
        "command.claimed" | "command.started" | "action_started" | "task.started" | "task_start" => {
            vec!["command.issued"]
        }
        "action_completed" | "command.completed" | "task.done" => vec!["call.done"],
        "action_error" | "action_failed" | "command.failed" | "task.failed" | "error" => vec!["call.error"],
        "task_end" | "loop_iteration" | "iteration_completed" | "loop.item" => {
            vec!["call.done", "call.error"]
        }
        "step_complete" | "step_completed" | "step_failed" | "step_result" | "step.done" | "step.failed"
        | "result.stored" => vec!["step.exit"],
        "loop_start" | "iterator_started" => vec!["loop.started"],
        "end_loop" | "iterator_completed" | "loop.fanin.completed" | "loop.shard.done" => vec!["loop.done"],
        "retries" => vec!["execution.retried"],
        "playbook_completed" | "workflow_completed" | "workflow.completed" => vec!["playbook.completed"],
        "playbook_failed" | "workflow_failed" | "workflow.failed" => vec!["playbook.failed"],
        "playbook_cancelled" | "playbook.cancelled" => vec!["execution.cancelled"],
        "execution_complete" | "workflow.finished" | "playbook.processed" => {
            vec!["playbook.completed", "playbook.failed", "execution.cancelled"]
        }
        other => vec![other],
    }
}
