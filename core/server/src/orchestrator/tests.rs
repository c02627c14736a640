//! The orchestrator over a real store and the local bus, with workers that the tests play.
