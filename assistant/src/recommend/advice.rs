//! What helps against each cause: the sort of action, a sentence for the step, and the page that says more.

use noetl_api::diagnosis::Remedy;
use noetl_domain::cause::Cause;
use noetl_domain::code::Code;

pub(super) struct Advice {
    pub(super) kind: Remedy,
    /// `{}` stands for the step.
    pub(super) text: &'static str,
    pub(super) code: Option<Code>,
}

fn advice(kind: Remedy, text: &'static str, code: Option<Code>) -> Advice {
    Advice { kind, text, code }
}

pub(super) fn of(cause: Cause) -> Advice {
    match cause.family() {
        "auth" | "limit" => of_access(cause),
        "network" | "timeout" | "remote" | "request" | "response" => of_other_side(cause),
        "data" | "sql" | "code" | "template" => of_work(cause),
        _ => of_us(cause),
    }
}

/// Causes of which the words of the error may ask for something else than usual.
pub(super) fn is_up_to_words(cause: Cause) -> bool {
    matches!(cause, Cause::ResponseMalformed | Cause::RequestConflict | Cause::ResourceKilled)
}

/// What helps where the words of the error say more than its cause.
pub(super) fn as_told(cause: Cause, told: &str) -> Option<Advice> {
    // Whole words only: a lesson is no SSO, and a block no lock.
    let lower = told.to_lowercase();
    let words: Vec<&str> =
        lower.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let told = format!(" {} ", words.join(" "));
    let says = |phrases: &str| phrases.split('|').any(|phrase| told.contains(&format!(" {phrase} ")));
    match cause {
        Cause::ResponseMalformed
            if says("html page came in place of data")
                && says(
                    "sign in|signin|log in|login|log on|anmelden|anmeldung|connexion|iniciar sesión|accedi|sso|password",
                ) =>
        {
            Some(advice(
                Remedy::FixCredential,
                "step `{}` got a page to sign in: give it a credential or a session that is still known",
                None,
            ))
        }
        Cause::RequestConflict
            if says(
                "been modified|latest version|changed by|in progress|already running|lock|locked|locks|being edited|someone else|version conflict|expected version|etag|seqno|stale",
            ) =>
        {
            Some(advice(
                Remedy::Retry,
                "try step `{}` again, with what is there now: somebody else was at work on the same thing",
                None,
            ))
        }
        Cause::ResourceKilled if says("time limit|wall time|walltime|deadline") => {
            Some(advice(Remedy::RaiseTimeout, "ask for more time for the job of step `{}`", None))
        }
        _ => None,
    }
}

fn of_access(cause: Cause) -> Advice {
    match cause {
        Cause::AuthForbidden => advice(
            Remedy::GrantPermission,
            "ask for the permission that step `{}` needs, or use another credential",
            None,
        ),
        Cause::AuthCredentialMissing => advice(
            Remedy::RegisterCredential,
            "register the credential that step `{}` names",
            Some(Code::UnknownCredential),
        ),
        Cause::AuthCredentialInvalid => advice(
            Remedy::FixCredential,
            "register the credential of step `{}` again, with every field it needs",
            Some(Code::CredentialShape),
        ),
        Cause::AuthTokenExpired => {
            advice(Remedy::RenewToken, "renew the token that step `{}` uses", Some(Code::TokenFailed))
        }
        Cause::LimitRate => advice(
            Remedy::SlowDown,
            "call less often in step `{}`: fewer at once, and a retry with a growing delay",
            None,
        ),
        Cause::LimitQuota => {
            advice(Remedy::RaiseQuota, "raise the quota that step `{}` uses up, or use less of it", None)
        }
        Cause::LimitTooLarge => advice(
            Remedy::ReduceSize,
            "send less at once in step `{}`: smaller batches or pages",
            Some(Code::ResourceLimit),
        ),
        Cause::LimitConnections => advice(
            Remedy::SlowDown,
            "use fewer connections at once in step `{}`, or allow more on the other side",
            None,
        ),
        _ => advice(Remedy::FixCredential, "give step `{}` a credential that the other side knows", None),
    }
}

fn of_other_side(cause: Cause) -> Advice {
    match cause {
        Cause::NetworkDns => {
            advice(Remedy::FixAddress, "check the host name in step `{}`", Some(Code::Connection))
        }
        Cause::NetworkRefused => advice(
            Remedy::RestoreService,
            "see that the service of step `{}` is running and listens where the step calls it",
            Some(Code::Connection),
        ),
        Cause::NetworkReset | Cause::NetworkUnreachable => advice(
            Remedy::Retry,
            "check the network between the worker and the service of step `{}`; a retry helps when it passes",
            Some(Code::Connection),
        ),
        Cause::NetworkTls => advice(
            Remedy::FixCertificate,
            "check the certificate of the service of step `{}`",
            Some(Code::Connection),
        ),
        Cause::TimeoutConnect => advice(
            Remedy::Retry,
            "give step `{}` a retry with a growing delay, and see that the service can be reached",
            Some(Code::StepTimeout),
        ),
        Cause::TimeoutResponse => advice(
            Remedy::RaiseTimeout,
            "give step `{}` a longer timeout, or a retry with a growing delay",
            Some(Code::StepTimeout),
        ),
        Cause::TimeoutStatement => {
            advice(Remedy::RaiseTimeout, "make the statement of step `{}` faster, or give it more time", None)
        }
        Cause::TimeoutStep => advice(
            Remedy::RaiseTimeout,
            "find out why step `{}` takes so long, or give it a longer timeout",
            Some(Code::StepTimeout),
        ),
        Cause::RequestInvalid => {
            advice(Remedy::FixRequest, "compare what step `{}` sends with what the other side takes", None)
        }
        Cause::RequestNotFound => {
            advice(Remedy::FixAddress, "check the address and the ids that step `{}` asks for", None)
        }
        Cause::RequestConflict => advice(
            Remedy::MakeIdempotent,
            "make step `{}` see whether its work is done already before it does it",
            None,
        ),
        Cause::ResponseMalformed => {
            advice(Remedy::FixData, "look at what step `{}` got in place of data", None)
        }
        Cause::ResponseSchemaChanged => advice(
            Remedy::AdaptSchema,
            "adapt the steps that read the result of `{}` to its new form, and check the form where it comes in",
            None,
        ),
        _ => advice(
            Remedy::Retry,
            "give step `{}` a retry with a growing delay; the fault is on the other side",
            None,
        ),
    }
}

fn of_work(cause: Cause) -> Advice {
    match cause {
        Cause::DataEmpty => advice(
            Remedy::HandleEmpty,
            "find out why step `{}` produced nothing, and let the playbook branch when there is nothing to do",
            None,
        ),
        Cause::DataTypeMismatch => {
            advice(Remedy::FixData, "convert or check the value where step `{}` produces it", None)
        }
        Cause::DataConstraint => {
            advice(Remedy::FixData, "check the values before step `{}` writes them", None)
        }
        Cause::DataDuplicate => advice(
            Remedy::MakeIdempotent,
            "let step `{}` update what is there already (an upsert), or find out why it comes twice",
            None,
        ),
        Cause::SqlSyntax => advice(Remedy::FixSql, "correct the statement of step `{}`", None),
        Cause::SqlUndefinedObject => advice(
            Remedy::FixSql,
            "create the table, column or function that step `{}` names, or correct the name",
            None,
        ),
        Cause::SqlDeadlock | Cause::SqlSerialization => {
            advice(Remedy::Retry, "let step `{}` retry the transaction", None)
        }
        Cause::CodeSyntax => {
            advice(Remedy::FixCode, "correct the code of step `{}`: it does not parse", None)
        }
        Cause::CodeImport => advice(
            Remedy::InstallModule,
            "install the module that step `{}` imports",
            Some(Code::PythonMissingModule),
        ),
        Cause::CodeResult => advice(Remedy::FixCode, "let step `{}` return values that JSON can hold", None),
        Cause::TemplateUndefined => advice(
            Remedy::FixTemplate,
            "correct the name that a template of step `{}` reads",
            Some(Code::UnknownName),
        ),
        Cause::TemplateSyntax => advice(
            Remedy::FixTemplate,
            "correct the template of step `{}`: it does not parse",
            Some(Code::TemplateSyntax),
        ),
        Cause::TemplateType => advice(
            Remedy::FixTemplate,
            "correct the template of step `{}`, or the value it works on",
            Some(Code::TemplateFailed),
        ),
        _ => advice(Remedy::FixCode, "correct the code of step `{}`", None),
    }
}

fn of_us(cause: Cause) -> Advice {
    match cause {
        Cause::PlaybookInvalid => {
            advice(Remedy::FixPlaybook, "correct the playbook; `noetl lint` shows the place", None)
        }
        Cause::PlaybookNotFound => advice(
            Remedy::RegisterPlaybook,
            "register the playbook that step `{}` runs, or correct its path",
            Some(Code::UnknownPlaybook),
        ),
        Cause::PlaybookNoRoute => advice(
            Remedy::FixPlaybook,
            "give step `{}` an arc for this case, such as `else`",
            Some(Code::NoRoute),
        ),
        Cause::PlaybookLoopSource => {
            advice(Remedy::FixPlaybook, "give the loop of step `{}` a list", Some(Code::LoopSource))
        }
        Cause::PlaybookChildFailed => {
            advice(Remedy::SayWhy, "ask why the sub-playbook of step `{}` failed", Some(Code::ChildFailed))
        }
        Cause::PlaybookCycleLimit => advice(
            Remedy::FixPlaybook,
            "give the cycle through step `{}` a condition that becomes true",
            Some(Code::TooManySteps),
        ),
        Cause::ToolUnknown => {
            advice(Remedy::FixTool, "correct the kind of tool of step `{}`", Some(Code::UnknownTool))
        }
        Cause::ToolConfig => {
            advice(Remedy::FixTool, "correct the fields of the tool of step `{}`", Some(Code::ToolInput))
        }
        Cause::ResourceMemory => advice(
            Remedy::AddResources,
            "let step `{}` work on less at once, or give it more memory",
            Some(Code::ResourceLimit),
        ),
        Cause::ResourceDisk => {
            advice(Remedy::AddResources, "make room on the disk that step `{}` writes to", None)
        }
        Cause::ResourceKilled => advice(
            Remedy::FindKiller,
            "find out who ended the process of step `{}`: the system, for memory, or a person",
            None,
        ),
        Cause::WorkerLost => advice(
            Remedy::FindKiller,
            "see why workers die while they run step `{}`: memory, a crash, a restart",
            Some(Code::CommandLost),
        ),
        Cause::WorkerNone => advice(
            Remedy::StartWorker,
            "start a worker for the pool that step `{}` names, or name another pool",
            Some(Code::UnservedPool),
        ),
        Cause::RunCancelled => advice(Remedy::Rerun, "start it again when it may run", None),
        _ => advice(Remedy::SayWhy, "let step `{}` say why it fails", Some(Code::ToolFailed)),
    }
}

#[cfg(test)]
mod tests {
    use noetl_api::diagnosis::Remedy;
    use noetl_domain::cause::Cause;

    use super::as_told;

    #[test]
    fn words_ask_for_something_else_as_whole_words_only() {
        let kind = |cause, told: &str| as_told(cause, told).map(|advice| advice.kind);
        let page = "an HTML page came in place of data: ";
        for (cause, told, expected) in [
            (Cause::ResponseMalformed, format!("{page}Sign in"), Some(Remedy::FixCredential)),
            (Cause::ResponseMalformed, format!("{page}Lessons of the week"), None),
            (Cause::RequestConflict, "the state is locked by ci".to_owned(), Some(Remedy::Retry)),
            (Cause::RequestConflict, "the block exists already".to_owned(), None),
            (Cause::ResourceKilled, "CANCELLED DUE TO TIME LIMIT".to_owned(), Some(Remedy::RaiseTimeout)),
        ] {
            assert_eq!(kind(cause, &told), expected, "{told}");
        }
    }
}
