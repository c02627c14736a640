//! The texts of `tests/playbooks`: the good ones are accepted, each broken one is refused for the right reason.

use noetl_domain::finding::{Finding, Severity};

use crate::place;

fn errors(findings: &[Finding]) -> Vec<(String, u32)> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| (finding.code.to_string(), finding.span.line)).collect()
}

#[test]
fn every_playbook_is_read_without_errors() {
    let mut wrong = Vec::new();
    for path in place::playbook_files(&place::playbooks()) {
        if path.components().any(|part| part.as_os_str() == "broken") {
            continue;
        }
        let noetl_domain::dialect::Reading { playbook, findings, .. } =
            noetl_domain::dialect::read(&place::read(&path));
        if playbook.is_none() || !errors(&findings).is_empty() {
            let texts: Vec<String> = findings
                .iter()
                .map(|finding| {
                    format!(
                        "    {}:{} {} {}",
                        finding.span.line, finding.span.column, finding.code, finding.message
                    )
                })
                .collect();
            wrong.push(format!("{}\n{}", path.display(), texts.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{} playbooks are refused:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_broken_playbook_is_refused_for_its_reason() {
    let mut wrong = Vec::new();
    for path in place::playbook_files(&place::playbooks().join("broken")) {
        let text = place::read(&path);
        let noetl_domain::dialect::Reading { playbook, findings, .. } = noetl_domain::dialect::read(&text);
        let found = errors(&findings);
        let mut missing: Vec<String> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index as u32 + 1;
            let codes =
                line.split_once("# !").map(|(_, codes)| codes.split_whitespace()).into_iter().flatten();
            let unseen = codes.filter(|code| !found.contains(&((*code).to_owned(), number)));
            missing.extend(unseen.map(|code| format!("{code} on line {number}")));
        }
        if let Some(codes) = text.lines().next().and_then(|line| line.strip_prefix("# expect:")) {
            let unseen =
                codes.split_whitespace().filter(|code| !found.iter().any(|(found, _)| found == code));
            missing.extend(unseen.map(|code| format!("{code} anywhere")));
        }
        if playbook.is_some() {
            missing.push("a refusal".to_owned());
        }
        if !missing.is_empty() {
            wrong.push(format!("{}: missing {}; found {found:?}", path.display(), missing.join(", ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} broken playbooks are not refused as they should:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
