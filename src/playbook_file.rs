//! Playbook files: which ones are meant, what is in them, and everything that is wrong with them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use noetl_domain::dialect;
use noetl_domain::finding::{Finding, Severity, has_errors};
use noetl_domain::lint::{self, Linted, ToolSchemas};
use noetl_domain::playbook::Playbook;
use noetl_domain::yaml;

use noetl_worker::registry;

use crate::problem::Problem;
use crate::terminal::{self, Style};

/// A file whose playbook is valid.
#[derive(Clone, Debug)]
pub(crate) struct PlaybookFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) playbook: Playbook,
}

/// A file as it was judged.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) playbook: Option<Playbook>,
    pub(crate) findings: Vec<Finding>,
}

impl Judged {
    pub(crate) fn is_refused(&self) -> bool {
        self.playbook.is_none() || has_errors(&self.findings)
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// The file itself, or every YAML file below a directory, in order.
pub(crate) fn below(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !path.is_dir() {
        return if path.exists() {
            // A pipe, such as a shell's `<(…)`.
            Ok(vec![path.to_owned()])
        } else {
            Err(Problem::usage(format!("there is no file or directory {}", path.display()))
                .hint("name a playbook, such as examples/hello.yaml, or a directory of them")
                .into())
        };
    }
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory)
            .with_context(|| Problem::usage(format!("cannot list {}", directory.display())))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", directory.display()))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        return Err(Problem::usage(format!("there is no .yaml file below {}", path.display()))
            .hint("playbooks end in .yaml or .yml; name a file to read it whatever it is called")
            .into());
    }
    files.sort();
    Ok(files)
}

pub(crate) fn judge(path: &Path) -> anyhow::Result<Judged> {
    let bytes = read_bounded(path).with_context(|| {
        Problem::usage(format!("cannot read the playbook {}", path.display()))
            .hint("is it a file that you may read?")
    })?;
    let Linted { playbook, findings } = lint::lint_bytes(&bytes, &tools());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Judged { path: path.to_owned(), text, playbook, findings })
}

/// A little more than a playbook may have is enough to refuse it; a device may never end.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(yaml::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads files whose every playbook is valid; otherwise all findings of all files are the error.
pub(crate) fn read_all(files: &[PathBuf]) -> anyhow::Result<Vec<PlaybookFile>> {
    let judged: Vec<Judged> = files.iter().map(|file| judge(file)).collect::<anyhow::Result<_>>()?;
    let refused = judged.iter().filter(|judged| judged.is_refused()).count();
    for judged in &judged {
        if !judged.findings.is_empty() {
            terminal::tell(&render(judged, terminal::stderr_style()));
            terminal::tell("");
        }
    }
    if refused > 0 {
        let what = if files.len() == 1 { "the playbook is" } else { "some playbooks are" };
        let problem = Problem::usage(format!("{what} not valid; nothing was registered or run"));
        return Err(match judged
            .iter()
            .flat_map(|judged| &judged.findings)
            .find(|finding| finding.severity == Severity::Error)
        {
            Some(first) => {
                problem.code(first.code).hint("`noetl lint FILE` checks it again without running it")
            }
            None => problem,
        }
        .into());
    }
    Ok(judged
        .into_iter()
        .filter_map(|judged| {
            Some(PlaybookFile { path: judged.path, text: judged.text, playbook: judged.playbook? })
        })
        .collect())
}

/// Every finding of a file, each with its line and a caret.
pub(crate) fn render(judged: &Judged, style: Style) -> String {
    let file = judged.path.display().to_string();
    if style.is_on() {
        lint::render_colored(&judged.findings, &file, &judged.text)
    } else {
        lint::render(&judged.findings, &file, &judged.text)
    }
}

/// The fields that each tool takes, so that a misspelt one is found before anything runs.
pub(crate) fn tools() -> ToolSchemas {
    registry::schemas().into_iter().map(|(kind, tool)| (kind, tool.schema)).collect()
}

/// How a server of this process judges what is registered: as `noetl lint` does.
pub(crate) fn reader() -> impl Fn(&str) -> Linted + Send + Sync + 'static {
    let tools = tools();
    move |text| lint::lint(text, &tools)
}

/// The playbook in today's words.
pub(crate) fn canonical(file: &PlaybookFile) -> String {
    dialect::canonical(&file.playbook)
}
