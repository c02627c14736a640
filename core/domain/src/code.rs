//! Codes: the stable names of user-visible errors. Each has a page under `docs/codes`.

macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal;)*) => {
        /// The stable name of a user-visible error; `noetl explain CODE` prints its page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// Such as `PB001`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// One line that says what the Code means.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Cause, fix and example, as Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("../../../docs/codes/", $text, ".md")),)*
                }
            }
        }
    };
}

codes! {
    // The text of a playbook.
    YamlSyntax = "PB001", "The file is not valid YAML";
    YamlTooLarge = "PB002", "The file is too large, too deep, or expands without end";
    NotAPlaybook = "PB003", "The document is not a playbook";
    UnknownKey = "PB004", "A key is not known here";
    WrongType = "PB005", "A value has the wrong type";
    MissingKey = "PB006", "A required key is missing";
    DuplicateKey = "PB007", "A key or label is written twice";
    UnknownValue = "PB008", "A value is not one of the allowed words";
    Conflict = "PB009", "Two constructs contradict each other";
    // Its graph.
    UnknownStep = "PB101", "An arc names a step that does not exist";
    DuplicateStep = "PB102", "Two steps have the same name";
    MissingTool = "PB103", "A step has no tool";
    UnknownTool = "PB104", "A tool kind is not known";
    UnreachableStep = "PB105", "No way leads to a step";
    EndlessLoop = "PB106", "A cycle of steps has no way out";
    MissingStart = "PB107", "There is no step to start from";
    UnknownWorkbookTask = "PB108", "A workbook task does not exist";
    UnknownTaskLabel = "PB109", "A jump names a task label that does not exist";
    InvalidLoop = "PB110", "A loop is not complete";
    InvalidSchedule = "PB111", "A schedule cannot be read";
    // Its templates.
    TemplateSyntax = "TP001", "A template does not parse";
    TemplateFailed = "TP002", "A template failed while it was rendered";
    TemplateFuel = "TP003", "A template ran too long";
    UnknownName = "TP004", "A template reads a name that nothing provides";
    // Running.
    LoopSource = "EX001", "A loop's collection is not something to loop over";
    StepTimeout = "EX002", "A step or task took too long";
    ExecutionTimeout = "EX003", "The execution took too long";
    NoRoute = "EX004", "No arc was true and the playbook calls that an error";
    TooManySteps = "EX005", "The execution ran more steps than the limit allows";
    ChildFailed = "EX006", "A sub-playbook failed";
    IllegalTransition = "EX007", "The execution may not pass into this state";
    CommandLost = "EX008", "A command was lost too often";
    AlreadyFinished = "EX009", "The execution has already ended";
    UnservedPool = "EX010", "A step waits for a pool that no worker serves";
    // Tools.
    ToolFailed = "TL001", "A tool failed";
    ToolInput = "TL002", "A tool's fields are wrong";
    PythonMissingModule = "TL003", "A Python module is not installed";
    PythonNotFound = "TL004", "No Python interpreter was found";
    ScriptUnavailable = "TL005", "An external script could not be loaded";
    SaveFailed = "TL006", "A result could not be saved";
    ResourceLimit = "TL007", "A step used more memory or CPU than it may";
    Connection = "TL008", "A service could not be reached";
    // Credentials.
    UnknownCredential = "CR001", "A credential does not exist";
    CredentialShape = "CR002", "A credential lacks a field, or has the wrong type";
    VaultKey = "CR003", "The vault cannot be opened with this key";
    KeychainFailed = "CR004", "A keychain entry could not be resolved";
    SecretNotFound = "CR005", "A secret does not exist";
    SecretRefused = "CR006", "A secret provider refused";
    TokenFailed = "CR007", "A credential could not be exchanged for a token";
    // The API and the store.
    UnknownPlaybook = "AP001", "No playbook with this path or version is registered";
    UnknownExecution = "AP002", "There is no execution with this id";
    InvalidRequest = "AP003", "The request cannot be read";
    NotAllowed = "AP004", "This is not allowed by the server's settings";
    NotFound = "AP005", "There is nothing at this address";
    StoreFailed = "AP006", "The store failed";
    Unreachable = "AP007", "The server cannot be reached";
    StoreLocked = "AP008", "Another process uses this data directory";
    UnknownSchedule = "AP009", "There is no schedule with this id";
    Unavailable = "AP010", "The server cannot take more work at the moment";
    Internal = "AP011", "A bug of ours";
    // The command line.
    CommandLine = "CL001", "What was typed cannot be carried out";
    CannotListen = "CL002", "The server cannot listen at this address";
    // The semantic layer.
    LayerStarting = "IX001", "The semantic layer is still starting";
    LayerOff = "IX002", "A part of the semantic layer is off";
    LayerFailed = "IX003", "The semantic layer cannot answer";
    QueryRefused = "IX004", "A query was refused by the analytic store";
    DocumentRefused = "IX005", "A document cannot be taken into the knowledge";
    UnknownSource = "IX006", "There is no knowledge from this source";
    // Proposals and rollouts.
    UnknownProposal = "PR001", "There is no proposal with this id";
    ProposalRefused = "PR002", "A proposal is not complete or not safe";
    ProposalRepeated = "PR003", "The same evidence was turned down before";
    ProposalSettled = "PR004", "The proposal is not open any more";
    ProposalOutdated = "PR005", "The playbook has another version than the proposal is about";
    PolicyForbids = "PR006", "The policy does not allow this";
    PolicyInvalid = "PR007", "The policy cannot be read";
    RolloutBusy = "PR008", "A rollout of this playbook is going on";
    UnknownRollout = "PR009", "There is no such rollout";
    RolloutEnded = "PR010", "The rollout has ended, or is not in this state";
    // The assistant.
    ToolOff = "AS010", "A tool of the assistant is off";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a NoETL code")]
pub struct UnknownCode(pub String);

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The page of a Code: cause, fix and example, as Markdown.
pub fn page(code: Code) -> &'static str {
    code.page()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("# {code}: {}\n", code.title())), "{code}");
            for part in ["\n## Cause\n", "\n## Fix\n", "\n## Example\n"] {
                assert!(page.contains(part), "{code} lacks {part:?}");
            }
        }
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/codes");
        for entry in std::fs::read_dir(directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let code: Result<Code, _> = name.trim_end_matches(".md").parse();
            assert!(code.is_ok(), "{name} is no Code's page");
        }
    }
}
