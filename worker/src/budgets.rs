//! The retry budgets of this worker, by host and by credential: the state of the buckets in `noetl_domain::budget`.
//!
//! Only tasks that may be tried again come here, so whoever writes no retries pays nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use noetl_domain::budget::{Account, Bucket, Limits};
use noetl_domain::{Map, Value, template};

use crate::auth::{self, Auth};

/// Buckets kept at most. A full one tells nothing and is forgotten first.
const MOST_BUCKETS: usize = 10_000;

/// What has a budget. Credentials are known by name, never by value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Host(String),
    Credential(String),
}

impl Owner {
    fn kind_and_name(&self) -> (&'static str, &str) {
        match self {
            Self::Host(host) => ("host", host),
            Self::Credential(name) => ("credential", name),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = self.kind_and_name();
        write!(f, "retry budget of {kind} {name}")
    }
}

/// Whom a call turns to.
pub(crate) fn owners(kind: &str, fields: &Map, auth: &Auth) -> Vec<Owner> {
    let mut owners = Vec::new();
    let url = ["url", "endpoint"].iter().find_map(|key| fields.get(*key)?.as_str());
    if kind == "http"
        && let Some(url) = url.and_then(|url| reqwest::Url::parse(url.trim()).ok())
        && let Some(host) = url.host_str()
    {
        // Of the URL only this: what else it holds may be secret.
        let port = url.port_or_known_default().unwrap_or_default();
        owners.push(Owner::Host(format!("{host}:{port}")));
    }
    let named = auth.primary.as_ref().filter(|credential| !credential.name.is_empty());
    owners.extend(named.map(|credential| Owner::Credential(credential.name.clone())));
    owners
}

/// The credential that a task names, as far as its text tells before it is rendered.
pub(crate) fn named(written: &Value) -> Option<Owner> {
    let name = match written {
        Value::String(name) => name,
        Value::Object(fields) => auth::reference(fields)?,
        _ => return None,
    };
    (!name.is_empty() && !template::has_template(name)).then(|| Owner::Credential(name.to_owned()))
}

/// May a retry go out?
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Grant {
    Now,
    /// After so many seconds, because of this budget.
    After(f64, String),
    /// Not at all: this budget is spent.
    Spent(String),
}

/// The budgets of a worker; whoever shows them keeps a handle.
#[derive(Debug)]
pub struct Budgets {
    limits: Limits,
    start: Instant,
    buckets: Mutex<HashMap<Owner, Counted>>,
}

/// A bucket, and what went by it since it was made.
#[derive(Debug)]
struct Counted {
    bucket: Bucket,
    retries: u64,
    delayed: u64,
    refused: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Budgets {
    pub fn new(limits: Limits) -> Self {
        Self { limits, start: Instant::now(), buckets: Mutex::default() }
    }

    /// The numbers that hold for every budget.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Every budget that is not forgotten, those with the least left first.
    pub fn accounts(&self) -> Vec<Account> {
        let now = self.start.elapsed().as_secs_f64();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts: Vec<_> = buckets
            .iter_mut()
            .map(|(owner, counted)| {
                let (kind, name) = owner.kind_and_name();
                let left = counted.bucket.left(&self.limits, now);
                let Counted { bucket: _, retries, delayed, refused } = *counted;
                Account { kind, name: name.to_owned(), left, retries, delayed, refused }
            })
            .collect();
        drop(buckets);
        accounts
            .sort_by(|one, other| one.left.total_cmp(&other.left).then_with(|| one.name.cmp(&other.name)));
        accounts
    }

    /// Counts the first try of a call.
    pub(crate) fn request(&self, owners: &[Owner]) {
        self.each(owners, |limits, bucket, now| bucket.request(limits, now));
    }

    /// Asks for a retry that waits `delay` seconds anyway; unless it is refused, its tokens are taken. `most`: seconds it
    /// may wait at most.
    pub(crate) fn retry(&self, owners: &[Owner], delay: f64, most: f64) -> Grant {
        let mut longest = (0.0, None);
        let mut spent = None;
        let mut taken = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed().as_secs_f64();
        for owner in owners {
            let Some(counted) = self.counted(&mut taken, owner, now) else { continue };
            match counted.bucket.wait(&self.limits, now) {
                Some(wait) if wait <= 0.0 => {}
                Some(wait) if wait <= most => {
                    if wait > longest.0 {
                        longest = (wait, Some(owner));
                    }
                }
                Some(_) | None => spent = spent.or(Some(owner)),
            }
        }
        if let Some(owner) = spent {
            if let Some(counted) = taken.get_mut(owner) {
                counted.refused += 1;
            }
            return Grant::Spent(owner.to_string());
        }
        for owner in owners {
            if let Some(counted) = taken.get_mut(owner) {
                counted.bucket.take();
                counted.retries += 1;
                counted.delayed += u64::from(longest.1 == Some(owner) && longest.0 > delay);
            }
        }
        match longest {
            (wait, Some(owner)) => Grant::After(wait, owner.to_string()),
            (_, None) => Grant::Now,
        }
    }

    fn each(&self, owners: &[Owner], act: impl Fn(&Limits, &mut Bucket, f64)) {
        if owners.is_empty() {
            return;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed().as_secs_f64();
        for owner in owners {
            if let Some(counted) = self.counted(&mut buckets, owner, now) {
                act(&self.limits, &mut counted.bucket, now);
            }
        }
    }

    /// None: too many are in use, and a new one goes uncounted rather than an old one's debts forgiven.
    fn counted<'b>(
        &self,
        buckets: &'b mut HashMap<Owner, Counted>,
        owner: &Owner,
        now: f64,
    ) -> Option<&'b mut Counted> {
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(owner) {
            buckets.retain(|_, counted| !counted.bucket.is_full(&self.limits, now));
            if buckets.len() >= MOST_BUCKETS {
                return None;
            }
        }
        Some(match buckets.entry(owner.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let bucket = Bucket::full(&self.limits, now);
                place.insert(Counted { bucket, retries: 0, delayed: 0, refused: 0 })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use noetl_domain::Value;
    use serde_json::json;

    use super::*;
    use crate::credential::Credential;

    fn host(name: &str) -> Owner {
        Owner::Host(name.to_owned())
    }

    #[test]
    fn a_spent_host_leaves_its_neighbours_and_their_credential_alone() {
        let limits = Limits { share: 0.0, floor_per_second: 0.01, burst: 2.0, longest_wait_seconds: 0.0 };
        let budgets = Budgets::new(limits);
        let (sick, well, key) = (host("sick:80"), host("well:80"), Owner::Credential("key".into()));
        assert_eq!(budgets.retry(std::slice::from_ref(&sick), 0.0, 60.0), Grant::Now);
        assert_eq!(budgets.retry(std::slice::from_ref(&sick), 0.0, 60.0), Grant::Now);
        let spent = Grant::Spent("retry budget of host sick:80".into());
        assert_eq!(budgets.retry(&[sick.clone(), key.clone()], 0.0, 60.0), spent);
        // The refusal took nothing of the credential.
        assert_eq!(budgets.retry(&[well.clone(), key.clone()], 0.0, 60.0), Grant::Now);
        assert_eq!(budgets.retry(&[well, key.clone()], 0.0, 60.0), Grant::Now);
        let spent = Grant::Spent("retry budget of credential key".into());
        assert_eq!(budgets.retry(&[host("third:80"), key], 0.0, 60.0), spent);
        let told = |name: &str| {
            let found = budgets.accounts().into_iter().find(|account| account.name == name).unwrap();
            (found.kind, found.left.round(), found.retries, found.refused)
        };
        assert_eq!(told("sick:80"), ("host", 0.0, 2, 1));
        assert_eq!(told("key"), ("credential", 0.0, 2, 1));
        assert_eq!(told("third:80"), ("host", 2.0, 0, 0));
    }

    #[test]
    fn a_wait_beyond_the_deadline_is_a_refusal() {
        let limits = Limits { floor_per_second: 0.1, burst: 1.0, ..Limits::default() };
        let budgets = Budgets::new(limits);
        let owners = [host("h:80")];
        assert_eq!(budgets.retry(&owners, 0.0, 60.0), Grant::Now);
        assert!(matches!(budgets.retry(&owners, 0.0, 1.0), Grant::Spent(_)));
        assert!(matches!(budgets.retry(&owners, 0.0, 60.0), Grant::After(wait, _) if wait > 9.0));
    }

    #[test]
    fn owners_are_a_host_and_a_name_and_nothing_secret() {
        let fields = json!({"url": "https://user:hunter2@api.example.com/x?key=hunter2"});
        let Value::Object(fields) = fields else { panic!() };
        let data = json!({"token": "hunter2"}).as_object().unwrap().clone();
        let primary = Some(Credential { name: "orders".into(), kind: "bearer".into(), data });
        let auth = Auth { primary, ..Auth::default() };
        let owners = owners("http", &fields, &auth);
        assert_eq!(owners, [host("api.example.com:443"), Owner::Credential("orders".into())]);
        assert!(!format!("{owners:?}").contains("hunter2"));
    }
}
