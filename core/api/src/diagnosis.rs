//! Why an execution failed, in the form that every reader gets: people, machines, and later models.
//!
//! Every claim points at evidence by its `ref`; prose cites it as `[e:REF]`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What came of the execution, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Diagnosis {
    #[schema(example = "386547056640512000")]
    pub execution_id: String,
    pub playbook: String,
    pub version: u32,
    /// `failed`, `completed`, `running` or `cancelled`: asking about an execution that did not fail is no mistake.
    pub verdict: Verdict,
    /// Where the cause lies; another execution than the one asked about when a sub-playbook failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_execution_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_playbook: Option<String>,
    /// The earliest failing step that explains the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_event_id: Option<String>,
    /// One of the closed list of causes, such as `network.refused`; none when nothing failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What the cause means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transience: Option<Transience>,
    /// Between 0 and 1: the share of such answers that are right.
    pub confidence: f64,
    pub evidence_status: EvidenceStatus,
    pub evidence: Vec<EvidenceItem>,
    /// Ids of events, from the root to the failure.
    pub chain: Vec<String>,
    /// What failed, or never ran, because of the root.
    pub symptoms: Vec<Symptom>,
    /// What changed since the last good run.
    pub contributing: Vec<Contribution>,
    pub similar: Vec<SimilarFailure>,
    /// What could not be looked at, and would have helped.
    pub evidence_gaps: Vec<String>,
    pub recommendations: Vec<Recommendation>,
    /// Other causes that were considered, likeliest first.
    pub alternatives: Vec<Alternative>,
    /// Sentences with citations.
    pub explanation: String,
    /// `rules`, or the name of a model.
    pub written_by: String,
    /// Why the configured model wrote nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_note: Option<String>,
    /// The same for the same evidence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence_hash: String,
    /// The last execution of the same playbook that completed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good_execution_id: Option<String>,
    /// How long the answer took.
    pub took_ms: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    #[default]
    Failed,
    Completed,
    Running,
    Cancelled,
}

/// How long the cause lasts if nobody changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transience {
    /// The same again next time.
    Permanent,
    /// It passes.
    Transient,
    /// It comes and goes.
    Intermittent,
}

impl Transience {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Intermittent => "intermittent",
        }
    }
}

/// How far the evidence carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    /// The chain follows the playbook, the deviation is real, and causes come before effects.
    Confirmed,
    /// The best explanation of what is there.
    Hypothesis,
    /// What is there supports no cause.
    #[default]
    Insufficient,
}

/// Something that exists and can be looked up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EvidenceItem {
    /// `event`, `row`, `document`, `playbook_line`, `credential_meta`, `rollout`.
    pub kind: String,
    /// What citations name: the id of an event, `CODE`, `path@version:line`, `credential:NAME`, `execution:ID`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it says, shortened.
    pub excerpt: String,
    /// The claim that it supports.
    pub supports: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Symptom {
    pub step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    pub what: String,
}

/// One difference to the last good run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Contribution {
    /// `version`, `input`, `credential`, `duration`, `messages`, `worker`, `data`.
    pub kind: String,
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// For versions: how the text differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// What it rests on, as citations name it.
    pub refs: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SimilarFailure {
    pub execution_id: String,
    pub score: f64,
    /// What ended it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Recommendation {
    /// What sort of action it is.
    pub kind: Remedy,
    pub text: String,
    /// The step that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What is to be changed: the name of a credential, an input, a field of the tool, a module, a pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The page to read: `noetl explain CODE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The next thing to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal_id: Option<String>,
}

/// The sorts of things that can be done about a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    RegisterCredential,
    /// It is there and is not taken.
    FixCredential,
    RenewToken,
    GrantPermission,
    /// Wait, and try again.
    Retry,
    /// Fewer at once, or less often.
    SlowDown,
    RaiseQuota,
    /// Less at once: smaller batches, pages, results.
    ReduceSize,
    RaiseTimeout,
    /// The host, the path or the id that is asked for.
    FixAddress,
    RestoreService,
    FixCertificate,
    FixRequest,
    /// Branch when there is nothing to do.
    HandleEmpty,
    FixData,
    /// Take the new form of an answer.
    AdaptSchema,
    /// An upsert, or a look before the work.
    MakeIdempotent,
    FixSql,
    FixCode,
    InstallModule,
    FixTemplate,
    FixPlaybook,
    RegisterPlaybook,
    FixTool,
    /// Memory, disk.
    AddResources,
    /// Somebody or something ended the process.
    FindKiller,
    StartWorker,
    /// What the caller sent.
    FixInput,
    /// Go back to the version before.
    RollBack,
    /// Start it again when it may run.
    Rerun,
    /// Let the step say why it fails.
    #[default]
    SayWhy,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Alternative {
    pub step: Option<String>,
    pub cause: String,
    pub confidence: f64,
    pub why: String,
}

/// Nothing has to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(default)]
pub struct DiagnoseRequest {
    /// Leaves out the comparison with the last good run.
    pub without_history: bool,
    /// Leaves the explanation to the rules, though a model is configured.
    pub without_model: bool,
}
