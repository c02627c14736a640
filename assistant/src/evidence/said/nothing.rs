//! Errors that tell no more than that something failed.

use noetl_domain::cause::{Basis, Cause, Clear};
use noetl_domain::error::TaskError;

use super::{exception_of, is_of_their_own, raw};

/// An error that tells no more than that something failed.
pub(crate) fn says_nothing(error: &TaskError) -> bool {
    let message = error.message.trim();
    if message.is_empty() {
        return true;
    }
    let is_bare_exit = error.kind == "shell"
        && message
            .strip_prefix("the command ended with exit status ")
            .is_some_and(|rest| rest.trim().parse::<i32>().is_ok_and(|status| (1..126).contains(&status)));
    // What a shell said last stands behind its exit status.
    let last = match error.kind.as_str() {
        "shell" => message.split_once(": ").map_or(message, |(_, last)| last),
        _ => message,
    };
    let lower = last.trim().trim_end_matches(['.', '!']).to_lowercase();
    let is_ending = !is_bare_exit && ends_without_a_reason(error, &lower);
    // The last word of a program that only told what it was doing.
    let is_report = error.kind == "shell"
        && !is_bare_exit
        && lower
            .split_whitespace()
            .take(4)
            .any(|word| matches!(word.trim_matches(['[', ']', ':']), "info" | "debug" | "trace"));
    if is_only_a_status(&lower) || is_ending || is_passed_on(error) || is_report {
        return true;
    }
    let is_bare_word = (error.kind == "shell" || error.code.as_deref().is_none_or(|code| code == "TL001"))
        && error.status_code.is_none()
        && matches!(
            lower.as_str(),
            "error"
                | "failed"
                | "failure"
                | "unknown"
                | "unknown error"
                | "an error occurred"
                | "something went wrong"
                | "conversion failed"
        );
    // `sys.exit(3)`
    let is_bare_end = error.kind == "python"
        && exception_of(error) == "SystemExit"
        && raw(error).trim().chars().all(|one| one.is_ascii_digit());
    is_bare_exit || is_bare_word || is_bare_end
}

/// The last words of a program tell at most what failed.
fn ends_without_a_reason(error: &TaskError, lower: &str) -> bool {
    let status: Option<i32> = error.code.as_deref().and_then(|code| code.parse().ok());
    // A signal says something.
    let is_signal = status.is_some_and(|status| (126..=165).contains(&status));
    if error.kind != "shell" || !error.message.contains(": ") || is_signal {
        return false;
    }
    // `RC=16`
    let is_name = || !lower.contains(' ') && telling_words(lower).is_none();
    is_only_an_ending(lower) || is_failure_of_something(lower) || is_name()
}

/// An exception of somebody's own that passes on that some work failed, and not why. One of Python's own is raised by the
/// code, whatever it says.
fn is_passed_on(error: &TaskError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    if error.kind != "python" || !(is_of_their_own(error) || code == "SystemExit") || is_field(code) {
        return false;
    }
    let words = raw(error).trim().to_lowercase();
    matches!(Cause::of(error, None), Cause::CodeException | Cause::Unknown)
        && names_nothing(raw(error))
        && (is_only_an_ending(&words) && says_bad(&words) || is_failure_of_something(&words))
}

/// Words that say that something went wrong, and nothing of what.
pub(crate) fn is_mute(words: &str) -> bool {
    let lower = words.trim().to_lowercase();
    is_only_an_ending(&lower) && says_bad(&lower)
}

/// No field, phrase or sentence of the words names a cause, and they are like no text beyond doubt.
fn names_nothing(words: &str) -> bool {
    match Cause::with_basis(&TaskError::new("tool_error", words), None) {
        (Cause::CodeException | Cause::Unknown, _) => true,
        (cause, Basis::Likeness) => Cause::like(words, Clear::Surely) != Some(cause),
        _ => false,
    }
}

/// Exceptions whose very name says what happened, whatever their words are.
fn is_field(exception: &str) -> bool {
    !matches!(
        Cause::of(&TaskError::new("python", "").with_code(exception), None),
        Cause::CodeException | Cause::Unknown
    ) || matches!(
        exception.rsplit('.').next().unwrap_or_default(),
        "KeyError" | "IndexError" | "AttributeError" | "NameError" | "AssertionError" | "ZeroDivisionError"
    )
}

/// `make: *** [all] Error 2`, `Something went wrong. Please contact your administrator.`: it ended, and nobody says why.
fn is_only_an_ending(lower: &str) -> bool {
    matches!(telling_words(lower), Some(words) if words.is_empty())
}

/// `ranking failed`, `export of page 7 was not successful`: what failed has a name, and nobody says why.
fn is_failure_of_something(lower: &str) -> bool {
    let Some(words) = telling_words(lower) else { return false };
    let is_plain = |word: &&str| !TELLING.split('|').any(|known| word.contains(known));
    says_bad(lower)
        && words.len() <= OF_SOMETHING
        && words.iter().all(is_plain)
        && matches!(Cause::in_words(lower), Cause::Unknown | Cause::CodeException)
        && Cause::like(lower, Clear::Surely).is_none_or(|like| like == Cause::CodeException)
}

fn says_bad(lower: &str) -> bool {
    lower.split(|one: char| !one.is_alphanumeric()).any(|word| BAD.split('|').any(|known| known == word))
        || NOT_DONE.split('|').any(|phrase| lower.contains(phrase))
}

/// The words that might say why; none where nothing was said at all.
fn telling_words(lower: &str) -> Option<Vec<&str>> {
    // What stands in brackets or looks like a file is the name of what ended.
    let mut depth = 0_usize;
    let mut spans: Vec<&str> = Vec::new();
    let mut from = 0;
    for (at, one) in lower.char_indices() {
        match one {
            '[' | '(' | '<' => {
                if depth == 0 {
                    spans.push(&lower[from..at]);
                }
                depth += 1;
            }
            ']' | ')' | '>' => {
                depth = depth.saturating_sub(1);
                from = at + 1;
            }
            _ => {}
        }
    }
    if depth == 0 {
        spans.push(&lower[from..]);
    }
    let is_name = |word: &str| word.contains(['/', '.', '_', '\'', '`', '"', '=', '#']);
    let mut says = false;
    let mut telling = Vec::new();
    for (place, word) in spans.iter().flat_map(|span| span.split_whitespace()).enumerate() {
        // `nightly: failed`: who says it.
        if place == 0 && word.len() > 1 && word.ends_with(':') {
            continue;
        }
        let word = word.trim_end_matches([':', ',', '.', '!', ';', '…']);
        if is_name(word) {
            continue;
        }
        for part in word.split(|one: char| !one.is_alphanumeric()).filter(|part| !part.is_empty()) {
            // What has digits in it is the name of something, too.
            if part.chars().any(|one| one.is_ascii_digit()) {
                continue;
            }
            says = true;
            if !ENDING.split('|').any(|known| known == part) {
                telling.push(part);
            }
        }
    }
    says.then_some(telling)
}

/// `Command '…' returned non-zero exit status 4`: a program ended, and nobody says why.
fn is_only_a_status(lower: &str) -> bool {
    const PHRASES: &[&str] = &[
        "returned non-zero exit status ",
        "returned a non-zero exit code ",
        "exited with code ",
        "exited with status ",
        "exited with exit code ",
        "failed with exit code ",
        "failed with exit status ",
        "process completed with exit code ",
        "exit code: ",
        "exit status: ",
        "exit status ",
        "exit code ",
    ];
    PHRASES.iter().any(|phrase| {
        let Some((_, rest)) = lower.rsplit_once(phrase) else { return false };
        // Behind the number stands nothing but the line of the code.
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let behind = rest[number.len()..].trim_matches(|one: char| !one.is_alphanumeric());
        let is_plain = behind.is_empty() || behind.starts_with("line ");
        is_plain && number.parse::<i32>().is_ok_and(|status| (1..126).contains(&status))
    })
}

/// Words beyond those of an ending that only name what failed.
const OF_SOMETHING: usize = 1;

/// Words that say that it ended badly.
const BAD: &str = "failed|failure|failures|fail|fails|error|errors|unsuccessful|aborted|abort|stopped|wrong|cancelled|\
    canceled|terminated|nok|crashed|fehler|fehlern|fehlgeschlagen|abgebrochen|gescheitert|échoué|échouée|erreur|erreurs|\
    errores|falló|fallido|fallo|bad|problem|problems|died|エラーが発生しました";

const NOT_DONE: &str = "not complete|not successful|not succeed|not possible|could not be|not be completed|no diagnostics|\
    gave up|giving up|did not finish|not run because|unable to complete|return code|exit code|status failed|status error";

/// One word that says enough: what is broken, rather than what ended.
const TELLING: &str = "checksum|validat|pars|syntax|assert|decrypt|encrypt|signature|handshake|memory|disk|network|lookup|dns|\
    constraint|integrity|auth|permission|quota|schema|type|timeout|connect|certificate|token|key|compil|link|import|index|\
    parity|balance|format|decod|convert|conversion|cast|lock|deadlock|space|access|login|credential|version|conflict|\
    duplicate|empty|null|missing|limit|rate|overflow|underflow|division|range|host|port|ssl|tls|proxy|segment|fault|panic|\
    exist|found|value|data|invalid|unavailable|denied|refused|reset|closed|expired|full|large|long|short|corrupt";

/// Words that say that something ended badly, and those that stand between them; none says why.
const ENDING: &str = "died|line|at|a|an|the|with|of|in|at|on|by|to|for|and|is|was|has|have|had|been|did|not|no|be|it|this|that|\
    due|because|your|you|our|we|us|error|errors|err|failed|failure|failures|fail|fails|fatal|\
    exception|abort|aborted|aborting|stopped|stopping|stop|unexpected|unexpectedly|unknown|\
    unspecified|something|went|wrong|oops|sorry|problem|issue|occurred|happened|encountered|bad|\
    exit|exited|exiting|returned|return|ended|finished|code|status|rc|non|zero|nonzero|signal|\
    see|log|logs|above|below|details|detail|more|information|info|output|check|please|try|again|\
    later|contact|administrator|admin|support|help|team|could|succeed|successful|successfully|\
    complete|completed|completion|operation|request|run|running|execution|execute|step|stage|\
    phase|job|task|build|process|command|script|program|child|subcommand|target|recipe|rule|\
    worker|pipeline|batch|make|gmake|ninja|npm|npx|yarn|pnpm|gradle|mvn|maven|cargo|bazel|tox|\
    sh|bash|supervisor|supervisord|cron|elifecycle|lifecycle|errno|all|marked|as|giving|up|\
    while|during|when|what|caused|cause|reason|none|null|traceback|stack|trace|recent|call|last|\
    backtrace|note|hint|line|file|main|internal|warning|info|level|msg|message|probably|likely|\
    there|additional|logging|may|might|some|one|or|few|following|if|problems|previous|further|\
    full|time|cannot|continue|can|t|quit|quitting|done|thread|application|app|user|client|driver|state|report|\
    stopping|cancelled|canceled|rolled|back|summary|result|results|total|tests|node|container|service|\
    unsuccessful|halted|upgrade|install|release|hooks|backofflimitexceeded|post|ok|nok|sync|load|export|import|report|created|processing|possible|hook|plugin|dag|flow|workflow|workload|\
    model|models|started|night|nightly|upstream|earlier|diagnostics|description|retries|attempts|gave|sub|jobs|tasks|steps|\
    already|printed|stdout|stderr|workspace|location|used|manual|mark|executing|transform|tries|stopped|daily|hourly|monthly|\
    action|actions|activity|module|unit|item|items|part|post|pre|terminated|abnormally|requested|given|so|far|\
    failuredetails|logfile|logfiles|its|their|which|transfer|training|epoch|check|passed|migration|nothing|changed|bridge|legacy|dead|letter|moved|\
    crawl|pages|konnte|nicht|abgeschlossen|werden|vorgang|subflow|calculation|notification|sent|aggregate|close|day|ask|\
    operations|returned|false|upload|uploaded|download|downloaded|order|orders|contract|period|month|year|week|data|halted|\
    state|beachten|essential|statusreason|sas|stopped|processing|because|systemctl|journalctl|xeu|xe|エラーが発生しました|処理を終了します|operacja|powiodła|się|nie|operazione|non|riuscita|operação|falhou|não|mislukt|bewerking|niet|gelukt|il|lo|o|os|het|de|een|es|wenden|sie|sich|an|ihren|ihr|vom|von|zum|bei|utc|shutting|down|take|look|who|where|after|before|abend|own|fully|correctly|properly|reported|reports|through|\
    die|der|das|verarbeitung|wurde|mit|fehler|fehlern|beendet|näheres|siehe|protokoll|abgebrochen|lauf|ein|eine|unbekannter|\
    ist|aufgetreten|bitte|fehlgeschlagen|le|la|les|un|une|traitement|a|échoué|erreur|est|survenue|el|proceso|terminó|con|\
    errores|consulte|registro|se|ha|producido|error|desconocido|falló";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_status_alone_says_nothing() {
        let bare = TaskError::new("shell", "the command ended with exit status 3").with_code("3");
        assert!(says_nothing(&bare));
        for ending in [
            "make: *** [Makefile:12: all] Error 2",
            "Something went wrong. Please contact your administrator.",
            "npm ERR! errno 1",
            "etl.sh: step aborted, see the log above",
            "[supervisor] job ended, status 1",
            "nightly: failed",
            "Exception in thread 'main' org.apache.spark.SparkException: Application application_17_0412 finished with failed status",
        ] {
            let told = TaskError::new("shell", format!("the command ended with exit status 2: {ending}"));
            assert!(says_nothing(&told.with_code("2")), "{ending}");
        }
        for telling in [
            "nightly: ledger checksum failed",
            "no such table",
            "cannot open ledger",
            "the invoice has no lines",
            "panic: index out of range",
        ] {
            let told = TaskError::new("shell", format!("the command ended with exit status 2: {telling}"));
            assert!(!says_nothing(&told.with_code("2")), "{telling}");
        }
        assert!(!says_nothing(
            &TaskError::new("shell", "the command ended with exit status 137").with_code("137")
        ));
    }

    #[test]
    fn an_exception_may_pass_on_that_something_failed_and_not_why() {
        let python = |exception: &str, message: &str| {
            TaskError::new("python", format!("{exception}: {message} (line 3)"))
                .with_code(exception)
                .with_details(serde_json::json!({ "exception": exception, "message": message }))
        };
        for (exception, words) in [
            ("JobFailed", "Workload failed, see run output for details"),
            ("RunException", "Job run 70403103 has failed or has been cancelled."),
            ("JobError", "failed"),
            ("SyncError", "Sync failed for an unknown reason"),
            ("ReportError", "report could not be created"),
            ("RankError", "ranking failed"),
            ("TraitementErreur", "Le traitement a échoué"),
        ] {
            assert!(says_nothing(&python(exception, words)), "{words}");
        }
        for (exception, words) in [
            ("LedgerError", "totals differ: 40 and 50"),
            ("CheckError", "checksum failed"),
            ("KeyError", "'failed'"),
            ("TypeError", "failed"),
            ("RuntimeError", "failed"),
            ("LoginFailed", "login failed"),
            ("PlanError", "the plan has changed"),
            ("FeedError", "the file has 0 bytes"),
        ] {
            assert!(!says_nothing(&python(exception, words)), "{words}");
        }
    }
}
