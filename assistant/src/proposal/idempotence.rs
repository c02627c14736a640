//! Whether a step may be tried more often, as the domain says it to the control plane too.

use noetl_domain::playbook::Step;
use noetl_domain::tuning::not_repeatable;

/// Why it may; otherwise why not, as a sentence for people.
pub(crate) fn may_repeat(step: &Step) -> Result<&'static str, String> {
    match not_repeatable(step) {
        None if step.idempotent == Some(true) => Ok("the step is marked `idempotent: true`"),
        None => Ok("its tools only read, or write the same again"),
        Some(why) => Err(format!("{why}; mark it `idempotent: true` if it may run twice")),
    }
}
