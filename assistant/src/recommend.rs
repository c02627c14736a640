//! The next thing to do about a cause, with the page that says more.

use noetl_api::diagnosis::{Recommendation, Transience};
use noetl_domain::cause::Cause;
use noetl_domain::code::Code;

use crate::change::Change;
use crate::diagnosis::Hypothesis;
use crate::evidence::Evidence;

pub(crate) fn recommendations(
    evidence: &Evidence,
    winner: &Hypothesis,
    changes: &[Change],
    transience: Transience,
) -> Vec<Recommendation> {
    let step = winner.root.step.as_deref().unwrap_or("the step");
    let mut found = Vec::new();
    let (text, code) = advice(winner.cause, step);
    let own = own_code(evidence, winner);
    found.push(Recommendation {
        text,
        code: own.or(code).map(|code| code.as_str().to_owned()),
        ..Recommendation::default()
    });
    for change in changes.iter().filter(|change| change.is_close) {
        let text = match change.told.kind.as_str() {
            "version" => format!("look at what changed in the playbook; {}", change.told.what),
            "input" => format!("check the input: {}", change.told.what),
            "credential" => format!("check the credential: {}", change.told.what),
            _ => continue,
        };
        found.push(Recommendation { text, ..Recommendation::default() });
    }
    if winner.cause == Cause::Unknown {
        found.push(Recommendation {
            text: "read what the step printed".to_owned(),
            command: Some(format!("noetl logs {}", winner.root.execution)),
            ..Recommendation::default()
        });
    } else if transience != Transience::Permanent {
        found.push(Recommendation {
            text: "run it again from what failed; what completed is kept".to_owned(),
            command: Some(format!("noetl retry {}", evidence.run.id)),
            ..Recommendation::default()
        });
    }
    found
}

/// The Code that the error itself carries.
fn own_code(evidence: &Evidence, winner: &Hypothesis) -> Option<Code> {
    let at = crate::change::find(evidence, winner.root.execution)?;
    let failure = at.run.failure_of(winner.root.step.as_deref()?)?;
    if failure.cause != winner.cause {
        return None;
    }
    failure.error.code.as_deref()?.parse().ok()
}

fn advice(cause: Cause, step: &str) -> (String, Option<Code>) {
    let (text, code) = match cause {
        Cause::AuthUnauthenticated => ("give step `{}` a credential that the other side knows", None),
        Cause::AuthForbidden => {
            ("ask for the permission that step `{}` needs, or use another credential", None)
        }
        Cause::AuthCredentialMissing => {
            ("register the credential that step `{}` names", Some(Code::UnknownCredential))
        }
        Cause::AuthCredentialInvalid => (
            "register the credential of step `{}` again, with every field it needs",
            Some(Code::CredentialShape),
        ),
        Cause::AuthTokenExpired => ("renew the token that step `{}` uses", Some(Code::TokenFailed)),
        Cause::LimitRate => {
            ("call less often in step `{}`: fewer at once, and a retry with a growing delay", None)
        }
        Cause::LimitQuota => ("raise the quota that step `{}` uses up, or use less of it", None),
        Cause::LimitTooLarge => {
            ("send less at once in step `{}`: smaller batches or pages", Some(Code::ResourceLimit))
        }
        Cause::LimitConnections => {
            ("use fewer connections at once in step `{}`, or allow more on the other side", None)
        }
        Cause::NetworkDns => ("check the host name in step `{}`", Some(Code::Connection)),
        Cause::NetworkRefused => (
            "see that the service of step `{}` is running and listens where the step calls it",
            Some(Code::Connection),
        ),
        Cause::NetworkReset | Cause::NetworkUnreachable => (
            "check the network between the worker and the service of step `{}`; a retry helps when it passes",
            Some(Code::Connection),
        ),
        Cause::NetworkTls => ("check the certificate of the service of step `{}`", Some(Code::Connection)),
        Cause::TimeoutConnect | Cause::TimeoutResponse => {
            ("give step `{}` a retry with a growing delay, or a longer timeout", Some(Code::StepTimeout))
        }
        Cause::TimeoutStatement => ("make the statement of step `{}` faster, or give it more time", None),
        Cause::TimeoutStep => {
            ("find out why step `{}` takes so long, or give it a longer timeout", Some(Code::StepTimeout))
        }
        Cause::RemoteServerError | Cause::RemoteUnavailable => {
            ("give step `{}` a retry with a growing delay; the fault is on the other side", None)
        }
        Cause::RequestInvalid => ("compare what step `{}` sends with what the other side takes", None),
        Cause::RequestNotFound => ("check the address and the ids that step `{}` asks for", None),
        Cause::RequestConflict => {
            ("make step `{}` see whether its work is done already before it does it", None)
        }
        Cause::ResponseMalformed => ("look at what step `{}` got in place of data", None),
        Cause::ResponseSchemaChanged => (
            "adapt the steps that read the result of `{}` to its new form, and check the form where it comes in",
            None,
        ),
        Cause::DataEmpty => (
            "find out why step `{}` produced nothing, and let the playbook branch when there is nothing to do",
            None,
        ),
        Cause::DataTypeMismatch => ("convert or check the value where step `{}` produces it", None),
        Cause::DataConstraint => ("check the values before step `{}` writes them", None),
        Cause::DataDuplicate => {
            ("let step `{}` update what is there already (an upsert), or find out why it comes twice", None)
        }
        Cause::SqlSyntax => ("correct the statement of step `{}`", None),
        Cause::SqlUndefinedObject => {
            ("create the table, column or function that step `{}` names, or correct the name", None)
        }
        Cause::SqlDeadlock | Cause::SqlSerialization => ("let step `{}` retry the transaction", None),
        Cause::CodeException => ("correct the code of step `{}`", None),
        Cause::CodeSyntax => ("correct the code of step `{}`: it does not parse", None),
        Cause::CodeImport => ("install the module that step `{}` imports", Some(Code::PythonMissingModule)),
        Cause::CodeResult => ("let step `{}` return values that JSON can hold", None),
        Cause::TemplateUndefined => {
            ("correct the name that a template of step `{}` reads", Some(Code::UnknownName))
        }
        Cause::TemplateSyntax => {
            ("correct the template of step `{}`: it does not parse", Some(Code::TemplateSyntax))
        }
        Cause::TemplateType => {
            ("correct the template of step `{}`, or the value it works on", Some(Code::TemplateFailed))
        }
        Cause::PlaybookInvalid => ("correct the playbook; `noetl lint` shows the place", None),
        Cause::PlaybookNotFound => {
            ("register the playbook that step `{}` runs, or correct its path", Some(Code::UnknownPlaybook))
        }
        Cause::PlaybookNoRoute => {
            ("give step `{}` an arc for this case, such as `else`", Some(Code::NoRoute))
        }
        Cause::PlaybookLoopSource => ("give the loop of step `{}` a list", Some(Code::LoopSource)),
        Cause::PlaybookChildFailed => {
            ("ask why the sub-playbook of step `{}` failed", Some(Code::ChildFailed))
        }
        Cause::PlaybookCycleLimit => {
            ("give the cycle through step `{}` a condition that becomes true", Some(Code::TooManySteps))
        }
        Cause::ToolUnknown => ("correct the kind of tool of step `{}`", Some(Code::UnknownTool)),
        Cause::ToolConfig => ("correct the fields of the tool of step `{}`", Some(Code::ToolInput)),
        Cause::ResourceMemory => {
            ("let step `{}` work on less at once, or give it more memory", Some(Code::ResourceLimit))
        }
        Cause::ResourceDisk => ("make room on the disk that step `{}` writes to", None),
        Cause::ResourceKilled => {
            ("find out who ended the process of step `{}`: the system, for memory, or a person", None)
        }
        Cause::WorkerLost => (
            "see why workers die while they run step `{}`: memory, a crash, a restart",
            Some(Code::CommandLost),
        ),
        Cause::WorkerNone => (
            "start a worker for the pool that step `{}` names, or name another pool",
            Some(Code::UnservedPool),
        ),
        Cause::RunCancelled => ("start it again when it may run", None),
        Cause::Unknown => ("let step `{}` say why it fails", Some(Code::ToolFailed)),
    };
    (text.replace("{}", step), code)
}
