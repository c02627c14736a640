//! `noetl mcp`: the questions of `noetl chat` as tools for other assistants, on standard input and output.

use std::sync::Arc;

use clap::Args;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "It speaks the Model Context Protocol: other programs start it and talk to it.\n\
                        Claude Code:  claude mcp add noetl -- noetl mcp\n\
                        A server that runs offers the same at http://127.0.0.1:8082/mcp.\n\
                        Every tool reads; none changes anything.")]
pub(crate) struct Mcp {}

impl Mcp {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, Need::Insight).await?;
            if let Some(layer) = connection.layer() {
                layer.tables_caught_up().await;
            }
            let spoken = noetl_assistant::mcp::serve_stdio(Arc::new(connection.client.clone())).await;
            connection.close().await?;
            spoken?;
            Ok(Exit::Success)
        })
    }
}
