//! The catalog: named, versioned Playbooks, and resources of other kinds that are kept as they are.
//!
//! A playbook is registered whole or not at all, with all its findings; what runs later is what was registered, also
//! when a newer reader would take the text differently.

mod cache;
mod content;
mod form;
mod rows;
mod splits;

use std::sync::Arc;

use noetl_domain::code::Code;
use noetl_domain::dialect;
use noetl_domain::execution::Plan;
use noetl_domain::finding::{Finding, has_errors};
use noetl_domain::id::ExecutionId;
use noetl_domain::lint::{self, Linted, ToolSchemas};
use noetl_domain::playbook::Playbook;
use noetl_domain::rollout::Assigned;
use noetl_domain::{Map, Value};

use crate::error::ServerError;
use crate::ids::{Ids, now_ms};
use crate::orchestrator::{PlanSource, Which};
use crate::proposals::Transition;
use crate::schedule::{ScheduleError, Schedules};
use crate::store::{SqliteStore, StoreError};
use cache::Cache;
pub(crate) use splits::{Split, Splits};

pub const PLAYBOOK: &str = "Playbook";

/// How the text of a playbook is read and judged.
pub type Reader = dyn Fn(&str) -> Linted + Send + Sync;

/// Clones share everything.
#[derive(Clone)]
pub struct Catalog {
    store: SqliteStore,
    ids: Arc<Ids>,
    schedules: Schedules,
    reader: Arc<Reader>,
    cache: Arc<Cache>,
    pub(crate) splits: Arc<Splits>,
    /// One change at a time, so that versions and declared schedules agree.
    changing: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Something to register.
#[derive(Clone, Debug, Default)]
pub struct NewResource {
    /// YAML text, plain or base64.
    pub content: String,
    /// None: what the document says, else a playbook.
    pub kind: Option<String>,
    /// Where to register it when the document names no path.
    pub path: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Registration {
    pub entry: Entry,
    /// Warnings.
    pub findings: Vec<Finding>,
}

/// One version of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub catalog_id: u64,
    pub path: String,
    pub version: u32,
    pub kind: String,
    pub name: String,
    pub description: Option<String>,
    /// The text as registered; lists leave it empty.
    pub content: String,
    /// The playbook in its canonical form; lists leave it out.
    pub payload: Value,
    /// `labels`, `dialect`.
    pub meta: Map,
    /// Unix milliseconds.
    pub created_ms: i64,
    pub archived_ms: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct CatalogQuery {
    /// Any case, singular or plural.
    pub kind: Option<String>,
    pub path: Option<String>,
    pub include_archived: bool,
    /// Every version instead of the newest of each path.
    pub all_versions: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("the playbook was refused")]
    Refused { text: String, findings: Vec<Finding> },
    #[error("the content is neither YAML text nor base64 of it")]
    Content,
    #[error("{0}")]
    Invalid(&'static str),
    #[error("nothing is registered as {0}")]
    Unknown(String),
    #[error("{path} is a {kind}, not a playbook")]
    NotAPlaybook { path: String, kind: String },
    #[error("a schedule of the playbook was refused")]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CatalogError> for ServerError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Refused { text, findings } => Self::findings(&text, &findings),
            CatalogError::Schedule(error) => error.into(),
            CatalogError::Store(error) => error.into(),
            CatalogError::Content | CatalogError::Invalid(_) => Self::invalid(error.to_string()),
            CatalogError::Unknown(_) => {
                Self::new(Code::UnknownPlaybook, error.to_string()).hint("noetl catalog list playbook")
            }
            CatalogError::NotAPlaybook { .. } => Self::new(Code::NotAPlaybook, error.to_string()),
        }
    }
}

impl Catalog {
    pub fn new(store: SqliteStore, ids: Arc<Ids>, schedules: Schedules) -> Self {
        Self {
            store,
            ids,
            schedules,
            reader: Arc::new(read),
            cache: Arc::default(),
            splits: Arc::default(),
            changing: Arc::default(),
        }
    }

    /// Judges playbooks by more than the domain alone knows (the tools' schemas).
    #[must_use]
    pub fn with_reader(mut self, reader: impl Fn(&str) -> Linted + Send + Sync + 'static) -> Self {
        self.reader = Arc::new(reader);
        self
    }

    /// Reads a playbook without registering it.
    pub fn check(&self, content: &str) -> Result<(String, Linted), CatalogError> {
        let text = content::decode(content).ok_or(CatalogError::Content)?;
        let reading = (self.reader)(&text);
        Ok((text, reading))
    }

    /// Registers the next version of a path, with the schedules that a playbook declares.
    pub async fn register(&self, new: NewResource) -> Result<Registration, CatalogError> {
        let text = content::decode(&new.content).ok_or(CatalogError::Content)?;
        let outline = content::Outline::of(&text);
        let kind = canonical_kind(new.kind.as_deref().or(outline.kind.as_deref()).unwrap_or(PLAYBOOK));
        if kind == "Credential" {
            return Err(CatalogError::Invalid(
                "a credential belongs in the vault: noetl credential register FILE",
            ));
        }
        if kind == PLAYBOOK {
            return self.register_playbook(text, new.path).await;
        }
        let path =
            outline.path.or(new.path).ok_or(CatalogError::Invalid("the resource has no path and no name"))?;
        let entry = Entry {
            catalog_id: self.ids.next_id(),
            name: outline.name.unwrap_or_else(|| path.clone()),
            path: checked_path(&path)?,
            version: 0,
            kind,
            description: outline.description,
            content: text,
            payload: Value::Null,
            meta: Map::new(),
            created_ms: now_ms(),
            archived_ms: None,
        };
        let _changing = self.changing.lock().await;
        let entry = self.insert(entry, None, None).await?;
        Ok(Registration { entry, findings: Vec::new() })
    }

    /// Registers the version after `base` together with what follows from it, all or nothing; `None` when `base` is not
    /// the newest version any more.
    pub(crate) async fn register_after(
        &self,
        base: (&str, u32),
        text: String,
        follows: impl FnOnce(u32) -> Transition + Send,
    ) -> Result<Option<Registration>, CatalogError> {
        let (path, version) = base;
        let Linted { playbook, findings } = (self.reader)(&text);
        let Some(mut playbook) = playbook.filter(|_| !has_errors(&findings)) else {
            return Err(CatalogError::Refused { text, findings });
        };
        path.clone_into(&mut playbook.path);
        let now = now_ms();
        let _changing = self.changing.lock().await;
        let newest = rows::by_path(&self.store, path, None).await?;
        if newest.is_none_or(|newest| newest.version != version) {
            return Ok(None);
        }
        let declared = self.schedules.plan_declared(path, &playbook.schedules, now).await?;
        let next = rows::next_version(&self.store, path).await?;
        let follows = follows(next);
        let entry = entry_of(&playbook, text, self.ids.next_id(), now)?;
        // Set before the version is there, so that nobody gets it unasked.
        self.splits.set(path, follows.split);
        let entry = match self.insert(entry, Some(&declared), Some(&follows)).await {
            Ok(entry) => entry,
            Err(error) => {
                self.splits.remove(path);
                return Err(error);
            }
        };
        self.cache.keep(Arc::new(Plan::new(playbook, entry.version, entry.catalog_id.to_string())));
        self.schedules.tell_changed();
        Ok(Some(Registration { entry, findings }))
    }

    /// The version that Executions by path get that are in no canary.
    pub(crate) async fn stable(&self, path: &str) -> Result<Entry, CatalogError> {
        let stable = self.splits.of(path).map(|split| split.stable);
        self.get(&Which::Path(path.to_owned(), stable)).await
    }

    async fn register_playbook(
        &self,
        text: String,
        path: Option<String>,
    ) -> Result<Registration, CatalogError> {
        let Linted { playbook, mut findings } = (self.reader)(&text);
        let Some(mut playbook) = playbook.filter(|_| !has_errors(&findings)) else {
            return Err(CatalogError::Refused { text, findings });
        };
        if playbook.path.is_empty() {
            playbook.path = path.unwrap_or_else(|| playbook.name.clone());
        }
        playbook.path = checked_path(&playbook.path)?;
        let now = now_ms();
        let _changing = self.changing.lock().await;
        let declared = match self.schedules.plan_declared(&playbook.path, &playbook.schedules, now).await {
            Ok(declared) => declared,
            Err(ScheduleError::Store(error)) => return Err(error.into()),
            Err(error) => {
                let span = dialect::read(&text).source.span("schedules");
                let mut finding = Finding::error(error.code(), span, error.to_string());
                finding.hint = error.hint();
                findings.push(finding);
                return Err(CatalogError::Refused { text, findings });
            }
        };
        let entry =
            self.insert(entry_of(&playbook, text, self.ids.next_id(), now)?, Some(&declared), None).await?;
        let plan = Plan::new(playbook, entry.version, entry.catalog_id.to_string());
        self.cache.keep(Arc::new(plan));
        self.schedules.tell_changed();
        Ok(Registration { entry, findings })
    }

    async fn insert(
        &self,
        mut entry: Entry,
        declared: Option<&[crate::schedule::Schedule]>,
        follows: Option<&Transition>,
    ) -> Result<Entry, CatalogError> {
        entry.version = rows::insert(&self.store, &entry, declared, follows).await?;
        self.cache.forget(&entry.path);
        if follows.is_none() {
            // A version that somebody registered is for everybody, whatever was being tried.
            self.splits.remove(&entry.path);
            self.splits.changed.notify_one();
        }
        Ok(entry)
    }

    /// Resources by path, the newest version of each unless asked for all.
    pub async fn list(&self, query: CatalogQuery) -> Result<Vec<Entry>, CatalogError> {
        let kind = query.kind.as_deref().map(canonical_kind);
        Ok(rows::list(&self.store, &CatalogQuery { kind, ..query }).await?)
    }

    /// One version with its content. An archived one is found by its number or id only.
    pub async fn get(&self, which: &Which) -> Result<Entry, CatalogError> {
        match which {
            Which::CatalogId(id) => {
                let entry = match id.trim().parse::<u64>() {
                    Ok(id) => rows::by_id(&self.store, id).await?,
                    Err(_) => None,
                };
                entry.ok_or_else(|| CatalogError::Unknown(format!("catalog id {id}")))
            }
            Which::Path(path, version) => {
                for spelling in spellings(path) {
                    if let Some(entry) = rows::by_path(&self.store, &spelling, *version).await? {
                        return Ok(entry);
                    }
                }
                let version = version.map_or_else(String::new, |version| format!(" in version {version}"));
                Err(CatalogError::Unknown(format!("{path:?}{version}")))
            }
        }
    }

    /// A playbook that is ready to run; from memory when it ran lately.
    pub async fn plan_of(&self, which: &Which) -> Result<Arc<Plan>, CatalogError> {
        if let Some(plan) = self.cache.find(which) {
            return Ok(plan);
        }
        let generation = self.cache.generation();
        let entry = self.get(which).await?;
        let path = entry.path.clone();
        let plan = match self.cache.find(&Which::Path(path.clone(), Some(entry.version))) {
            Some(plan) => plan,
            None => Arc::new(load(entry)?),
        };
        let is_newest = matches!(which, Which::Path(_, None));
        self.cache.keep(Arc::clone(&plan));
        if let (true, Which::Path(asked, _)) = (is_newest, which) {
            self.cache.note_newest(asked, &plan, generation);
        }
        Ok(plan)
    }

    /// Archives a version, or all of a path: they start no more, but what runs goes on. Returns what was archived.
    pub async fn archive(&self, path: &str, version: Option<u32>) -> Result<Vec<(u64, u32)>, CatalogError> {
        self.set_archived(path, version, Some(now_ms())).await
    }

    /// Takes versions back out of the archive.
    pub async fn restore(&self, path: &str, version: Option<u32>) -> Result<Vec<(u64, u32)>, CatalogError> {
        self.set_archived(path, version, None).await
    }

    /// A form for the workload of a playbook.
    pub async fn form(&self, which: &Which) -> Result<noetl_api::catalog::UiSchema, CatalogError> {
        let plan = self.plan_of(which).await?;
        Ok(form::of(&plan, plan.version))
    }

    async fn set_archived(
        &self,
        path: &str,
        version: Option<u32>,
        archived_ms: Option<i64>,
    ) -> Result<Vec<(u64, u32)>, CatalogError> {
        let _changing = self.changing.lock().await;
        for spelling in spellings(path) {
            let changed = rows::set_archived(&self.store, &spelling, version, archived_ms).await?;
            if changed.is_empty() {
                continue;
            }
            self.cache.forget(&spelling);
            if self.splits.of(&spelling).is_some_and(|split| {
                changed.iter().any(|(_, version)| *version == split.stable || *version == split.canary)
            }) {
                self.splits.remove(&spelling);
            }
            self.splits.changed.notify_one();
            // The newest version that is left says which schedules there are.
            let newest = rows::by_path(&self.store, &spelling, None).await?;
            let specs = match newest.filter(|entry| entry.kind == PLAYBOOK) {
                Some(entry) => load(entry)?.schedules.clone(),
                None => Vec::new(),
            };
            let declared = self.schedules.plan_declared(&spelling, &specs, now_ms()).await?;
            rows::replace_declared(&self.store, &spelling, &declared).await?;
            self.schedules.tell_changed();
            return Ok(changed);
        }
        Err(CatalogError::Unknown(format!("{path:?}")))
    }
}

impl PlanSource for Catalog {
    fn plan(
        &self,
        which: Which,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Arc<Plan>, ServerError>> + Send + '_>> {
        Box::pin(async move { Ok(self.plan_of(&which).await?) })
    }

    fn version_for(&self, path: &str, id: ExecutionId) -> Option<(u32, Option<Assigned>)> {
        self.splits.version_for(path, id)
    }

    fn paths_below<'a>(
        &'a self,
        prefix: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<String>, ServerError>> + Send + 'a>> {
        Box::pin(async move {
            let query = CatalogQuery { kind: Some(PLAYBOOK.to_owned()), ..CatalogQuery::default() };
            let below = format!("{prefix}/");
            let entries = self.list(query).await?;
            Ok(entries.into_iter().map(|entry| entry.path).filter(|path| path.starts_with(&below)).collect())
        })
    }
}

/// Reads and lints without the tools' schemas.
fn read(text: &str) -> Linted {
    lint::lint(text, &ToolSchemas::new())
}

/// The playbook as it was registered; read again from its text only when its stored form is of another time.
fn load(entry: Entry) -> Result<Plan, CatalogError> {
    if entry.kind != PLAYBOOK {
        return Err(CatalogError::NotAPlaybook { path: entry.path, kind: entry.kind });
    }
    let playbook = match serde_json::from_value::<Playbook>(entry.payload) {
        Ok(playbook) => playbook,
        Err(error) => {
            tracing::warn!(entry.path, entry.version, %error, "a stored playbook is read again from its text");
            let reading = dialect::read(&entry.content);
            let findings = reading.findings;
            let playbook = reading.playbook.ok_or(CatalogError::Refused { text: entry.content, findings })?;
            Playbook { path: entry.path, ..playbook }
        }
    };
    Ok(Plan::new(playbook, entry.version, entry.catalog_id.to_string()))
}

fn entry_of(playbook: &Playbook, text: String, catalog_id: u64, now: i64) -> Result<Entry, CatalogError> {
    let payload = serde_json::to_value(playbook)
        .map_err(|source| StoreError::unreadable(format!("playbook {}", playbook.path), source))?;
    let mut meta = Map::new();
    meta.insert("dialect".to_owned(), payload["dialect"].clone());
    if !playbook.labels.is_empty() {
        meta.insert("labels".to_owned(), payload["labels"].clone());
    }
    let name = if playbook.name.is_empty() { &playbook.path } else { &playbook.name };
    Ok(Entry {
        catalog_id,
        path: playbook.path.clone(),
        version: 0,
        kind: PLAYBOOK.to_owned(),
        name: name.clone(),
        description: playbook.description.clone(),
        content: text,
        payload,
        meta,
        created_ms: now,
        archived_ms: None,
    })
}

/// `playbooks`, `playbook` and `PLAYBOOK` are `Playbook`.
fn canonical_kind(kind: &str) -> String {
    let lower = kind.trim().to_lowercase();
    let singular = lower.strip_suffix('s').filter(|_| lower != "kubernetes").unwrap_or(&lower);
    let mut letters = singular.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn checked_path(path: &str) -> Result<String, CatalogError> {
    let path = path.trim().trim_matches('/');
    if path.is_empty() || path.len() > 512 || path.chars().any(char::is_control) {
        return Err(CatalogError::Invalid("a path has 1 to 512 characters and none that control a terminal"));
    }
    Ok(path.to_owned())
}

/// A path as written, then without or with the suffix that people copy from file names.
fn spellings(path: &str) -> Vec<String> {
    let path = path.trim().trim_start_matches("catalog://").trim_matches('/');
    let mut spellings = vec![path.to_owned()];
    for suffix in [".yaml", ".yml"] {
        match path.strip_suffix(suffix) {
            Some(bare) => spellings.push(bare.to_owned()),
            None => spellings.push(format!("{path}{suffix}")),
        }
    }
    spellings
}

#[cfg(test)]
mod tests;
