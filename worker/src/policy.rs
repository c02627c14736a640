//! Task policies (playbooks.md 8.4): the first rule that matches an outcome orders what happens next.

use std::sync::Arc;

use noetl_domain::code::Code;
use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Directive, Task};

use crate::fields;
use crate::pipeline::Pipeline;
use crate::retry::backoff;

/// What a pipeline does after a Task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    Continue,
    /// Run the Task again after so many seconds.
    Retry(f64),
    Jump(usize),
    Break,
    Fail(TaskError),
}

/// Applies the Task's `set` and the first matching rule.
///
/// After an error the Task's `set` waits for the verdict: it runs only when the pipeline goes on, so that a retry does
/// not see counters overwritten with nothing.
pub(crate) async fn judge(
    pipeline: &mut Pipeline<'_>,
    task: &Task,
    outcome: &Arc<StepResult>,
) -> Result<Order, TaskError> {
    let failed = outcome.error.clone();
    if failed.is_none() {
        pipeline.assign(&task.sets, outcome).await?;
    }
    let Some(error) = failed else {
        return match matching(pipeline, task, outcome).await? {
            Some(directive) => order(pipeline, &directive, None, outcome).await,
            None => Ok(Order::Continue),
        };
    };
    match matching(pipeline, task, outcome).await? {
        None => Ok(Order::Fail(error)),
        Some(directive) => {
            let order = order(pipeline, &directive, Some(error), outcome).await?;
            if !matches!(order, Order::Retry(_) | Order::Fail(_))
                && let Err(error) = pipeline.assign(&task.sets, outcome).await
            {
                let message = format!("set of task {} was left out after an error: {error}", task.name);
                pipeline.job.log(pipeline.index).line("noetl", "warn", message);
            }
            Ok(order)
        }
    }
}

async fn matching(
    pipeline: &mut Pipeline<'_>,
    task: &Task,
    outcome: &Arc<StepResult>,
) -> Result<Option<Directive>, TaskError> {
    for rule in &task.rules {
        let scope = pipeline.with_outcome(outcome);
        let matches = match &rule.when {
            Some(when) => pipeline.base.test(pipeline.job, &scope, when).await?,
            None => true,
        };
        if matches {
            pipeline.assign(&rule.sets, outcome).await?;
            return Ok(Some(rule.directive.clone()));
        }
    }
    Ok(None)
}

async fn order(
    pipeline: &Pipeline<'_>,
    directive: &Directive,
    error: Option<TaskError>,
    outcome: &Arc<StepResult>,
) -> Result<Order, TaskError> {
    match directive {
        Directive::Continue => Ok(Order::Continue),
        Directive::Break => Ok(Order::Break),
        Directive::Fail => Ok(Order::Fail(error.unwrap_or_else(|| {
            TaskError::new("failed_by_rule", "a rule failed this task").with_code(Code::ToolFailed.as_str())
        }))),
        Directive::Jump { to } => jump(pipeline, to).map(Order::Jump),
        Directive::Retry { attempts, backoff: kind, delay_seconds } => {
            let scope = pipeline.with_outcome(outcome);
            let (job, base) = (pipeline.job, pipeline.base);
            let most = fields::integer(&base.value(job, &scope, attempts).await?).unwrap_or(3);
            let attempt = pipeline.state.attempt;
            if i64::from(attempt) >= most {
                return Ok(Order::Fail(error.unwrap_or_else(|| {
                    let message = format!("a rule asked for another try after {attempt} of {most}");
                    TaskError::new("retries_exhausted", message).with_code(Code::ToolFailed.as_str())
                })));
            }
            let delay = fields::seconds(&base.value(job, &scope, delay_seconds).await?).unwrap_or(1.0);
            Ok(Order::Retry(backoff(*kind, delay, attempt)))
        }
    }
}

fn jump(pipeline: &Pipeline<'_>, to: &str) -> Result<usize, TaskError> {
    if matches!(to, "previous" | "prev" | "_previous" | "@previous") {
        return Ok(pipeline.state.task.saturating_sub(1));
    }
    pipeline.step.body.iter().position(|task| task.name == to).ok_or_else(|| {
        let labels: Vec<_> = pipeline.step.body.iter().map(|task| task.name.as_str()).collect();
        let message = format!("a rule jumps to {to:?}; the pipeline has {}", labels.join(", "));
        TaskError::new("config", message).with_code(Code::UnknownTaskLabel.as_str())
    })
}
