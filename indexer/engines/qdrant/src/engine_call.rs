//! The engine panics where a disk is full or a file is damaged; that must end a request, never the process.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the work answers, or the words of its panic.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // Nothing of ours is left half changed: what the engine locks, it alone looks at.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("without words");
        format!("the vector engine panicked: {words}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_words() {
        let lost = guarded(|| -> () { panic!("segment {} is lost", 7) });
        assert_eq!(lost.unwrap_err(), "the vector engine panicked: segment 7 is lost");
        assert_eq!(guarded(|| 5), Ok(5));
    }
}
