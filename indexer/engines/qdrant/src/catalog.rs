//! Which collections there are, and under which names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use ::qdrant_client::qdrant::{AliasDescription, AliasOperations, alias_operations::Action};
use tokio::sync::Mutex;
use tonic::Status;

use crate::collection::{Collection, Order, Reason, Shared, chain, not_found, write_whole};
use crate::directory::{Directory, sync_directory};
use crate::room;
use crate::wire::error::{missing, wrong};

const MAX_NAME: usize = 255;

/// A collection that could not be opened, and where it lies now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub path: PathBuf,
    pub reason: String,
}

pub(crate) struct Catalog {
    directory: Directory,
    shared: Shared,
    names: RwLock<Names>,
    /// Held while names change, which includes work on disk.
    changing: Mutex<()>,
    /// Deleted collections whose directories are being removed.
    clearing: std::sync::Mutex<Vec<(Arc<Collection>, JoinHandle<()>)>>,
}

#[derive(Default)]
struct Names {
    collections: BTreeMap<String, Arc<Collection>>,
    aliases: BTreeMap<String, String>,
}

impl Catalog {
    /// Opens every collection of the directory; what cannot be opened is set aside.
    pub(crate) fn open(directory: Directory, shared: Shared) -> io::Result<(Self, Vec<SetAside>)> {
        // Before anything is looked at: a collection that only lacks room is not damaged.
        room::check(directory.path())?;
        let mut names = Names::default();
        let mut damaged = Vec::new();
        for home in directory.homes()? {
            if Collection::is_gone(&home) {
                fs::remove_dir_all(&home)?;
                continue;
            }
            let reason = match Collection::open(&home, &shared) {
                Ok(collection) if names.collections.contains_key(collection.name()) => {
                    format!("there is another collection named {:?}", collection.name())
                }
                Ok(collection) => {
                    names.collections.insert(collection.name().to_owned(), Arc::new(collection));
                    continue;
                }
                Err(reason) => chain(&reason),
            };
            let path = directory.set_aside(&home)?;
            tracing::error!(path = %path.display(), reason, "a vector collection cannot be opened and is set aside");
            damaged.push(SetAside { path, reason });
        }
        match fs::read(directory.aliases()) {
            Ok(bytes) => names.aliases = serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let known = &names.collections;
        names.aliases.retain(|_, collection| known.contains_key(collection));
        Ok((
            Self {
                directory,
                shared,
                names: RwLock::new(names),
                changing: Mutex::new(()),
                clearing: std::sync::Mutex::default(),
            },
            damaged,
        ))
    }

    /// The collection of a name or alias.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<Collection>, Status> {
        let names = self.read();
        let real = names.aliases.get(name).map_or(name, String::as_str);
        names.collections.get(real).cloned().ok_or_else(|| not_found(name))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Collection>> {
        self.read().collections.values().cloned().collect()
    }

    pub(crate) async fn create(self: &Arc<Self>, order: Order) -> Result<(), Status> {
        check_name(&order.name)?;
        let _changing = self.changing.lock().await;
        {
            let names = self.read();
            if names.collections.contains_key(&order.name) {
                let words = format!("Wrong input: Collection `{}` already exists!", order.name);
                return Err(Status::already_exists(words));
            }
            if names.aliases.contains_key(&order.name) {
                return Err(wrong(format_args!("an alias with the name {} already exists", order.name)));
            }
        }
        let home = self.directory.new_home();
        let shared = self.shared.clone();
        let made = tokio::task::spawn_blocking(move || {
            let made = Collection::create(&home, order, &shared);
            if made.is_err() {
                // Not worth an error of its own: the next start sets the rest aside.
                let _ = fs::remove_dir_all(&home);
            }
            made
        });
        let collection = match made.await {
            Ok(Ok(collection)) => collection,
            Ok(Err(reason @ Reason::Engine(_))) => return Err(wrong(chain(&reason))),
            Ok(Err(reason)) => return Err(Status::internal(chain(&reason))),
            Err(error) => return Err(Status::internal(error.to_string())),
        };
        self.write().collections.insert(collection.name().to_owned(), Arc::new(collection));
        Ok(())
    }

    /// Answers false where there is no such collection.
    pub(crate) async fn delete(self: &Arc<Self>, name: &str) -> Result<bool, Status> {
        let _changing = self.changing.lock().await;
        let Some(collection) = self.read().collections.get(name).cloned() else { return Ok(false) };
        collection.mark_gone().map_err(|error| Status::internal(error.to_string()))?;
        {
            let mut names = self.write();
            names.collections.remove(name);
            names.aliases.retain(|_, target| target != name);
        }
        self.write_aliases()?;
        // A thread of its own: it may have to wait for segments that are being rebuilt, which must not hold up the end
        // of the process.
        let cleared = collection.clone();
        let thread = std::thread::spawn(move || cleared.clear_away());
        let mut clearing = self.clearing.lock().unwrap_or_else(PoisonError::into_inner);
        clearing.retain(|(_, thread)| !thread.is_finished());
        clearing.push((collection, thread));
        Ok(true)
    }

    /// All of the changes or none.
    pub(crate) async fn change_aliases(
        self: &Arc<Self>,
        actions: Vec<AliasOperations>,
    ) -> Result<(), Status> {
        let _changing = self.changing.lock().await;
        let mut aliases = self.read().aliases.clone();
        for action in actions {
            match action.action.ok_or_else(|| missing("what to do with an alias"))? {
                Action::CreateAlias(create) => {
                    check_name(&create.alias_name)?;
                    let names = self.read();
                    if names.collections.contains_key(&create.alias_name) {
                        return Err(wrong(format_args!("{} is a collection already", create.alias_name)));
                    }
                    if !names.collections.contains_key(&create.collection_name) {
                        return Err(not_found(&create.collection_name));
                    }
                    aliases.insert(create.alias_name, create.collection_name);
                }
                Action::RenameAlias(rename) => {
                    check_name(&rename.new_alias_name)?;
                    let target = aliases
                        .remove(&rename.old_alias_name)
                        .ok_or_else(|| no_alias(&rename.old_alias_name))?;
                    aliases.insert(rename.new_alias_name, target);
                }
                Action::DeleteAlias(delete) => {
                    aliases.remove(&delete.alias_name).ok_or_else(|| no_alias(&delete.alias_name))?;
                }
            }
        }
        self.write().aliases = aliases;
        self.write_aliases()
    }

    /// The aliases of one collection, or all of them.
    pub(crate) fn aliases(&self, of: Option<&str>) -> Vec<AliasDescription> {
        let names = self.read();
        let wanted = names.aliases.iter().filter(|(_, target)| of.is_none_or(|of| of == target.as_str()));
        wanted
            .map(|(alias, target)| AliasDescription {
                alias_name: alias.clone(),
                collection_name: target.clone(),
            })
            .collect()
    }

    /// A few bytes, written where names change: not worth another thread.
    fn write_aliases(&self) -> Result<(), Status> {
        let write = || -> io::Result<()> {
            write_whole(&self.directory.aliases(), &serde_json::to_vec_pretty(&self.read().aliases)?)?;
            sync_directory(self.directory.path())
        };
        write().map_err(|error| Status::internal(format!("the aliases cannot be written: {error}")))
    }

    /// Brings everything to disk and closes every collection.
    pub(crate) fn close(&self) -> io::Result<()> {
        let collections = std::mem::take(&mut self.write().collections);
        let clearing = std::mem::take(&mut *self.clearing.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, thread) in clearing.into_iter().filter(|(collection, _)| !collection.is_optimising()) {
            if thread.join().is_err() {
                tracing::warn!("a deleted collection is removed at the next start");
            }
        }
        let outcomes: Vec<_> = collections.values().map(|collection| collection.close()).collect();
        outcomes.into_iter().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_alias(name: &str) -> Status {
    Status::not_found(format!("Not found: Alias {name} does not exists!"))
}

fn check_name(name: &str) -> Result<(), Status> {
    const FORBIDDEN: &[char] = &['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1f}'];
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(wrong(format_args!("a name has 1 to {MAX_NAME} bytes, not {}", name.len())));
    }
    if name.contains(FORBIDDEN) {
        return Err(wrong(format_args!("the name {name:?} contains a character that file systems forbid")));
    }
    Ok(())
}
