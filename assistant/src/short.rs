//! A Diagnosis in short, as the log keeps it; and the hash that tells whether evidence is the same.

use noetl_api::diagnosis::{Diagnosis, EvidenceStatus};
use noetl_domain::event::Diagnosed;
use sha2::{Digest as _, Sha256};

/// An explanation longer than this is cut at a sentence.
const LONGEST: usize = 2_000;

/// What the log keeps of it.
pub(crate) fn short(diagnosis: &Diagnosis, attempt: u32, prompt: &str) -> Diagnosed {
    let mut explanation = String::new();
    for sentence in crate::check::sentences(&diagnosis.explanation) {
        if explanation.len() + sentence.len() > LONGEST {
            break;
        }
        if !explanation.is_empty() {
            explanation.push(' ');
        }
        explanation.push_str(sentence);
    }
    let status = match diagnosis.evidence_status {
        EvidenceStatus::Confirmed => "confirmed",
        EvidenceStatus::Hypothesis => "hypothesis",
        EvidenceStatus::Insufficient => "insufficient",
    };
    Diagnosed {
        attempt,
        root_execution: diagnosis.root_execution_id.as_ref().and_then(|id| id.parse().ok()),
        root_playbook: diagnosis.root_playbook.clone(),
        root_step: diagnosis.root_step.clone(),
        root_event: diagnosis.root_event_id.clone(),
        cause: diagnosis.cause.clone().unwrap_or_else(|| "unknown".to_owned()),
        transience: diagnosis.transience.map(|transience| transience.as_str().to_owned()),
        confidence: diagnosis.confidence,
        evidence_status: status.to_owned(),
        explanation,
        written_by: diagnosis.written_by.clone(),
        prompt: if diagnosis.written_by == "rules" { String::new() } else { prompt.to_owned() },
        recommendations: diagnosis.recommendations.len() as u32,
        evidence_hash: diagnosis.evidence_hash.clone(),
    }
}

/// The hash of what an answer rests on: not of who wrote it, how long it took, or what came to be known elsewhere since.
pub(crate) fn evidence_hash(diagnosis: &Diagnosis) -> String {
    let rests_on = (
        (&diagnosis.execution_id, diagnosis.version, diagnosis.verdict),
        (&diagnosis.root_execution_id, &diagnosis.root_step, &diagnosis.root_event_id, &diagnosis.cause),
        (&diagnosis.evidence, &diagnosis.chain, &diagnosis.symptoms),
        (&diagnosis.contributing, &diagnosis.alternatives),
    );
    hash(&serde_json::to_vec(&rests_on).unwrap_or_default())
}

/// 128 bits as hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
