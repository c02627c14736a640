//! The pages of the Codes, built into the binary. A Code without a page does not compile.

use noetl_domain::code::Code;

macro_rules! pages {
    ($($code:ident $file:literal)*) => {
        /// The page of a Code, in Markdown.
        pub(crate) fn of(code: Code) -> &'static str {
            match code {
                $(Code::$code => include_str!(concat!("../docs/codes/", $file, ".md")),)*
            }
        }
    };
}

pages! {
    YamlSyntax "PB001"
    YamlTooLarge "PB002"
    NotAPlaybook "PB003"
    UnknownKey "PB004"
    WrongType "PB005"
    MissingKey "PB006"
    DuplicateKey "PB007"
    UnknownValue "PB008"
    Conflict "PB009"
    UnknownStep "PB101"
    DuplicateStep "PB102"
    MissingTool "PB103"
    UnknownTool "PB104"
    UnreachableStep "PB105"
    EndlessLoop "PB106"
    MissingStart "PB107"
    UnknownWorkbookTask "PB108"
    UnknownTaskLabel "PB109"
    InvalidLoop "PB110"
    InvalidSchedule "PB111"
    TemplateSyntax "TP001"
    TemplateFailed "TP002"
    TemplateFuel "TP003"
    UnknownName "TP004"
    LoopSource "EX001"
    StepTimeout "EX002"
    ExecutionTimeout "EX003"
    NoRoute "EX004"
    TooManySteps "EX005"
    ChildFailed "EX006"
    IllegalTransition "EX007"
    CommandLost "EX008"
    AlreadyFinished "EX009"
    ToolFailed "TL001"
    ToolInput "TL002"
    PythonMissingModule "TL003"
    PythonNotFound "TL004"
    ScriptUnavailable "TL005"
    SaveFailed "TL006"
    ResourceLimit "TL007"
    Connection "TL008"
    UnknownCredential "CR001"
    CredentialShape "CR002"
    VaultKey "CR003"
    KeychainFailed "CR004"
    UnknownPlaybook "AP001"
    UnknownExecution "AP002"
    InvalidRequest "AP003"
    NotAllowed "AP004"
    NotFound "AP005"
    StoreFailed "AP006"
    Unreachable "AP007"
    StoreLocked "AP008"
    UnknownSchedule "AP009"
    Unavailable "AP010"
    Internal "AP011"
}
