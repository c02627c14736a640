//! How a command names an execution: by its id, or `last`.

use std::str::FromStr;

use noetl_api::client::Client;
use noetl_api::execution::ExecutionFilter;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;

use crate::problem::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Id(ExecutionId),
    /// The one that was started most recently.
    Last,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "last" | "latest" => Ok(Self::Last),
            _ => text.parse().map(Self::Id).map_err(|_| {
                "an execution is named by the digits of its id, or `last`; `noetl executions` lists them"
                    .to_owned()
            }),
        }
    }
}

impl Which {
    pub(crate) async fn find(self, client: &Client) -> anyhow::Result<ExecutionId> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Last => {
                let filter = ExecutionFilter { limit: Some(1), ..ExecutionFilter::default() };
                let newest = client.executions(&filter).await?;
                newest.first().map(|summary| summary.execution_id).ok_or_else(|| {
                    Problem::new("there is no execution yet")
                        .code(Code::UnknownExecution)
                        .hint("start one: noetl run examples/hello.yaml")
                        .into()
                })
            }
        }
    }
}
