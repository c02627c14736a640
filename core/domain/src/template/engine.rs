//! The template engine: minijinja with the filters and functions that playbooks use, and limits.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::{filters, object};

/// Work that one render may do: about this many operations, and 64 bytes for each.
const FUEL: u64 = 5_000_000;
/// Bytes of text that one render may make.
pub(super) const MOST_TEXT: usize = 64 << 20;
/// Loops, macros and calls inside one another.
const RECURSION: usize = 120;

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_debug(true);
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_fuel(Some(FUEL));
    engine.set_recursion_limit(RECURSION);
    engine.set_unknown_method_callback(filters::method);
    engine.set_formatter(|out, _, value| {
        match value.as_str() {
            Some(text) => out.write_str(text)?,
            None => out.write_str(&object::text(value))?,
        }
        Ok(())
    });
    // It would print the whole scope, secrets included.
    engine.remove_global("debug");
    engine.add_global("null", ());
    filters::register(&mut engine);
    engine
});

pub(super) fn engine() -> &'static Environment<'static> {
    &ENGINE
}

pub(super) fn is_global(name: &str) -> bool {
    ENGINE.globals().any(|(global, _)| global == name)
}
