//! Looking by itself: from time to time, at playbooks that have run often enough since the last look.
//!
//! It reads the store beside the hot path and is never waited for; what cannot be read now is read next time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use noetl_domain::lint::ToolSchemas;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Made};
use super::history::{History, gather};
use super::look;
use super::subject::Terms;

/// When proposals are looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Look for proposals without being asked.
    pub enabled: bool,
    /// Minutes between looks.
    pub every_minutes: f64,
    /// Executions of a playbook since the last look before it is looked at again.
    pub after_executions: u64,
    /// Seconds of waiting that one failed execution is worth; attempts are weighed against it.
    pub failure_costs_seconds: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, every_minutes: 1.0, after_executions: 50, failure_costs_seconds: 60.0 }
    }
}

/// Looks until it is told to stop.
pub async fn watch<H: History, D: Desk>(
    history: Arc<H>,
    desk: Arc<D>,
    tools: Arc<ToolSchemas>,
    config: Config,
    stop: CancellationToken,
) {
    if !config.enabled {
        return;
    }
    let every = Duration::from_secs_f64((config.every_minutes * 60.0).clamp(1.0, 86_400.0));
    // When the newest execution was started that the last look read.
    let mut seen: HashMap<String, i64> = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let round = round(&*history, &*desk, &tools, &config, &mut seen);
        tokio::select! {
            () = stop.cancelled() => return,
            result = round => {
                if let Err(error) = result {
                    tracing::warn!(%error, cause = %error.source, "proposals could not be looked for");
                }
            }
        }
    }
}

async fn round<H: History, D: Desk>(
    history: &H,
    desk: &D,
    tools: &Arc<ToolSchemas>,
    config: &Config,
    seen: &mut HashMap<String, i64>,
) -> Result<(), crate::gather::SourceError> {
    for path in history.paths().await? {
        let wanted = config.after_executions.max(1);
        let since = seen.get(&path).copied().unwrap_or(0);
        if history.ended_since(&path, since, wanted as usize).await? < wanted {
            continue;
        }
        let terms = Terms { failure_costs_ms: config.failure_costs_seconds * 1_000.0, policy: desk.policy() };
        let Some(subject) = gather(history, &path, terms).await? else {
            continue;
        };
        let newest = subject.history.iter().map(|one| one.started_ms).max().unwrap_or(since);
        seen.insert(path.clone(), newest + 1);
        let tools = Arc::clone(tools);
        // Estimating is a computation: a worker thread of the runtime should not be kept from others by it.
        let Ok(found) = tokio::task::spawn_blocking(move || look(&subject, &tools)).await else { continue };
        for proposal in found.proposals {
            if let Made::Kept(kept) = desk.make(proposal).await? {
                let (playbook, title) = (&kept.proposed.playbook, &kept.proposed.title);
                tracing::info!(playbook, title, proposal = kept.id, "proposed");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::super::http::tests::{InMemory, Told};
    use super::super::{Defect, Observed};
    use super::*;
    use crate::evidence::Definition;
    use crate::gather::SourceError;

    /// The history of the endpoints' tests, with so many executions since the last look.
    #[derive(Default)]
    struct Growing {
        since: AtomicU64,
        looks: AtomicU64,
        looked: tokio::sync::Notify,
    }

    impl History for Growing {
        async fn paths(&self) -> Result<Vec<String>, SourceError> {
            Told.paths().await
        }

        async fn definition(
            &self,
            path: &str,
            version: Option<u32>,
        ) -> Result<Option<Definition>, SourceError> {
            Told.definition(path, version).await
        }

        async fn observed(&self, path: &str, most: usize) -> Result<Vec<Observed>, SourceError> {
            self.looks.fetch_add(1, Ordering::SeqCst);
            self.looked.notify_one();
            Told.observed(path, most).await
        }

        async fn has_credential(&self, name: &str) -> Result<bool, SourceError> {
            Told.has_credential(name).await
        }

        async fn defects(&self, failed: &[Observed]) -> Result<Vec<Defect>, SourceError> {
            Told.defects(failed).await
        }

        async fn ended_since(&self, path: &str, since_ms: i64, most: usize) -> Result<u64, SourceError> {
            match since_ms {
                0 => Told.ended_since(path, since_ms, most).await,
                _ => Ok(self.since.load(Ordering::SeqCst)),
            }
        }
    }

    #[tokio::test]
    async fn a_playbook_is_looked_at_again_when_enough_of_it_has_ended() {
        let (history, desk) = (Growing::default(), InMemory::default());
        let (tools, config, mut seen) = (Arc::new(ToolSchemas::new()), Config::default(), HashMap::new());
        let looked = || history.looks.load(Ordering::SeqCst);
        round(&history, &desk, &tools, &config, &mut seen).await.unwrap();
        assert_eq!((looked(), desk.0.lock().unwrap().len()), (1, 1));
        history.since.store(config.after_executions - 1, Ordering::SeqCst);
        round(&history, &desk, &tools, &config, &mut seen).await.unwrap();
        assert_eq!(looked(), 1, "too few have ended since");
        history.since.store(config.after_executions, Ordering::SeqCst);
        round(&history, &desk, &tools, &config, &mut seen).await.unwrap();
        // The same evidence is the same Proposal.
        assert_eq!((looked(), desk.0.lock().unwrap().len()), (2, 1));
    }

    #[tokio::test]
    async fn looks_go_on_until_they_are_stopped_and_never_begin_when_off() {
        let tools = Arc::new(ToolSchemas::new());
        let (history, desk, stop) =
            (Arc::new(Growing::default()), Arc::new(InMemory::default()), CancellationToken::new());
        let off = Config { enabled: false, ..Config::default() };
        watch(Arc::clone(&history), Arc::clone(&desk), Arc::clone(&tools), off, stop.clone()).await;
        assert!(desk.0.lock().unwrap().is_empty());
        let often = Config { every_minutes: 0.0, ..Config::default() };
        let looking =
            tokio::spawn(watch(Arc::clone(&history), Arc::clone(&desk), tools, often, stop.clone()));
        history.looked.notified().await;
        stop.cancel();
        looking.await.unwrap();
    }
}
