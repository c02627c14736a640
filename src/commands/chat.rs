//! `noetl chat`: questions in plain words, one on the command line or one after another.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use clap::Args;
use futures::StreamExt as _;
use noetl_api::chat::{ChatAnswer, ChatEvent, ChatRequest, ChatTable, ChatTurn, ColumnKind};
use noetl_api::client::{Client, ClientError};

use super::insight::patiently;
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, problem, prose, terminal};

#[derive(Debug, Args)]
#[command(after_help = "Questions such as:\n  \
                        noetl chat \"what fails most this week and since when?\"\n  \
                        noetl chat \"why did last night's load fail?\"\n\
                        Without a question it asks for one after another; an empty line or Ctrl-D ends it.")]
pub(crate) struct Chat {
    /// The question; without one, questions are read line by line
    #[arg(value_name = "QUESTION")]
    question: Vec<String>,
    /// The playbook that is meant where a question names none
    #[arg(long, value_name = "PATH")]
    playbook: Option<String>,
    /// How far back where a question does not say: 24h, 7d, or a moment
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Where days begin, such as Europe/Berlin or +02:00 [default: the server's own]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Let rules answer, though a model is configured
    #[arg(long, alias = "without-model")]
    no_model: bool,
    /// Show every row, the evidence, and the SQL behind the tables
    #[arg(long, short)]
    verbose: bool,
}

/// Rows of a table that are shown without `--verbose`.
const ROWS: usize = 15;
/// Characters of a cell that are shown.
const CELL: usize = 60;
/// Turns that are sent along.
const TURNS: usize = 20;

impl Chat {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, Need::Insight).await?;
            if let Some(layer) = connection.layer() {
                layer.caught_up().await;
            }
            let done = if self.question.is_empty() {
                self.converse(&connection.client, context.json).await
            } else {
                let request = self.request(self.question.join(" "), &[]);
                match ask(&connection.client, &request).await {
                    Ok(answer) if context.json => output::json(&answer),
                    Ok(answer) => self.show(&answer),
                    Err(error) => Err(error.into()),
                }
            };
            connection.close().await?;
            done.map(|()| Exit::Success)
        })
    }

    fn request(&self, question: String, turns: &[ChatTurn]) -> ChatRequest {
        ChatRequest {
            question,
            messages: turns[turns.len().saturating_sub(TURNS)..].to_vec(),
            playbook: self.playbook.clone(),
            since: self.since.clone(),
            timezone: self.timezone.clone(),
            without_model: self.no_model,
        }
    }

    /// Question after question; one that fails ends nothing.
    async fn converse(&self, client: &Client, json: bool) -> anyhow::Result<()> {
        let is_terminal = std::io::stdin().is_terminal();
        if is_terminal {
            terminal::tell("ask in plain words; \"help\" lists what can be answered, an empty line ends");
        }
        let mut turns: Vec<ChatTurn> = Vec::new();
        while let Some(question) = next_line(is_terminal)? {
            match ask(client, &self.request(question, &turns)).await {
                Ok(answer) => {
                    if json {
                        output::json_line(&answer)?;
                    } else {
                        self.show(&answer)?;
                    }
                    turns.push(answer.done.turn);
                }
                Err(error) => problem::report(&error.into()),
            }
        }
        Ok(())
    }

    fn show(&self, answer: &ChatAnswer) -> anyhow::Result<()> {
        let style = terminal::stdout_style();
        let understood = &answer.understood;
        if !understood.reading.is_empty() {
            let reading = terminal::printable(&understood.reading);
            terminal::tell(&format!("I read this as: {reading}"));
        }
        output::text(&prose::lines(&answer.text).join("\n"))?;
        for example in &answer.done.examples {
            output::text(&format!("  {example}"))?;
        }
        for table in &answer.tables {
            output::text(&format!("\n{}", style.dim(&table.title)))?;
            self.table(table)?;
        }
        for draft in &answer.drafts {
            output::text(&format!(
                "\n{}  {}",
                style.dim("draft, nothing was changed"),
                terminal::printable(&draft.title)
            ))?;
            output::text(draft.diff.as_deref().or(draft.content.as_deref()).unwrap_or_default())?;
        }
        if self.verbose && !answer.citations.is_empty() {
            output::text(&format!("\n{}", style.dim("evidence")))?;
            for item in &answer.citations {
                let excerpt = terminal::printable(&output::one_line(&item.excerpt, 200));
                output::text(&format!("  {}  {excerpt}", style.dim(&item.reference)))?;
            }
        }
        for note in &answer.done.notes {
            terminal::tell(&format!("note: {}", terminal::printable(note)));
        }
        Ok(())
    }

    fn table(&self, table: &ChatTable) -> anyhow::Result<()> {
        let rows = if self.verbose { table.rows.len() } else { table.rows.len().min(ROWS) };
        let is_shown = |column: &usize| (0..rows).any(|row| !table.shown(row, *column).is_empty());
        let columns: Vec<usize> = (0..table.columns.len()).filter(is_shown).collect();
        let names: Vec<String> =
            columns.iter().map(|column| table.columns[*column].name.to_uppercase()).collect();
        let mut printed = output::Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for row in 0..rows {
            printed.row(columns.iter().map(|column| {
                let text = table.shown(row, *column);
                let is_text = matches!(table.columns[*column].kind, ColumnKind::Text | ColumnKind::Template);
                let most = if is_text && !self.verbose { CELL } else { usize::MAX };
                terminal::printable(&output::one_line(&text, most))
            }));
        }
        printed.print()?;
        if rows < table.rows.len() {
            terminal::tell(&format!("{} more rows; --verbose shows them", table.rows.len() - rows));
        }
        if let (true, Some(query)) = (self.verbose, &table.query) {
            output::text(&terminal::stdout_style().dim(&format!("noetl sql \"{query}\"")))?;
        }
        Ok(())
    }
}

/// Follows an answer to its end; tools of a model take a while, so they are told as they come.
async fn ask(client: &Client, request: &ChatRequest) -> Result<ChatAnswer, ClientError> {
    patiently(async || {
        let mut answer = ChatAnswer::default();
        let mut parts = client.chat_stream(request).await?;
        while let Some(part) = parts.next().await {
            let part = part?;
            if let ChatEvent::Tool(tool) = &part
                && !answer.tools.is_empty()
            {
                terminal::tell(&format!("asked {} ({:.0} ms)", tool.name, tool.took_ms));
            }
            answer.add(part).map_err(|body| ClientError::Refused { status: 200, body })?;
        }
        Ok(answer)
    })
    .await
}

/// The next question; none at the end, or after an empty line.
fn next_line(is_terminal: bool) -> anyhow::Result<Option<String>> {
    if is_terminal {
        let mut stderr = std::io::stderr().lock();
        // A closed stderr leaves nobody to prompt.
        let _ = write!(stderr, "> ").and_then(|()| stderr.flush());
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).context("cannot read the next question")?;
    let line = line.trim();
    Ok((read > 0 && !line.is_empty()).then(|| line.to_owned()))
}
