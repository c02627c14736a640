//! What the questions to the semantic layer share: filters, connecting, and how numbers look.

use std::time::{Duration, Instant};

use clap::Args;
use noetl_api::client::{Client, ClientError};
use noetl_api::insight::{InsightFilter, Quantiles, Rate};
pub(crate) use noetl_api::show::{bytes, milliseconds, percent};
use noetl_domain::code::Code;

use crate::compose::Layer;
use crate::connect::{Need, connect};
use crate::context::Context;
pub(crate) use crate::output::moment;

#[derive(Clone, Debug, Args)]
pub(crate) struct Window {
    /// How far back: 30m, 24h, 7d, 4w, or a moment such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// How many at most
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<u64>,
}

impl Window {
    pub(crate) fn filter(self) -> InsightFilter {
        InsightFilter { since: self.since, limit: self.limit, ..InsightFilter::default() }
    }
}

/// Asks the server, or the tables of this process once they have caught up.
pub(crate) async fn ask<T>(
    context: &Context,
    question: impl AsyncFn(&Client) -> Result<T, ClientError>,
) -> anyhow::Result<T> {
    ask_after(context, async |layer| layer.tables_caught_up().await, question).await
}

/// The same for questions that vectors answer too.
pub(crate) async fn ask_everything<T>(
    context: &Context,
    question: impl AsyncFn(&Client) -> Result<T, ClientError>,
) -> anyhow::Result<T> {
    ask_after(context, async |layer| layer.caught_up().await, question).await
}

async fn ask_after<T>(
    context: &Context,
    ready: impl AsyncFnOnce(&Layer),
    question: impl AsyncFn(&Client) -> Result<T, ClientError>,
) -> anyhow::Result<T> {
    let connection = connect(context, Need::Insight).await?;
    // A layer that this process has just opened first takes in what happened since it was open last.
    if let Some(layer) = connection.layer() {
        ready(layer).await;
    }
    let answer = patiently(async || question(&connection.client).await).await;
    connection.close().await?;
    Ok(answer?)
}

/// Asks again while the layer is starting.
pub(crate) async fn patiently<T>(
    question: impl AsyncFn() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let began = Instant::now();
    loop {
        match question().await {
            // A server that has just come up opens its engines behind the first requests.
            Err(error) if error.code() == Code::LayerStarting && began.elapsed() < PATIENCE => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            answer => return answer,
        }
    }
}

/// How long a layer that is starting is waited for, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A share with its interval.
pub(crate) fn rate(rate: Rate) -> String {
    format!("{} ({}–{})", percent(rate.value), percent(rate.low), percent(rate.high))
}

pub(crate) fn p50_p95_p99(of: Quantiles) -> [String; 3] {
    [milliseconds(of.p50), milliseconds(of.p95), milliseconds(of.p99)]
}

/// Eight heights of one character each.
pub(crate) fn sparkline(values: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |value: &u64| match value {
        0 => ' ',
        value => HEIGHTS[((value * 7).div_ceil(most) as usize).min(7)],
    };
    values.iter().map(height).collect::<String>().trim_end().to_owned()
}

/// A bar of up to ten characters.
pub(crate) fn bar(share: f64) -> String {
    "█".repeat((share.clamp(0.0, 1.0) * 10.0).round() as usize)
}

/// Several names in little room.
pub(crate) fn few(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one}, {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_where_it_happened() {
        assert_eq!(sparkline(&[0, 1, 7, 0, 0]), " ▂█");
        assert_eq!(sparkline(&[]), "");
    }
}
