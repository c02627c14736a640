//! How the statements of one task hang together.

use noetl_domain::playbook::Dialect;

use super::Flavour;
use super::split::{has_word, verb};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// One transaction: all or nothing.
    Atomic,
    /// Each on its own; the first error ends it.
    Each,
    /// Each on its own, and on after an error; the task fails at the end (generations up to B).
    Onward,
}

impl Together {
    /// From C on, a script of several statements is one transaction, unless it manages transactions itself.
    pub fn of(statements: &[String], dialect: Dialect, flavour: Flavour) -> Self {
        if dialect <= Dialect::B {
            Self::Onward
        } else if statements.len() < 2 || statements.iter().any(|statement| stands_alone(statement, flavour))
        {
            Self::Each
        } else {
            Self::Atomic
        }
    }
}

/// Statements that begin or end transactions themselves, or refuse to run inside one.
fn stands_alone(statement: &str, flavour: Flavour) -> bool {
    match verb(statement, flavour).as_str() {
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" | "PREPARE"
        | "CALL" | "VACUUM" | "CLUSTER" | "CHECKPOINT" | "ATTACH" | "DETACH" | "PRAGMA" => true,
        "DO" => {
            let body = statement.to_ascii_uppercase();
            body.contains("COMMIT") || body.contains("ROLLBACK")
        }
        "CREATE" | "DROP" | "ALTER" | "REINDEX" => has_word(
            statement,
            flavour,
            &["CONCURRENTLY", "DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION"],
        ),
        _ => false,
    }
}
