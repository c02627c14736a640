//! A small history that answers like a server.

use noetl_api::catalog::CatalogEntry;
use noetl_api::diagnosis::{Diagnosis, EvidenceItem, Recommendation};
use noetl_api::event::{EventFilter, EventPage};
use noetl_api::execution::{ExecutionFilter, ExecutionStatus, ExecutionSummary};
use noetl_api::insight::{
    Anomalies, Anomaly, Bottleneck, Bottlenecks, Cluster, Comparison, Example, ExecutionStats, InsightFilter,
    Quantiles, Side, SqlAnswer, SqlColumn, SqlQuestion, Stats, StepComparison, StepSide, StepStats,
};
use noetl_api::proposal::{Estimate, Proposal, ProposalFilter, Simulation};
use noetl_api::search::{Facts, Hit, SearchAnswer, SearchQuestion, Similar, SimilarFailure};
use noetl_api::what_if::{Expected, Foreseen, WhatIf, WhatIfParameter};
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use serde_json::{Value, json};

use super::answers::{Answers, Asked, Trouble};

/// What no model may ever see.
pub(crate) const SECRET: &str = "hunter2";

pub(crate) const PATH: &str = "shop/orders_nightly";
pub(crate) const FAILED: u64 = 386_547_056_640_512_000;

#[derive(Debug, Default)]
pub(crate) struct History {
    /// The analytic tables are off.
    pub(crate) tables_off: bool,
    /// Nothing ever ran.
    pub(crate) is_empty: bool,
    /// What error messages say besides.
    pub(crate) injected: String,
}

fn quantiles(p50: f64) -> Quantiles {
    Quantiles { p25: p50 / 2.0, p50, p75: p50 * 1.5, p95: p50 * 3.0, p99: p50 * 4.0 }
}

fn known(path: &str, description: &str) -> CatalogEntry {
    CatalogEntry {
        path: path.to_owned(),
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        version: 3,
        description: Some(description.to_owned()),
        content: Some(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: orders_nightly, path: shop/orders_nightly }\nworkflow:\n\
             - step: fetch\n  tool: { kind: python, code: 'result = 1' }\n  next: { arcs: [ { step: load } ] }\n- step: load\n  \
             loop: { in: '{{ [1, 2] }}', iterator: row, chunk: 100 }\n  tool: { kind: python, code: 'result = 2' }\n"
                .to_owned(),
        ),
        created_at: "2026-11-01T00:00:00Z".to_owned(),
        ..CatalogEntry::default()
    }
}

impl History {
    fn table<T>(&self, answer: T) -> Asked<T> {
        if self.tables_off {
            return Err(Trouble::new(Code::LayerOff, "the analytics are off"));
        }
        Ok(answer)
    }

    fn message(&self) -> String {
        format!("login for password={SECRET} refused {}", self.injected)
    }

    fn summaries(&self) -> Vec<ExecutionSummary> {
        let now = chrono::Utc::now();
        let one = |back: u64, status: &str| {
            let started = (now - chrono::Duration::minutes(10 * back as i64 + 1)).to_rfc3339();
            let error = (status == "FAILED").then(|| self.message());
            serde_json::from_value(json!({
                "execution_id": (FAILED - back).to_string(), "id": (FAILED - back).to_string(), "catalog_id": "1",
                "path": PATH, "version": 3, "status": status, "started_at": started, "start_time": started,
                "duration": 1.5, "error": error,
            }))
            .unwrap()
        };
        if self.is_empty { Vec::new() } else { vec![one(0, "FAILED"), one(1, "COMPLETED"), one(2, "FAILED")] }
    }
}

impl Answers for History {
    async fn search(&self, question: &SearchQuestion) -> Asked<SearchAnswer> {
        let hit = |kind: &str| Hit {
            kind: kind.to_owned(),
            score: 0.9,
            facts: Facts {
                text: self.message(),
                playbook: "shop/customers".to_owned(),
                step: "load".to_owned(),
                cause: "auth.rejected".to_owned(),
                fingerprint: "00000000000000aa".to_owned(),
                execution_id: FAILED.to_string(),
                source: "docs/ops.md".to_owned(),
                count: 4,
                ..Facts::default()
            },
            ..Hit::default()
        };
        let kinds = ["failure", "execution", "playbook", "knowledge"].into_iter();
        let hits =
            kinds.filter(|kind| question.kind.as_deref().is_none_or(|wanted| wanted == *kind)).map(hit);
        Ok(SearchAnswer { hits: hits.collect(), ..SearchAnswer::default() })
    }

    async fn similar(&self, id: &str, _limit: Option<u64>) -> Asked<Similar> {
        let facts = Facts {
            text: self.message(),
            playbook: PATH.to_owned(),
            step: "load".to_owned(),
            count: 7,
            execution_id: id.to_owned(),
            ..Facts::default()
        };
        let failures = vec![SimilarFailure { facts: facts.clone(), score: 0.8, ..SimilarFailure::default() }];
        let mut similar = Similar { failures, ..Similar::default() };
        similar.of.execution = facts;
        Ok(similar)
    }

    async fn stats(&self, filter: &InsightFilter) -> Asked<Stats> {
        let step = |name: &str, p50| StepStats {
            step: name.to_owned(),
            tool: "python".to_owned(),
            runs: 40,
            failed: 3,
            total_ms: quantiles(p50),
            retried: 5,
            rescued: 4,
            ..StepStats::default()
        };
        self.table(Stats {
            playbook: filter.playbook.clone().unwrap_or_default(),
            executions: ExecutionStats {
                total: 40,
                completed: 37,
                failed: 3,
                duration_ms: quantiles(1_500.0),
                ..ExecutionStats::default()
            },
            steps: vec![step("load", 1_200.0), step("fetch", 80.0)],
            ..Stats::default()
        })
    }

    async fn clusters(&self, _filter: &InsightFilter) -> Asked<Vec<Cluster>> {
        let cluster = |template: &str, count| Cluster {
            fingerprint: format!("{count:016x}"),
            template: template.to_owned(),
            cause: "network.refused".to_owned(),
            count,
            before: 3,
            trend: "rising".to_owned(),
            first_seen: "2026-11-20T08:00:01.250Z".to_owned(),
            last_seen: "2026-11-27T08:00:01.250Z".to_owned(),
            playbooks: vec![PATH.to_owned()],
            steps: vec!["load".to_owned()],
            example: Example {
                execution_id: FAILED.to_string(),
                message: self.message(),
                ..Example::default()
            },
            ..Cluster::default()
        };
        self.table(vec![cluster("connection to <ip>:<num> refused", 12), cluster("disk full", 2)])
    }

    async fn anomalies(&self, _filter: &InsightFilter) -> Asked<Anomalies> {
        let anomaly = Anomaly {
            playbook: PATH.to_owned(),
            step: "load".to_owned(),
            measure: "duration".to_owned(),
            direction: "up".to_owned(),
            value: 2_400.0,
            baseline: 1_200.0,
            runs: 12,
            baseline_runs: 300,
            q_value: 0.002,
            executions: vec![FAILED.to_string()],
            ..Anomaly::default()
        };
        self.table(Anomalies { judged: 8, anomalies: vec![anomaly], ..Anomalies::default() })
    }

    async fn bottlenecks(&self, filter: &InsightFilter) -> Asked<Bottlenecks> {
        let step = Bottleneck {
            step: "load".to_owned(),
            share: 0.82,
            on_path: 1.0,
            path_ms: quantiles(1_200.0),
            ..Bottleneck::default()
        };
        self.table(Bottlenecks {
            playbook: filter.playbook.clone().unwrap_or_default(),
            executions: 37,
            duration_ms: quantiles(1_500.0),
            steps: vec![step],
            ..Bottlenecks::default()
        })
    }

    async fn compare(&self, a: &str, b: &str) -> Asked<Comparison> {
        let side = |id: &str, status: &str, duration_ms| Side {
            execution_id: id.to_owned(),
            playbook: PATH.to_owned(),
            version: 3,
            status: status.to_owned(),
            duration_ms,
            message: self.message(),
            ..Side::default()
        };
        let step = StepComparison {
            step: "load".to_owned(),
            a: Some(StepSide::default()),
            b: None,
            differs: vec!["only_a".to_owned()],
        };
        self.table(Comparison {
            a: side(a, "COMPLETED", 1_500.0),
            b: side(b, "FAILED", 900.0),
            steps: vec![step],
            ..Comparison::default()
        })
    }

    async fn sql(&self, question: &SqlQuestion) -> Asked<SqlAnswer> {
        let column = |name: &str, kind: &str| SqlColumn { name: name.to_owned(), kind: kind.to_owned() };
        let (columns, rows): (Vec<SqlColumn>, Vec<Vec<Value>>) = if question.query.contains("AS p95_ms") {
            let names =
                ["what", "runs", "completed", "failed", "cancelled", "running", "median_ms", "p95_ms"];
            (
                names.map(|name| column(name, "Float64")).to_vec(),
                vec![
                    vec![
                        json!(PATH),
                        json!("40"),
                        json!("37"),
                        json!("3"),
                        json!("0"),
                        json!("0"),
                        json!(1500.0),
                        json!(4000.0),
                    ],
                    vec![
                        json!("shop/customers"),
                        json!("9"),
                        json!("8"),
                        json!("1"),
                        json!("0"),
                        json!("0"),
                        json!(700.0),
                        json!(900.0),
                    ],
                ],
            )
        } else if question.query.contains("AS ms_per_item") {
            let names = ["version", "runs", "failed", "median_ms", "ms_per_item"];
            (
                names.map(|name| column(name, "Float64")).to_vec(),
                vec![vec![json!(3), json!("40"), json!("3"), json!(1200.0), json!(12.5)]],
            )
        } else {
            (
                vec![column("message", "String"), column("n", "UInt64")],
                vec![vec![json!(self.message()), json!("7")]],
            )
        };
        self.table(SqlAnswer { columns, rows, is_cut: false, elapsed_ms: 1.0 })
    }

    async fn events(&self, id: ExecutionId, _filter: &EventFilter) -> Asked<EventPage> {
        let event = |seq: u64, name: &str, error: Option<String>| {
            json!({
                "execution_id": id.to_string(), "event_id": (id.0 + seq).to_string(), "seq": seq, "event_type": name,
                "node_name": "load", "node_type": "step", "status": "FAILED", "created_at": "2026-11-27T08:00:01Z", "error": error,
            })
        };
        Ok(serde_json::from_value(json!({
            "execution_id": id.to_string(), "status": "FAILED",
            "events": [event(1, "step.enter", None), event(2, "call.error", Some(self.message()))],
        }))
        .unwrap())
    }

    async fn execution(&self, id: ExecutionId) -> Asked<ExecutionStatus> {
        Ok(serde_json::from_value(json!({
            "execution_id": id.to_string(), "path": PATH, "version": 3, "status": "FAILED", "progress": {}, "completed": false,
            "failed": true, "is_cancelled": false, "started_at": "2026-11-27T08:00:01Z", "duration": 1.5, "failed_steps": ["load"],
            "steps": [{ "name": "load", "status": "FAILED", "run": 1, "duration": 1.2, "error": { "kind": "x", "message": self.message(), "retryable": false } }],
        }))
        .unwrap())
    }

    async fn executions(&self, filter: &ExecutionFilter) -> Asked<Vec<ExecutionSummary>> {
        let before = filter.before.as_ref().and_then(|id| id.parse::<u64>().ok()).unwrap_or(u64::MAX);
        let fits = |one: &ExecutionSummary| {
            filter.status.as_ref().is_none_or(|status| *status == one.status)
                && filter.path.as_ref().is_none_or(|path| *path == one.path)
                && one.execution_id.0 < before
        };
        let most = filter.limit.unwrap_or(100) as usize;
        Ok(self.summaries().into_iter().filter(fits).take(most).collect())
    }

    async fn playbooks(&self) -> Asked<Vec<CatalogEntry>> {
        Ok(vec![
            known(PATH, "Loads the orders of the shop into the warehouse every night"),
            known("shop/customers", "Copies customers from the CRM"),
        ])
    }

    async fn playbook(&self, path: &str, version: Option<u32>) -> Asked<CatalogEntry> {
        let found = self.playbooks().await?.into_iter().find(|entry| entry.path == path);
        let mut entry = found
            .ok_or_else(|| Trouble::new(Code::UnknownPlaybook, format!("there is no playbook {path}")))?;
        entry.version = version.unwrap_or(entry.version);
        Ok(entry)
    }

    async fn why(&self, id: ExecutionId) -> Asked<Diagnosis> {
        Ok(Diagnosis {
            execution_id: id.to_string(),
            playbook: PATH.to_owned(),
            version: 3,
            root_step: Some("load".to_owned()),
            cause: Some("auth.rejected".to_owned()),
            confidence: 0.96,
            evidence: vec![EvidenceItem {
                kind: "event".to_owned(),
                reference: "17".to_owned(),
                excerpt: self.message(),
                ..EvidenceItem::default()
            }],
            explanation: "Step `load` was refused [e:17].".to_owned(),
            recommendations: vec![Recommendation {
                text: "look at the credential".to_owned(),
                ..Recommendation::default()
            }],
            ..Diagnosis::default()
        })
    }

    async fn proposals(&self, _filter: &ProposalFilter) -> Asked<Vec<Proposal>> {
        Ok(vec![Proposal {
            id: "5".to_owned(),
            made_at: "2026-11-27T08:00:01Z".to_owned(),
            ..Proposal::default()
        }])
    }

    async fn foresee(&self, question: &WhatIf) -> Asked<Foreseen> {
        let estimate = |value: f64| Estimate {
            what: "cost of an element".to_owned(),
            unit: "ms per item".to_owned(),
            value,
            low: value / 2.0,
            high: value * 2.0,
        };
        let why_not =
            (question.parameter == WhatIfParameter::Timeout).then(|| "3 runs are too few".to_owned());
        Ok(Foreseen {
            parameter: question.parameter,
            value: question.value,
            present: Some(100.0),
            expected: vec![Expected { now: estimate(7.0), then: estimate(3.25) }],
            n: 120,
            is_beyond: true,
            why_not,
            ..Foreseen::default()
        })
    }

    async fn simulate(&self, id: &str) -> Asked<Simulation> {
        let after = Estimate { value: 2.0, low: 1.0, high: 4.0, ..Estimate::default() };
        Ok(Simulation {
            proposal_id: id.to_owned(),
            executions: 40,
            failed_before: 9,
            failed_after: after,
            ..Simulation::default()
        })
    }
}
