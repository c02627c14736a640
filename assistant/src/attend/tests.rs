//! Failures are explained by themselves, once for each end.

use std::sync::{Arc, Mutex};

use noetl_domain::Value;
use noetl_domain::event::{Diagnosed, Event, Finished, Recorded, Status};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use noetl_domain::result::ResultRef;
use tokio::sync::Notify;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Config, Journal, Noticed, Watch, run};
use crate::Assistant;
use crate::evidence::{CredentialFound, Definition, Similar};
use crate::gather::{Brief, Slice, SourceError, Sources};

struct Channel(mpsc::Receiver<Noticed>);

impl Watch for Channel {
    async fn next(&mut self) -> Option<Noticed> {
        self.0.recv().await
    }
}

type Logs = Vec<(ExecutionId, Vec<Event>)>;

/// Logs of one event, and what was reported of them.
#[derive(Clone, Default)]
struct World {
    logs: Arc<Mutex<Logs>>,
    reported: Arc<Notify>,
}

impl World {
    fn with(&self, id: u64, events: Vec<Event>) {
        self.logs.lock().unwrap().push((ExecutionId(id), events));
    }

    fn log(&self, id: ExecutionId) -> Vec<Recorded> {
        let logs = self.logs.lock().unwrap();
        let events = logs.iter().find(|(known, _)| *known == id).map(|(_, events)| events.clone());
        let events = events.unwrap_or_default().into_iter().zip(1..);
        events
            .map(|(event, seq)| Recorded { execution: id, seq, event_id: id.0 * 100 + seq, at_ms: 1, event })
            .collect()
    }

    fn made(&self, id: u64) -> Vec<Diagnosed> {
        let log = self.log(ExecutionId(id)).into_iter();
        log.filter_map(|recorded| match recorded.event {
            Event::DiagnosisMade(diagnosed) => Some(*diagnosed),
            _ => None,
        })
        .collect()
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            let reported = self.reported.notified();
            if is_so(self) {
                return;
            }
            reported.await;
        }
    }
}

impl Sources for World {
    async fn brief(&self, id: ExecutionId) -> Result<Option<Brief>, SourceError> {
        let log = self.log(id);
        Ok((!log.is_empty()).then(|| Brief {
            execution: id,
            path: String::new(),
            version: 1,
            status: Status::Failed,
            started_ms: 0,
            finished_ms: Some(1),
            error: None,
            failed_steps: 1,
            events: log.len() as u64,
        }))
    }

    async fn events(&self, id: ExecutionId, slice: Slice) -> Result<Vec<Recorded>, SourceError> {
        let mut log = self.log(id);
        if let Slice::After { seq, .. } = slice {
            log.retain(|recorded| recorded.seq > seq);
        }
        Ok(log)
    }

    async fn others(
        &self,
        _: &str,
        _: Option<ExecutionId>,
        _: Option<Status>,
        _: usize,
    ) -> Result<Vec<Brief>, SourceError> {
        Ok(Vec::new())
    }

    async fn definition(&self, _: &str, _: u32) -> Result<Option<Definition>, SourceError> {
        Ok(None)
    }

    async fn credential(&self, _: &str) -> Result<Option<CredentialFound>, SourceError> {
        Ok(None)
    }

    async fn result(&self, _: &ResultRef) -> Result<Option<Arc<Value>>, SourceError> {
        Ok(None)
    }

    async fn lines(&self, _: ExecutionId, _: usize) -> Result<Vec<LogLine>, SourceError> {
        Ok(Vec::new())
    }

    fn serves(&self, _: &str) -> bool {
        true
    }

    async fn similar(&self, _: &Brief) -> Vec<Similar> {
        Vec::new()
    }
}

impl Journal for World {
    async fn newest_failures(&self, limit: usize) -> Result<Vec<ExecutionId>, SourceError> {
        let logs = self.logs.lock().unwrap();
        Ok(logs.iter().rev().take(limit).map(|(id, _)| *id).collect())
    }

    async fn report(&self, id: ExecutionId, diagnosed: Diagnosed) -> Result<bool, SourceError> {
        let mut logs = self.logs.lock().unwrap();
        let log = logs.iter_mut().find(|(known, _)| *known == id);
        log.expect("it is there").1.push(Event::DiagnosisMade(Box::new(diagnosed)));
        self.reported.notify_waiters();
        self.reported.notify_one();
        Ok(true)
    }
}

fn failed() -> Event {
    let error = noetl_domain::error::TaskError::new("connection", "connection refused");
    let finished = Finished { status: Status::Failed, error: Some(error), ..Finished::default() };
    Event::ExecutionFinished(Box::new(finished))
}

fn retried() -> Event {
    Event::ExecutionRetried { steps: Vec::new(), reason: String::new() }
}

#[tokio::test]
async fn each_end_is_explained_once_whenever_it_came() {
    let world = World::default();
    let told = || Event::DiagnosisMade(Box::default());
    world.with(1, vec![failed()]);
    world.with(2, vec![failed(), told()]);
    world.with(3, vec![failed(), told(), retried(), failed()]);
    let (notice, watch) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let assistant = Assistant::new(Arc::new(world.clone()));
    let running =
        tokio::spawn(run(Config::default(), assistant, world.clone(), Channel(watch), stop.clone()));
    // What was there before it began.
    world.until(|world| world.made(1).len() == 1 && world.made(3).len() == 2).await;
    assert_eq!(world.made(3)[1].attempt, 2);
    assert_eq!(world.made(1)[0].cause, "network.refused");
    assert_eq!(world.made(1)[0].written_by, "rules");
    // What comes, told twice.
    world.with(4, vec![failed()]);
    world.with(5, vec![failed()]);
    for id in [4, 4, 1, 5] {
        notice.send(Noticed::Failed(ExecutionId(id))).await.unwrap();
    }
    world.until(|world| world.made(5).len() == 1).await;
    assert_eq!((world.made(1).len(), world.made(2).len(), world.made(4).len()), (1, 1, 1));
    stop.cancel();
    running.await.unwrap();
}
