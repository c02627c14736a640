//! The words of the live view, the same for bars and lines.

use std::time::Duration;

use noetl_api::execution::StepState;

use crate::terminal::Style;

/// `12 ms`, `3.4 s`, `2 min 05 s`.
pub(crate) fn elapsed(seconds: f64) -> String {
    let time = Duration::from_secs_f64(seconds.max(0.0));
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

/// A status in its colour.
pub(crate) fn painted(status: &str, style: Style) -> String {
    match status {
        "COMPLETED" => style.success(status),
        "FAILED" => style.error(status),
        "CANCELLED" | "SKIPPED" => style.warning(status),
        _ => style.bold(status),
    }
}

pub(super) fn mark(status: &str, style: Style) -> String {
    match status {
        "COMPLETED" => style.success("✓"),
        "FAILED" => style.error("✗"),
        "SKIPPED" => style.dim("-"),
        _ => style.bold("▸"),
    }
}

/// `3/10 items, 1 failed, 2 retries, run 2`: whatever there is to say besides name and time.
pub(super) fn particulars(step: &StepState) -> String {
    let mut parts = Vec::new();
    if let Some(progress) = &step.iterations {
        parts.push(match progress.total {
            Some(total) => format!("{}/{total} items", progress.done),
            None => format!("{} items", progress.done),
        });
        if progress.failed > 0 {
            parts.push(format!("{} failed", progress.failed));
        }
    }
    match step.retries {
        0 => {}
        1 => parts.push("1 retry".to_owned()),
        many => parts.push(format!("{many} retries")),
    }
    if step.run > 1 {
        parts.push(format!("run {}", step.run));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use noetl_api::execution::LoopProgress;

    use super::*;

    #[test]
    fn particulars_say_what_is_out_of_the_ordinary() {
        let step = |retries, run, iterations| {
            particulars(&StepState { retries, run, iterations, ..StepState::default() })
        };
        let items = LoopProgress { total: Some(10), done: 3, failed: 1 };
        assert_eq!(step(0, 1, None), "");
        assert_eq!(step(1, 1, None), "1 retry");
        assert_eq!(step(2, 2, Some(items)), "3/10 items, 1 failed, 2 retries, run 2");
    }

    #[test]
    fn times_read_as_people_say_them() {
        for (seconds, words) in
            [(0.0, "0 ms"), (0.0124, "12 ms"), (0.9999, "999 ms"), (3.42, "3.4 s"), (125.0, "2 min 05 s")]
        {
            assert_eq!(elapsed(seconds), words);
        }
    }
}
