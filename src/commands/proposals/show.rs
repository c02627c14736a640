//! One Proposal for people: title, reason, the diff in colour, grounds, promise, risk, history, and what to type next.

use noetl_api::client::Client;
use noetl_api::proposal::{ControlEvent, ControlFilter, Estimate, Proposal, ProposalState};
use serde_json::json;

use super::{interval, number};
use crate::context::Context;
use crate::output;
use crate::terminal::{self, Style};

pub(super) async fn run(context: &Context, client: &Client, id: &str) -> anyhow::Result<()> {
    let proposal = client.proposal(id).await?;
    let filter = ControlFilter { proposal_id: Some(proposal.id.clone()), ..ControlFilter::default() };
    let history = client.control_events(&filter).await?.items;
    if context.json {
        return output::json(&json!({ "proposal": proposal, "history": history }));
    }
    output::text(&told(&proposal, &history, terminal::stdout_style()))?;
    terminal::tell(&next(&proposal));
    Ok(())
}

fn told(proposal: &Proposal, history: &[ControlEvent], style: Style) -> String {
    let proposed = &proposal.proposed;
    let mut out = format!(
        "{}\n{}\n\n{}\n",
        style.bold(&terminal::printable(&proposed.title)),
        style.dim(&format!(
            "{} of {} version {}, {}, written by {}",
            proposed.kind.as_str(),
            proposed.playbook,
            proposed.base_version,
            proposal.state.as_str().replace('_', " "),
            proposed.written_by
        )),
        lines(&proposed.reason),
    );
    if let Some(diff) = &proposed.diff {
        out.push_str(&format!("\n{}", painted(diff, style)));
    }
    let mut rows: Vec<(&str, String)> = Vec::new();
    let grounds = &proposed.grounds;
    if grounds.n > 0 {
        rows.push(("data", format!("{} to {}", output::moment(&grounds.from), output::moment(&grounds.to))));
        rows.push(("n", format!("{}, of which {} censored", grounds.n, grounds.censored)));
        rows.push(("estimate", estimate(&grounds.estimate)));
        rows.push(("as it is", estimate(&grounds.counterfactual)));
        rows.push(("bound", grounds.bound.clone()));
        rows.push(("query", output::one_line(&grounds.query, 300)));
    }
    let effect = &proposed.effect;
    if !effect.metric.is_empty() {
        let metric = effect.metric.as_str();
        rows.push((
            "promises",
            format!(
                "{} {} → {} ({} to {})",
                metric.replace('_', " "),
                number(metric, effect.before),
                number(metric, effect.expected),
                number(metric, effect.low),
                number(metric, effect.high)
            ),
        ));
        if let Some(delivered) = &proposal.delivered {
            rows.push(("delivered", interval(metric, delivered)));
        }
    }
    rows.push(("risk", format!("{}: {}", proposed.risk.as_str(), proposed.risk_note)));
    rows.retain(|(_, text)| !text.is_empty());
    out.push('\n');
    for (name, text) in rows {
        out.push_str(&format!("{}  {}\n", style.dim(&format!("{name:<9}")), terminal::printable(&text)));
    }
    out.push('\n');
    for event in history {
        let why = ["note", "waits"].iter().find_map(|key| event.data[*key].as_str()).unwrap_or_default();
        let why = if why.is_empty() { String::new() } else { format!(": {}", terminal::printable(why)) };
        let at = output::moment(&event.at);
        out.push_str(&format!(
            "{}  {} by {}{why}\n",
            style.dim(&at),
            event.name,
            terminal::printable(&event.actor)
        ));
    }
    out
}

fn estimate(estimate: &Estimate) -> String {
    if estimate.what.is_empty() {
        return String::new();
    }
    format!("{}: {}", estimate.what, value(estimate))
}

/// The number of an estimate with its interval.
pub(super) fn value(estimate: &Estimate) -> String {
    let number = |value: f64| -> String {
        match estimate.unit.as_str() {
            "share" => format!("{:.1} %", value * 100.0),
            unit => format!("{value:.4} {unit}").replace(".0000", ""),
        }
    };
    format!("{} ({} to {})", number(estimate.value), number(estimate.low), number(estimate.high))
}

/// Text of several lines without what a terminal would obey.
fn lines(text: &str) -> String {
    text.lines().map(terminal::printable).collect::<Vec<_>>().join("\n")
}

fn painted(diff: &str, style: Style) -> String {
    let mut out = String::new();
    for line in diff.lines() {
        let text = terminal::printable(line);
        let painted = match line.chars().next() {
            _ if line.starts_with("+++") || line.starts_with("---") => style.dim(&text),
            Some('+') => style.success(&text),
            Some('-') => style.error(&text),
            Some('@') => style.hint(&text),
            _ => text,
        };
        out.push_str(&painted);
        out.push('\n');
    }
    out
}

fn next(proposal: &Proposal) -> String {
    let id = &proposal.id;
    match (proposal.state, &proposal.rollout_id) {
        (ProposalState::Proposed, _) if proposal.proposed.content.is_some() => {
            format!("next: noetl proposals simulate {id}, then approve {id} or reject {id}")
        }
        (ProposalState::Proposed, _) => format!("when it is done: noetl proposals reject {id} --note done"),
        (ProposalState::Canary, Some(rollout)) => format!("next: noetl rollout status {rollout}"),
        (ProposalState::Promoted | ProposalState::Verified | ProposalState::Missed, _) => {
            "next: noetl proposals ledger".to_owned()
        }
        _ => "next: noetl proposals look".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use noetl_api::proposal::{Effect, Grounds, NewProposal};

    use super::*;

    #[test]
    fn one_reads_what_changes_on_what_grounds_and_what_happened() {
        let proposal = Proposal {
            id: "7".to_owned(),
            proposed: NewProposal {
                playbook: "p".to_owned(),
                base_version: 3,
                title: "Try fetch\u{1b}[2J three times".to_owned(),
                reason: "Rate limits pass [e:1].".to_owned(),
                written_by: "rules".to_owned(),
                diff: Some("--- version 3\n+++ proposed\n@@ -1 +1 @@\n-a: 1\n+a: 3\n".to_owned()),
                grounds: Grounds {
                    n: 200,
                    censored: 4,
                    bound: "the policy's max".to_owned(),
                    ..Grounds::default()
                },
                effect: Effect {
                    metric: "failure_rate".to_owned(),
                    before: 0.33,
                    expected: 0.04,
                    low: 0.01,
                    high: 0.08,
                },
                risk_note: "more load".to_owned(),
                ..NewProposal::default()
            },
            ..Proposal::default()
        };
        let made = ControlEvent {
            name: "proposal.made".to_owned(),
            actor: "assistant".to_owned(),
            ..ControlEvent::default()
        };
        let told = told(&proposal, &[made], Style::plain());
        for part in [
            "Try fetch\u{fffd}[2J three times",
            "retry of p version 3, proposed, written by rules",
            "-a: 1\n+a: 3",
            "n          200, of which 4 censored",
            "promises   failure rate 33.0 % → 4.0 % (1.0 % to 8.0 %)",
            "risk       low: more load",
            "proposal.made by assistant",
        ] {
            assert!(told.contains(part), "{part:?} in\n{told}");
        }
    }
}
