//! `noetl knowledge add|list|remove`: documents that are searched beside what past runs tell.

mod documents;

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use noetl_api::client::{Client, ClientError};
use noetl_api::knowledge::{KnowledgeAdded, KnowledgeList, KnowledgeRemoved};
use noetl_domain::code::Code;

use self::documents::{Document, Named};
use super::insight::{bytes, patiently};
use crate::connect::{Connection, Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::{Facts, Problem};
use crate::{output, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Knowledge {
    /// Take in files, the documents of a directory, or pages of the web
    Add(Add),
    /// List the documents that are searched
    List,
    /// Remove a document, or all that were added with a directory
    Remove {
        /// As `noetl knowledge list` shows it
        #[arg(value_name = "SOURCE")]
        source: String,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Of a directory, files that end in .md, .markdown, .txt, .rst, .html and .htm are taken, at any depth.\n\
                  A source that is added again takes the place of the one before; what has not changed is not embedded again."
)]
pub(crate) struct Add {
    #[arg(required = true, value_name = "FILE|DIR|URL")]
    places: Vec<String>,
    /// What the document is known by, instead of its path or address
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
}

impl Knowledge {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            match self {
                Self::Add(add) => add.run(context).await,
                Self::List => list(context).await,
                Self::Remove { source } => remove(context, &source).await,
            }
        })
    }
}

impl Add {
    async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        // What was typed is judged before anything is opened.
        let found = documents::find(&self.places, self.name.as_deref())?;
        let connection = opened(context).await?;
        let taken = take_in(context, &connection.client, &found).await;
        connection.close().await?;
        let added = taken?;
        if context.json {
            output::json(&added)?;
        } else if found.len() > 1 {
            let all = added.iter().map(|added| added.source.passages).sum();
            terminal::tell(&format!("{} documents, {}", added.len(), passages(all)));
        }
        Ok(Exit::Success)
    }
}

/// A server, or the layer of this process with its vector store open.
async fn opened(context: &Context) -> anyhow::Result<Connection> {
    let connection = connect(context, Need::Insight).await?;
    if let Some(layer) = connection.layer() {
        layer.takes_documents().await;
    }
    Ok(connection)
}

async fn take_in(
    context: &Context,
    client: &Client,
    found: &[Document],
) -> anyhow::Result<Vec<KnowledgeAdded>> {
    let bar = progress(found.len());
    let mut added = Vec::new();
    for document in found {
        bar.set_message(document.name().to_owned());
        match one(client, document).await {
            Ok(one) => {
                if !context.json {
                    bar.suspend(|| output::text(&told(&one)))?;
                }
                added.push(one);
            }
            // A directory may hold files that say nothing; what was named is meant.
            Err(error) if !document.is_named() && is_about_document(&error) => {
                bar.suspend(|| terminal::tell(&format!("left out: {error:#}")));
            }
            Err(error) => {
                bar.finish_and_clear();
                return Err(error);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if added.is_empty() {
        return Err(Problem::new("no document was taken in").code(Code::DocumentRefused).into());
    }
    Ok(added)
}

async fn one(client: &Client, document: &Document) -> anyhow::Result<KnowledgeAdded> {
    let attempted = || format!("cannot take in {}", document.name());
    let request = document.read().await.with_context(attempted)?;
    patiently(async || client.add_knowledge(&request).await).await.with_context(attempted)
}

fn is_about_document(error: &anyhow::Error) -> bool {
    Facts::of(error).code == Some(Code::DocumentRefused)
}

/// A line on stderr for those who look at it; a pipe gets nothing.
fn progress(documents: usize) -> ProgressBar {
    let bar = ProgressBar::new(documents as u64);
    // The words are ours, so they can be read.
    let style = ProgressStyle::with_template("{spinner} {pos} of {len}  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn told(added: &KnowledgeAdded) -> String {
    let source = &added.source;
    let mut line = format!("{}: {}", source.source, passages(source.passages));
    if added.new < source.passages || added.gone > 0 {
        line.push_str(&format!(" ({} new, {} gone)", added.new, added.gone));
    }
    line
}

fn passages(count: u64) -> String {
    if count == 1 { "1 passage".to_owned() } else { format!("{count} passages") }
}

async fn list(context: &Context) -> anyhow::Result<Exit> {
    let connection = connect(context, Need::Read).await?;
    let known = connection.client.knowledge().await?;
    connection.close().await?;
    if context.json {
        output::json(&known)?;
    } else if known.sources.is_empty() {
        terminal::tell("no documents; add some: noetl knowledge add docs/");
    } else {
        print(&known)?;
    }
    Ok(Exit::Success)
}

fn print(known: &KnowledgeList) -> anyhow::Result<()> {
    let mut table = output::Table::new(&["SOURCE", "PASSAGES", "SIZE", "ADDED", "TITLE"]);
    for source in &known.sources {
        table.row([
            source.source.clone(),
            source.passages.to_string(),
            bytes(source.bytes as f64),
            output::moment(&source.added_at),
            source.title.clone(),
        ]);
    }
    table.print()
}

async fn remove(context: &Context, source: &str) -> anyhow::Result<Exit> {
    let connection = opened(context).await?;
    let removed = remove_from(&connection.client, &Named::of(source).name).await;
    connection.close().await?;
    let removed = removed?;
    if context.json {
        output::json(&removed)?;
    } else {
        let lines = removed.iter().map(|one| format!("removed {}: {}", one.source, passages(one.passages)));
        output::text(&lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Exit::Success)
}

/// The source of this name, or else every source below a directory of this name.
async fn remove_from(client: &Client, name: &str) -> Result<Vec<KnowledgeRemoved>, ClientError> {
    let unknown = match patiently(async || client.remove_knowledge(name).await).await {
        Ok(removed) => return Ok(vec![removed]),
        Err(error) if error.code() == Code::UnknownSource => error,
        Err(error) => return Err(error),
    };
    let directory = format!("{}/", name.trim_end_matches('/'));
    let mut removed = Vec::new();
    for known in client.knowledge().await?.sources {
        if known.source.starts_with(&directory) {
            removed.push(client.remove_knowledge(&known.source).await?);
        }
    }
    if removed.is_empty() { Err(unknown) } else { Ok(removed) }
}
