//! The release binary as a server, and a client that waits for ends by following the feed.

use std::collections::HashSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use noetl_api::client::{Client, ClientError};
use noetl_api::event::{EventBody, FeedQuery};
use noetl_api::execute::ExecuteRequest;
use noetl_domain::id::ExecutionId;
use tokio::sync::Mutex;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_noetl");

pub(crate) struct Server {
    child: tokio::process::Child,
    client: Client,
    feed: Mutex<BoxStream<'static, Result<EventBody, ClientError>>>,
    _data: tempfile::TempDir,
}

impl Server {
    /// Returns once `GET /health` answers.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let child = tokio::process::Command::new(BINARY)
            .args(["up", "--port", "0", "--data"])
            .arg(data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let client = loop {
            let lock = std::fs::read_to_string(data.path().join("noetl.lock")).unwrap_or_default();
            let address = lock.lines().find_map(|line| line.strip_prefix("address ")).map(str::to_owned);
            if let Some(address) = address {
                let client = Client::new(&address)?;
                if client.health().await.is_ok() {
                    break client;
                }
            }
            if Instant::now() > deadline {
                bail!("the server does not come up");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        // From the beginning: the connection is made when it is first read, and an end before that must not be missed.
        let feed = client.follow(&FeedQuery {
            event_type: Some("playbook.completed".into()),
            after: Some("0".into()),
            ..FeedQuery::default()
        });
        Ok(Self { child, client, feed: Mutex::new(feed), _data: data })
    }

    pub(crate) async fn register(&self, yaml: &str) -> anyhow::Result<()> {
        self.client.register(yaml, None).await?;
        Ok(())
    }

    /// From the request to the final state.
    pub(crate) async fn run(&self, path: &str) -> anyhow::Result<Duration> {
        self.run_many(path, 1, 1).await
    }

    pub(crate) async fn run_many(
        &self,
        path: &str,
        count: u64,
        at_a_time: usize,
    ) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let request = ExecuteRequest { path: Some(path.to_owned()), ..ExecuteRequest::default() };
        let starts = futures::stream::iter(0..count)
            .map(|_| self.client.execute(&request))
            .buffer_unordered(at_a_time)
            .map(|started| started.map(|started| started.execution_id))
            .collect::<Vec<Result<ExecutionId, ClientError>>>();
        let mut feed = self.feed.lock().await;
        let mut ended = HashSet::new();
        let follow = async {
            while (ended.len() as u64) < count {
                let event = feed.next().await.context("the feed ended")??;
                ended.insert(event.execution_id);
            }
            anyhow::Ok(began.elapsed())
        };
        let (started, elapsed) =
            tokio::time::timeout(Duration::from_mins(10), async { tokio::join!(starts, follow) })
                .await
                .context("the executions do not end")?;
        for started in started {
            started?;
        }
        elapsed
    }

    /// The most memory the server ever held, in MiB.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        let pid = self.child.id().context("the server is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
        let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        Ok(kib / 1024.0)
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
