//! Conditions: how those of different generations become one expression, and how they combine.

use crate::playbook::Expr;

pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The condition as an expression.
///
/// Text around the braces that holds an operator is compared after rendering in the older engines;
/// here it joins the expression: `{{ a.code }} == 0` becomes `{{ (a.code) == 0 }}`.
pub(super) fn normalise(text: &str) -> Expr {
    if !text.contains("{{") || text.contains("{%") || lone(text).is_some() {
        return Expr(text.to_owned());
    }
    match compared(text) {
        Some(expression) => Expr(format!("{{{{ {expression} }}}}")),
        None => Expr(text.to_owned()),
    }
}

pub(super) fn not(condition: &Expr) -> Expr {
    match condition.0.trim().to_lowercase().as_str() {
        "true" => Expr("false".to_owned()),
        "false" => Expr("true".to_owned()),
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
    Expr(format!("{{{{ ({}) and ({}) }}}}", inner(&left.0), inner(&right.0)))
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

/// Rewrites `{{ a }} == 0` into `(a) == 0`; None when no operator stands outside the braces.
fn compared(text: &str) -> Option<String> {
    let mut output = String::new();
    let mut operator = false;
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let close = rest[open..].find("}}")? + open;
        let mut before = rest[..open].to_owned();
        let expression = rest[open + 2..close].trim_matches('-').trim();
        rest = &rest[close + 2..];
        // A quoted template is text: '{{ zone }}' == 'EU'.
        let quote =
            before.chars().last().filter(|quote| matches!(quote, '\'' | '"') && rest.starts_with(*quote));
        if let Some(quote) = quote {
            before.pop();
            rest = &rest[quote.len_utf8()..];
            output.push_str(&outside(&before, &mut operator)?);
            output.push_str(&format!("(({expression}) | string)"));
        } else {
            output.push_str(&outside(&before, &mut operator)?);
            output.push_str(&format!("({expression})"));
        }
    }
    output.push_str(&outside(rest, &mut operator)?);
    operator.then(|| output.trim().to_owned())
}

/// Operators and literals stay, bare words become text; None when this is prose.
fn outside(text: &str, operator: &mut bool) -> Option<String> {
    let mut output = String::new();
    let mut characters = text.chars().peekable();
    while let Some(&character) = characters.peek() {
        if character.is_alphabetic() || character == '_' {
            let mut word = String::new();
            while let Some(&next) = characters.peek() {
                if !next.is_alphanumeric() && !matches!(next, '_' | '-' | '.' | '/') {
                    break;
                }
                word.push(next);
                characters.next();
            }
            match word.as_str() {
                "and" | "or" | "not" | "in" | "is" => {
                    *operator = true;
                    output.push_str(&word);
                }
                "true" | "false" | "True" | "False" | "none" | "None" | "defined" | "undefined" => {
                    output.push_str(&word)
                }
                "null" => output.push_str("none"),
                _ => output.push_str(&format!("'{word}'")),
            }
        } else if matches!(character, '\'' | '"') {
            characters.next();
            output.push(character);
            loop {
                let next = characters.next()?;
                output.push(next);
                if next == character {
                    break;
                }
            }
        } else if character == '&' || character == '|' {
            characters.next();
            if characters.next() != Some(character) {
                return None;
            }
            *operator = true;
            output.push_str(if character == '&' { " and " } else { " or " });
        } else {
            *operator |= matches!(character, '=' | '<' | '>' | '!');
            if !character.is_ascii_digit()
                && !character.is_whitespace()
                && !"=<>!()+-*%.,[]".contains(character)
            {
                return None;
            }
            output.push(character);
            characters.next();
        }
    }
    Some(output)
}
