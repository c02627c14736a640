//! Conditions, and how they combine into one.

use crate::playbook::Expr;

pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

pub(super) fn not(condition: &Expr) -> Expr {
    match condition.0.trim().to_lowercase().as_str() {
        "true" => Expr("false".to_owned()),
        "false" => Expr("true".to_owned()),
        _ if is_mixed(&condition.0) => Expr(format!("not ({})", condition.0.trim())),
        _ => Expr(format!("{{{{ not ({}) }}}}", inner(&condition.0))),
    }
}

pub(super) fn and(left: &Expr, right: &Expr) -> Expr {
    if left.0.trim().eq_ignore_ascii_case("true") {
        return right.clone();
    }
    if right.0.trim().eq_ignore_ascii_case("true") {
        return left.clone();
    }
    if is_mixed(&left.0) || is_mixed(&right.0) {
        return Expr(format!("{} and {}", outside(&left.0), outside(&right.0)));
    }
    Expr(format!("{{{{ ({}) and ({}) }}}}", inner(&left.0), inner(&right.0)))
}

/// Text around the braces counts: `{{ a.code }} == 0` is compared after rendering.
fn is_mixed(text: &str) -> bool {
    is_template(text) && lone(text).is_none()
}

/// A form that may stand beside operators outside the braces.
fn outside(text: &str) -> String {
    if is_mixed(text) { format!("({})", text.trim()) } else { format!("{{{{ {} }}}}", inner(text)) }
}

/// The expression without its braces.
pub(super) fn inner(text: &str) -> String {
    lone(text).map_or_else(|| text.trim().to_owned(), str::to_owned)
}

/// The inside of a text that is exactly one `{{ … }}`.
pub(super) fn lone(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if inside.contains("{{") || inside.contains("}}") {
        return None;
    }
    Some(inside.trim_matches('-').trim())
}
