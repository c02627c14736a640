//! What a person should know about an execution that runs and does not move: on stderr, beside the answer.

use noetl_api::client::Client;
use noetl_api::execution::UnservedPool;
use noetl_domain::id::ExecutionId;

use crate::terminal::{self, Style};

/// Says which pools an execution waits for in vain.
pub(crate) async fn tell(client: &Client, id: ExecutionId) {
    // The answer that was asked for is there already; whoever cannot be asked for more has nothing to add.
    let Ok(status) = client.status(id).await else { return };
    for pool in &status.unserved {
        terminal::tell(&unserved(pool, terminal::stderr_style()));
    }
}

pub(crate) fn unserved(pool: &UnservedPool, style: Style) -> String {
    let label = style.warning(&format!("waiting[{}]:", pool.code));
    format!("{label} {}\n  {} {}", pool.message, style.hint("hint:"), pool.hint)
}
