//! Remarks on playbooks for a terminal, whether they come from this process or from a server.

use std::fmt::Write as _;

use noetl_api::error::FindingBody;

use crate::terminal::Style;

/// The place, the remark, the line with a caret, and the hint.
pub(crate) fn render(finding: &FindingBody, file: Option<&str>, style: Style) -> String {
    let label = format!("{}[{}]", finding.severity, finding.code);
    let label = if finding.severity == "error" { style.error(&label) } else { style.warning(&label) };
    let file = file.map(|file| format!("{file}:")).unwrap_or_default();
    let mut out = format!("{label}: {}\n", style.bold(&finding.message));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  {} {file}{}:{}", style.dim("-->"), finding.line, finding.column);
    for line in finding.excerpt.lines() {
        let _ = writeln!(out, "  {} {line}", style.dim("|"));
    }
    if let Some(hint) = &finding.hint {
        let _ = writeln!(out, "  {} {hint}", style.hint("hint:"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_its_place_its_line_and_what_to_try() {
        let finding = FindingBody {
            code: "PB101".to_owned(),
            severity: "error".to_owned(),
            message: "step start has an arc to laod, which does not exist".to_owned(),
            hint: Some("did you mean load?".to_owned()),
            line: 3,
            column: 9,
            excerpt: "  next: laod\n        ^".to_owned(),
        };
        assert_eq!(
            render(&finding, Some("a.yaml"), Style::plain()),
            "error[PB101]: step start has an arc to laod, which does not exist\n  \
             --> a.yaml:3:9\n  \
             |   next: laod\n  \
             |         ^\n  \
             hint: did you mean load?\n"
        );
    }
}
