//! Retry budgets of the workers in this process, for people and for Prometheus.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::pool::{RetryBudget, RetryBudgets};
use noetl_domain::budget::{Account, Limits};

use super::Services;
use super::metrics::Text;

/// Budgets that get series of their own in `/metrics`; the others share one.
const MOST_SERIES: usize = 50;

/// Asks the workers of this process for their budgets, those with the least left first.
pub type BudgetsOf = Arc<dyn Fn() -> (Limits, Vec<Account>) + Send + Sync>;

/// What hosts and credentials have left of their retry budgets, those with the least left first.
#[utoipa::path(get, path = "/api/worker/budgets", tag = "workers", responses((status = 200, body = RetryBudgets)))]
pub(super) async fn list(State(services): State<Services>) -> Answer<RetryBudgets> {
    let (limits, accounts) = services.budgets.as_ref().map_or_else(Default::default, |budgets| budgets());
    let Limits { share, floor_per_second, burst, longest_wait_seconds } = limits;
    let items: Vec<_> = accounts.into_iter().map(body).collect();
    Answer(RetryBudgets { share, floor_per_second, burst, longest_wait_seconds, count: items.len(), items })
}

fn body(account: Account) -> RetryBudget {
    let Account { kind, name, left, retries, delayed, refused } = account;
    RetryBudget { kind: kind.to_owned(), name, left, retries, delayed, refused }
}

type Read = fn(&Account) -> u64;

/// Series of the budgets that retries were asked of, those with the most first; the rest together is `other`.
pub(super) fn write(text: &mut Text, accounts: &[Account]) {
    let mut asked: Vec<&Account> = accounts.iter().filter(|account| asks(account) > 0).collect();
    asked.sort_by(|one, other| asks(other).cmp(&asks(one)).then_with(|| one.name.cmp(&other.name)));
    let (shown, rest) = asked.split_at(asked.len().min(MOST_SERIES));
    text.gauge("noetl_retry_budget_left", "Retries that a host or a credential may get at once.");
    for account in shown {
        text.value("noetl_retry_budget_left", &labels(account), account.left);
    }
    let counters: [(&str, &str, Read); 3] = [
        ("noetl_retries_total", "Retries that went out, by budget.", |account| account.retries),
        ("noetl_retries_delayed_total", "Retries that waited for their budget.", |account| account.delayed),
        ("noetl_retries_refused_total", "Retries that their budget refused.", |account| account.refused),
    ];
    for (name, help, read) in counters {
        text.counter(name, help);
        for account in shown {
            text.value(name, &labels(account), read(account) as f64);
        }
        if !rest.is_empty() {
            let sum: u64 = rest.iter().map(|account| read(account)).sum();
            text.value(name, &[("kind", "other"), ("name", "other")], sum as f64);
        }
    }
}

fn asks(account: &Account) -> u64 {
    account.retries + account.refused
}

fn labels(account: &Account) -> [(&str, &str); 2] {
    [("kind", account.kind), ("name", &account.name)]
}
