//! `noetl fingerprint [FILE]`: which of many messages say the same thing. Needs no server.

mod lines;
mod tally;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use noetl_domain::fingerprint::{Config, Id, Miner};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};
use lines::{Lines, Window};
use tally::Tally;

/// Group messages that say the same thing, one message per line
///
/// Values (ids, numbers, paths, addresses, times) are masked, and so are words that vary as names do.
/// With --json every line gets its id and template, in order, as soon as the input pauses;
/// without it the templates are listed, the most frequent first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        noetl fingerprint app.log\n  \
        tail -f app.log | noetl fingerprint --json")]
pub(crate) struct Fingerprint {
    /// File with one message per line [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Fingerprint {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let file = self.file.filter(|file| file.as_os_str() != "-");
        if file.is_none() && std::io::stdin().is_terminal() {
            terminal::tell("reading messages from the terminal, one a line; Ctrl-D ends them");
        }
        let mut lines = Lines::open(file.as_deref())?;
        let mut miner = Miner::new(Config::default());
        let mut tally = Tally::default();
        while let Some(window) = lines.next_window()? {
            if context.json {
                output::as_is(&labelled(&mut miner, &window)?)?;
            } else {
                tally.add(&mut miner, &window);
            }
        }
        if !context.json {
            print(&miner, tally)?;
        }
        Ok(Exit::Success)
    }
}

/// The lines of a window as JSON, each with its id and template.
fn labelled(miner: &mut Miner, window: &Window) -> anyhow::Result<String> {
    let matches = miner.observe_all(window.lines.iter().map(String::as_str));
    let mut text = String::new();
    let mut said: HashMap<Id, String> = HashMap::new();
    for (number, found) in (window.first..).zip(matches) {
        let template = said.entry(found.id).or_insert_with(|| miner.describe(found.id).1);
        let line = json!({ "line": number, "id": found.id, "template": template });
        writeln!(text, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(text)
}

fn print(miner: &Miner, tally: Tally) -> anyhow::Result<()> {
    let (clusters, unlisted) = tally.finish(miner);
    let mut table = output::Table::new(&["COUNT", "ID", "FIRST", "LAST", "TEMPLATE", "EXAMPLE"]);
    for cluster in clusters {
        table.row([
            cluster.count.to_string(),
            cluster.id.to_string(),
            cluster.first.to_string(),
            cluster.last.to_string(),
            terminal::printable(&cluster.template),
            terminal::printable(&cluster.example),
        ]);
    }
    table.print()?;
    if unlisted > 0 {
        terminal::tell(&format!(
            "{unlisted} lines of rare templates are not listed: there were too many templates to remember"
        ));
    }
    Ok(())
}
