//! The collections: what each is named and what its points are made of.

use noetl_api::search::Facts;

use crate::embedding::normalise;

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Failure,
    Execution,
    Playbook,
    Knowledge,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Failure, Self::Execution, Self::Playbook, Self::Knowledge];

    /// As people write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Execution => "execution",
            Self::Playbook => "playbook",
            Self::Knowledge => "knowledge",
        }
    }

    /// One or many: `failure`, `failures`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| text == kind.as_str() || text == kind.collection())
    }

    /// What its collections begin with; the space of their vectors comes behind it.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Failure => "failures",
            Self::Execution => "executions",
            Self::Playbook => "playbooks",
            Self::Knowledge => "knowledge",
        }
    }

    /// Whether what is older counts less.
    pub(crate) fn ages(self) -> bool {
        matches!(self, Self::Failure | Self::Execution)
    }

    /// What a score counts among scores of other kinds.
    ///
    /// Who asks for everything wants to know what happened; pages that explain such things in general are likest to any
    /// question about them, and would come first every time.
    pub(crate) fn weight(self) -> f32 {
        match self {
            Self::Failure => 1.0,
            // It tells the same as its failure, which counts all of them.
            Self::Execution => 0.9,
            Self::Playbook => 0.85,
            Self::Knowledge => 0.7,
        }
    }

    /// The text whose meaning a point stands for.
    pub(crate) fn meaning(self, facts: &Facts) -> String {
        match self {
            Self::Failure | Self::Execution if !facts.step.is_empty() => {
                normalise(&format!("{}\nin step {} of {}", facts.text, facts.step, facts.playbook))
            }
            Self::Failure => normalise(&facts.text),
            Self::Execution | Self::Playbook => normalise(&format!("{} {}", facts.playbook, facts.text)),
            Self::Knowledge => normalise(&format!("{}\n{}", facts.title, facts.text)),
        }
    }

    /// The text whose words a point is found by: its names are among them.
    pub(crate) fn words(facts: &Facts) -> String {
        let names = [
            &facts.title,
            &facts.playbook,
            &facts.step,
            &facts.tool,
            &facts.cause,
            &facts.fingerprint,
            &facts.execution_id,
            &facts.source,
        ];
        let mut words = facts.text.clone();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            words.push(' ');
            words.push_str(name);
        }
        words
    }
}
