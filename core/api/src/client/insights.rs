//! Questions to the semantic layer.

use reqwest::Method;

use super::{Client, ClientError};
use crate::insight::{
    Anomalies, Bottlenecks, Cluster, Comparison, InsightFilter, LayerStatus, SqlAnswer, SqlQuestion, Stats,
};

type Answer<T> = Result<T, ClientError>;

impl Client {
    pub async fn layer_status(&self) -> Answer<LayerStatus> {
        self.read(self.get(&["api", "insights", "status"])).await
    }

    pub async fn stats(&self, filter: &InsightFilter) -> Answer<Stats> {
        self.read(self.get(&["api", "insights", "stats"]).query(filter)).await
    }

    pub async fn clusters(&self, filter: &InsightFilter) -> Answer<Vec<Cluster>> {
        self.read(self.get(&["api", "insights", "clusters"]).query(filter)).await
    }

    pub async fn anomalies(&self, filter: &InsightFilter) -> Answer<Anomalies> {
        self.read(self.get(&["api", "insights", "anomalies"]).query(filter)).await
    }

    /// `deadline_ms`: milliseconds an execution may take, instead of the playbook's own timeout.
    pub async fn bottlenecks(&self, filter: &InsightFilter, deadline_ms: Option<f64>) -> Answer<Bottlenecks> {
        let request = self.get(&["api", "insights", "bottlenecks"]).query(filter);
        self.read(request.query(&deadline_ms.map(|deadline| ("deadline_ms", deadline)).as_slice())).await
    }

    pub async fn compare(&self, a: &str, b: &str) -> Answer<Comparison> {
        self.read(self.get(&["api", "insights", "compare"]).query(&[("a", a), ("b", b)])).await
    }

    /// A query over the analytic tables.
    pub async fn ask_sql(&self, question: &SqlQuestion) -> Answer<SqlAnswer> {
        self.read(self.request(Method::POST, &["api", "insights", "sql"]).json(question)).await
    }
}
