//! Recorded logs of older days fold to what they meant when they were recorded.

use std::collections::BTreeMap;

use noetl_domain::event::Recorded;
use noetl_domain::execution::Execution;
use serde::Deserialize;

use crate::place;

#[derive(Debug, Deserialize)]
struct Head {
    status: String,
    failed: Vec<String>,
    handled: Vec<String>,
    result_step: Option<String>,
    runs: BTreeMap<String, u32>,
}

#[test]
fn every_history_replays() {
    let mut count = 0;
    for entry in std::fs::read_dir(place::root().join("tests/histories")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        count += 1;
        let name = path.display();
        let text = place::read(&path);
        let mut lines = text.lines();
        let head: Head =
            serde_json::from_str(lines.next().unwrap_or_default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut execution: Option<Execution> = None;
        for line in lines {
            let recorded: Recorded =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}\n{line}"));
            let folded = execution.get_or_insert_with(|| Execution::new(recorded.execution));
            folded.apply(&recorded.event, recorded.at_ms);
            assert_eq!(folded.seq, recorded.seq, "{name}: versions have no gaps");
            // A restart at this moment must be able to go on.
            let _ = (folded.resend(), folded.timers_to_set(recorded.at_ms), folded.children_to_start());
        }
        let execution = execution.unwrap_or_else(|| panic!("{name} has no events"));
        let finished = execution.finished.clone().unwrap_or_else(|| panic!("{name} does not end"));
        assert_eq!(execution.status.as_str(), head.status, "{name}");
        assert_eq!(finished.failed_steps, head.failed, "{name}");
        assert_eq!(finished.handled_failures, head.handled, "{name}");
        assert_eq!(finished.result_step, head.result_step, "{name}");
        let runs: BTreeMap<String, u32> = execution
            .steps
            .iter()
            .map(|(step, state)| (step.clone(), state.run))
            .filter(|(_, run)| *run > 0)
            .collect();
        assert_eq!(runs, head.runs, "{name}");
        assert_eq!(execution.flights().count(), 0, "{name}: nothing is left under way");
        assert!(
            execution.resend().is_empty() && execution.timers_to_set(0).is_empty(),
            "{name}: nothing is left to do"
        );
    }
    assert!(count > 0, "there are no histories");
}
