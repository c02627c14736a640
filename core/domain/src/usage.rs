//! Usage: what tools took of a machine while a Command was worked on, as far as it could be measured.

use serde::{Deserialize, Serialize};

/// Zero stands for what was not measured, and is left out of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// CPU time in microseconds, all tools together.
    #[serde(skip_serializing_if = "is_zero")]
    pub cpu_us: u64,
    /// Resident memory of the largest process, at its peak.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory_bytes: u64,
    /// What tools were given, where its size was at hand.
    #[serde(skip_serializing_if = "is_zero")]
    pub bytes_in: u64,
}

impl Usage {
    pub fn given(bytes: usize) -> Self {
        Self { bytes_in: bytes as u64, ..Self::default() }
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in what more work used, before, after or beside this.
    pub fn add(&mut self, other: Self) {
        self.cpu_us += other.cpu_us;
        self.bytes_in += other.bytes_in;
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn a_report_from_before_usage_was_told_reads_and_nothing_used_is_not_written() {
        let old = r#"{"id":{"execution":"7","step":"s","run":1,"batch":0},"attempt":1,"worker":"w","started_ms":1,"finished_ms":2}"#;
        let report: Report = serde_json::from_str(old).unwrap();
        assert!(report.usage.is_nothing());
        assert_eq!(serde_json::to_string(&report).unwrap(), old);
        let usage = Usage { cpu_us: 1500, ..Usage::default() };
        let text = serde_json::to_string(&Report { usage, ..report }).unwrap();
        assert!(text.ends_with(r#","usage":{"cpu_us":1500}}"#), "{text}");
    }

    #[test]
    fn time_and_bytes_add_up_and_memory_is_that_of_the_largest() {
        let mut sum = Usage { cpu_us: 1, memory_bytes: 30, bytes_in: 5 };
        sum.add(Usage { cpu_us: 2, memory_bytes: 20, bytes_in: 5 });
        assert_eq!(sum, Usage { cpu_us: 3, memory_bytes: 30, bytes_in: 10 });
    }
}
