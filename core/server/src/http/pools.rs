//! Worker pools: kept in memory, because a pool that lives says so again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::execution::UnservedPool;
use noetl_api::health::Done;
use noetl_api::pool::{PoolBody, PoolList, PoolRegistered, PoolRequest};
use noetl_bus::local::DEFAULT_POOL;
use noetl_domain::code::Code;

use super::request::{Json, Segments};
use super::{Services, show};
use crate::error::ServerError;
use crate::orchestrator::Snapshot;

/// A pool that is silent for so long is shown as lost.
const SILENCE_MS: i64 = 60_000;
/// A pool that is silent for so long is forgotten.
const FORGOTTEN_MS: i64 = 24 * 3600 * 1000;
const MOST: usize = 1000;

/// The pools that registered. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Pools(Arc<Mutex<BTreeMap<String, Pool>>>);

#[derive(Clone, Debug)]
struct Pool {
    request: PoolRequest,
    registered_ms: i64,
    heartbeat_ms: i64,
    /// Lives in this process: needs no heartbeat.
    own: bool,
}

impl Pools {
    /// Lists the workers of this process.
    pub fn add_own(&self, request: PoolRequest) {
        let now = show::now_ms();
        let name = request.name.clone();
        self.lock().insert(name, Pool { request, registered_ms: now, heartbeat_ms: now, own: true });
    }

    /// Whether somebody takes the Commands of this pool at the moment.
    pub fn serves(&self, name: &str) -> bool {
        self.is_served(name, show::now_ms())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Pool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self, request: PoolRequest, now: i64) -> Result<PoolRegistered, ServerError> {
        let name = request.name.trim().to_owned();
        if name.is_empty() || name.len() > 256 {
            return Err(ServerError::invalid("a pool needs a `name` of at most 256 bytes"));
        }
        let mut pools = self.lock();
        pools.retain(|_, pool| pool.own || now - pool.heartbeat_ms < FORGOTTEN_MS);
        if let Some(pool) = pools.get_mut(&name) {
            pool.heartbeat_ms = now;
            merge(&mut pool.request, request);
        } else if pools.len() < MOST {
            let pool = Pool { request, registered_ms: now, heartbeat_ms: now, own: false };
            pools.insert(name.clone(), pool);
        } else {
            return Err(ServerError::unavailable(format!("{MOST} pools are registered already")));
        }
        let message = format!("pool {name} is registered");
        Ok(PoolRegistered { status: "ok".to_owned(), message, runtime_id: name.clone(), name })
    }

    /// Whether somebody takes the Commands of this pool.
    fn is_served(&self, name: &str, now: i64) -> bool {
        self.lock().get(name).is_some_and(|pool| !pool.is_lost(now))
    }

    /// What an Execution waits for in vain at the moment.
    pub(super) fn unserved(&self, snapshot: &Snapshot, now: i64) -> Vec<UnservedPool> {
        let pools = snapshot.pools.iter().filter(|(pool, _)| !self.is_served(pool, now));
        pools.map(|(pool, steps)| unserved(pool, steps.iter().cloned().collect())).collect()
    }

    fn list(&self, now: i64) -> PoolList {
        let items: Vec<_> = self.lock().iter().map(|(name, pool)| body(name, pool, now)).collect();
        PoolList { count: items.len(), items }
    }
}

impl Pool {
    fn is_lost(&self, now: i64) -> bool {
        !self.own && now - self.heartbeat_ms > SILENCE_MS
    }
}

fn unserved(pool: &str, steps: Vec<String>) -> UnservedPool {
    let (noun, verb) = if steps.len() == 1 { ("step", "waits") } else { ("steps", "wait") };
    UnservedPool {
        message: format!("{noun} {} {verb} for a worker of pool {pool}, and there is none", steps.join(", ")),
        hint: if pool == DEFAULT_POOL {
            "start one with `noetl up`; the execution goes on as soon as it comes".to_owned()
        } else {
            format!(
                "correct the step's `pool`, or start a worker with `NOETL_WORKER_POOL_NAME={pool} noetl up`; \
                 the execution goes on as soon as it comes"
            )
        },
        code: Code::UnservedPool.as_str().to_owned(),
        pool: pool.to_owned(),
        steps,
    }
}

/// A heartbeat repeats only what changed.
fn merge(old: &mut PoolRequest, new: PoolRequest) {
    let PoolRequest { name: _, kind, uri, status, labels, capabilities, capacity, runtime, hostname } = new;
    old.kind = kind.or(old.kind.take());
    old.uri = uri.or(old.uri.take());
    old.status = status.or(old.status.take());
    old.capacity = capacity.or(old.capacity);
    old.hostname = hostname.or(old.hostname.take());
    if !labels.is_empty() {
        old.labels = labels;
    }
    if !capabilities.is_null() {
        old.capabilities = capabilities;
    }
    if !runtime.is_null() {
        old.runtime = runtime;
    }
}

fn body(name: &str, pool: &Pool, now: i64) -> PoolBody {
    let PoolRequest { name: _, kind, uri, status, labels, capabilities, capacity, runtime, hostname } =
        pool.request.clone();
    let status =
        if pool.is_lost(now) { "lost".to_owned() } else { status.unwrap_or_else(|| "ready".to_owned()) };
    PoolBody {
        runtime_id: name.to_owned(),
        name: name.to_owned(),
        kind: kind.unwrap_or_else(|| "worker_pool".to_owned()),
        uri,
        status,
        labels,
        capabilities,
        capacity,
        runtime,
        hostname,
        registered_at: show::time(pool.registered_ms),
        heartbeat: show::time(if pool.own { now } else { pool.heartbeat_ms }),
    }
}

/// Registers a pool, or says that it lives.
#[utoipa::path(post, path = "/api/worker/pool/register", tag = "workers", request_body = PoolRequest,
    responses((status = 200, body = PoolRegistered), (status = 400, body = noetl_api::error::ErrorBody)))]
pub(super) async fn register(
    State(services): State<Services>,
    Json(request): Json<PoolRequest>,
) -> Result<Answer<PoolRegistered>, ServerError> {
    services.pools.beat(request, show::now_ms()).map(Answer)
}

/// Says that a pool lives; an unknown one is registered by it.
#[utoipa::path(post, path = "/api/worker/pool/heartbeat", tag = "workers", request_body = PoolRequest,
    responses((status = 200, body = PoolRegistered), (status = 400, body = noetl_api::error::ErrorBody)))]
pub(super) async fn heartbeat(
    State(services): State<Services>,
    Json(request): Json<PoolRequest>,
) -> Result<Answer<PoolRegistered>, ServerError> {
    services.pools.beat(request, show::now_ms()).map(Answer)
}

/// Forgets a pool.
#[utoipa::path(post, path = "/api/worker/pool/deregister", tag = "workers", request_body = PoolRequest,
    responses((status = 200, body = Done), (status = 404, body = noetl_api::error::ErrorBody)))]
pub(super) async fn deregister(
    State(services): State<Services>,
    Json(request): Json<PoolRequest>,
) -> Result<Answer<Done>, ServerError> {
    forget(&services, &request.name)
}

/// The same as [`deregister`], for callers that send the body with DELETE.
#[utoipa::path(delete, path = "/api/worker/pool/deregister", tag = "workers", request_body = PoolRequest,
    responses((status = 200, body = Done), (status = 404, body = noetl_api::error::ErrorBody)))]
pub(super) async fn deregister_by_delete(
    State(services): State<Services>,
    Json(request): Json<PoolRequest>,
) -> Result<Answer<Done>, ServerError> {
    forget(&services, &request.name)
}

/// Forgets the pool that the address names.
#[utoipa::path(delete, path = "/api/worker/pools/{name}", tag = "workers", params(("name" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = noetl_api::error::ErrorBody)))]
pub(super) async fn remove(
    State(services): State<Services>,
    Segments(name): Segments<String>,
) -> Result<Answer<Done>, ServerError> {
    forget(&services, &name)
}

fn forget(services: &Services, name: &str) -> Result<Answer<Done>, ServerError> {
    let mut pools = services.pools.lock();
    match pools.get(name) {
        Some(pool) if pool.own => Err(ServerError::not_allowed(format!("pool {name} lives in this process"))),
        Some(_) => {
            pools.remove(name);
            Ok(Answer(Done::new(format!("pool {name} is deregistered"))))
        }
        None => Err(ServerError::not_found(format!("there is no pool {name:?}"))),
    }
}

/// Every pool, this process's own workers included.
#[utoipa::path(get, path = "/api/worker/pools", tag = "workers", responses((status = 200, body = PoolList)))]
pub(super) async fn list(State(services): State<Services>) -> Answer<PoolList> {
    Answer(services.pools.list(show::now_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_pool_is_lost_and_then_forgotten() {
        let pools = Pools::default();
        pools.add_own(PoolRequest { name: "own".to_owned(), ..PoolRequest::default() });
        let named =
            |name: &str| PoolRequest { name: name.to_owned(), capacity: Some(3), ..PoolRequest::default() };
        pools.beat(named("gpu"), 0).expect("registered");
        pools.beat(PoolRequest { name: "gpu".to_owned(), ..PoolRequest::default() }, 1000).expect("alive");
        let status = |now| {
            let list = pools.list(now);
            list.items.into_iter().map(|pool| (pool.name, pool.status, pool.capacity)).collect::<Vec<_>>()
        };
        let own = ("own".to_owned(), "ready".to_owned(), None);
        let gpu = |status: &str| ("gpu".to_owned(), status.to_owned(), Some(3));
        assert_eq!(status(61_000), [gpu("ready"), own.clone()]);
        assert_eq!(status(61_001), [gpu("lost"), own.clone()]);
        assert_eq!([61_000, 61_001].map(|now| pools.is_served("gpu", now)), [true, false]);
        assert_eq!(["own", "nobody"].map(|pool| pools.is_served(pool, 61_001)), [true, false]);
        pools.beat(named("cpu"), FORGOTTEN_MS + 1000).expect("registered");
        assert!(!status(FORGOTTEN_MS + 1000).iter().any(|pool| pool.0 == "gpu"));
        assert_eq!(
            pools.beat(named(" "), 0).map_err(|error| error.code),
            Err(noetl_domain::code::Code::InvalidRequest)
        );
    }
}
