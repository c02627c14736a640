//! What exceptions of somebody's own code mean: checks that its authors wrote, in words of their own.
//!
//! A service that says `missing field` was asked wrongly; code that says so was handed something wrong. So these rules
//! are for exceptions that come with no library, and speak of data first.

use super::{Cause, Clause, Rule, clauses};

const fn rule(cause: Cause, things: &'static str, fates: &'static str) -> Rule {
    Rule { cause, things, fates }
}

const ROWS: &str = "row|rows|record|records|entry|entries|line|lines|item|items|file|files|feed|table|sheet|worksheet|\
    partition|frame|dataframe|batch|extract|delivery|source|query|result|results|list|input|payload|response|answer|\
    clients|shipments|contacts|prices|transactions|customers|products|articles|snapshot|slice|window|topic|queue|\
    attachment|sample|samples|document|documents|message|messages|dataset|page|export|orders|data|header|upstream|\
    readings|values|tuples|events|candidates|matches|array|body|collection";

const NONE: &str = "no rows|no records|no data|no lines|no entries|no items|no files|no results|no samples|no values|\
    no readings|no events|not lines|not rows|not records|received none|got none|found none|no usable|no candidates|no matches|no orders|0 rows|0 records|0 lines|0 entries|0 items|0 bytes|\
    0 results|0 samples|zero rows|zero records|zero bytes|zero lines|is empty|was empty|are empty|came empty|came back empty|\
    empty file|empty list|empty table|empty array|empty result|empty response|empty answer|empty frame|empty set|empty body|\
    nothing|contains only|only a header|only the header|rows 0|yielded none|returned none|not a single|without rows|\
    without records|without data|without content|empty";

const FIELDS: &str = "field|fields|column|columns|key|keys|attribute|attributes|property|properties|heading|headings|header|\
    headers|layout|schema|structure|shape|version|format|contract|element|elements|tag|tags|path|name|names";

const VALUES: &str = "must not be|must be|may not be|must lie|must stay|mandatory|allowed|not allowed|outside|out of bounds|\
    negative|foreign key|points to|point to|points at|point at|refers to|refer to|references|reference|orphan|orphans|\
    not null|null guard|lies before|is before|is after|exceeds the|below the minimum|above the maximum|referring to|\
    still has|on delete restrict";

const RULES: &[Rule] = &[
    // What its authors thought to be impossible.
    rule(
        Cause::CodeException,
        "this is a bug|is a bug in|never happen|unreachable|nobody should reach|to the developers|unhandled exception|\
        our own code|raised attributeerror|raised typeerror|raised keyerror|raised indexerror",
        "bug|never|unreachable|nobody|developers|exception|own|raised",
    ),
    rule(
        Cause::DataDuplicate,
        "key|keys|row|rows|record|records|id|ids|number|entry|entries|value|values|index|order|orders|invoice|customer|\
        item|contract|primary keys",
        "duplicate|duplicates|duplicated|not unique|already exists|twice|more than once|several times|a second time|\
        exist already|already there|already booked|already imported|already loaded",
    ),
    // What lies outside of the data, in words that services do not use of themselves.
    rule(
        Cause::AuthCredentialMissing,
        "no value set for|no value found for|no secret|no password|no credential|no credentials|no api key|not configured|\
        is not set|not been set",
        "environment|env|vault|secret|secrets|password|keyring|key|token|profile|config|credential|credentials|named|for",
    ),
    rule(
        Cause::AuthTokenExpired,
        "session|token|access token|access pass|login|ticket|certificate|licence|license",
        "ran out|has run out|ended after|log in again|expired|too old|fetch a new one|no longer valid",
    ),
    rule(
        Cause::AuthForbidden,
        "may not|not allowed to|not permitted to|not entitled to",
        "read|write|see|use|open|access|change|delete|touch",
    ),
    rule(
        Cause::LimitQuota,
        "quota|allowance|contingent|budget|credits|credit|volume|package|plan",
        "used up|exhausted|empty|consumed|spent|is over|overdrawn|not left|reached",
    ),
    rule(Cause::LimitRate, "too many|viele", "within|per|requests|calls|in one|in an|until|innerhalb"),
    rule(
        Cause::TimeoutConnect,
        "no tcp connection|no connection|not connect|not be connected|could not connect|cannot connect|not reach|not reached",
        "within|after|in time|seconds|s|timeout",
    ),
    rule(
        Cause::TimeoutResponse,
        "answer|answered|reply|replied|response|respond|responded",
        "had not|not within|no within|not after|no answer|no reply|no response|not innerhalb|still waiting|in time|\
        overdue|took longer|longer than",
    ),
    rule(
        Cause::RemoteUnavailable,
        "maintenance|offline|standby|overloaded|closed for|shut down|being updated|switched off|asleep|down for|is down",
        "window|service|server|system|erp|crm|portal|host|node|database|api|gateway|until|later|again|at the moment|currently",
    ),
    rule(
        Cause::RemoteServerError,
        "host|node|service|server|transaction|backend|system|core|mainframe|partner",
        "abended|abend|internal error|crashed|crashes|fell over|internal failure|dump",
    ),
    rule(
        Cause::ResponseMalformed,
        "json|xml|csv|pdf|zip|archive|reply|response|answer|segment|trailer|frame|telegram|checksum|sha256|md5|crc|hash|\
        file|document|payload|body|message|image|page|content|download|interchange|line|stream|export",
        "no json|not json|no xml|well formed|wohlgeformtes|cut off|cut short|breaks off|broke off|truncated|incomplete|\
        damaged|corrupt|corrupted|checksum of|not match the one|unreadable|garbled|cannot be parsed|cannot parse|\
        could not parse|cannot be decoded|cannot decode|unterminated|unclosed|missing trailer|trailer missing|\
        ends in the middle|in the middle|unexpected end|expecting value|not parse|html page|not a valid",
    ),
    rule(
        Cause::ResponseSchemaChanged,
        FIELDS,
        "gone|dropped|dropped field|renamed|no longer|not any more|any more|instead|replaced by|differs from|used to be|now sends|now arrives|\
        new since|last good|last run|until yesterday|drift|drifted|we only know|unexpected column|unexpected field|\
        new columns|received|were found|is not among|not among|changed|nowhere|not what|has moved|moved|disappeared|vanished",
    ),
    rule(
        Cause::ResponseSchemaChanged,
        "expected field|expected key|expected column|expected columns|expected heading|without field|without key|\
        lacks field|lacks the field|lacks key|lacks the key|lacks column|lacks the column|missing column|missing columns|\
        column missing|columns missing|has no column|has no field|no column|no field",
        "found|got|has|have|keys|sends|delivers|sent|delivered|in|for|only|there",
    ),
    rule(
        Cause::DataConstraint,
        "mandatory|obligatory|required field|not null",
        "empty|null|none|missing|blank|not set",
    ),
    rule(
        Cause::DataTypeMismatch,
        "number|numbers|numeric|decimal|float|integer|int|int64|date|time|timestamp|boolean|string|str|type|object|decimalzahl|\
        iso|digits|time of day|day|true|flag|bool|uuid|amount|price|quantity|menge|dates|times",
        "should be|cannot turn|could not read|not recognized|can only convert|can be converted|offenders|not valid|not numeric|\
        expected|is no|is not a|are not|not a|must be|declared|arrived as|received|got|cannot read|casting|cast|\
        cannot convert|could not convert|instead of|cannot be read|not numeric|offending|cannot interpret|is text|found",
    ),
    rule(Cause::DataEmpty, ROWS, NONE),
    rule(Cause::DataEmpty, "shape|dimensions|length|len|size", "0 1|shape 0|length 0|len 0|is 0|of 0|size 0"),
    rule(
        Cause::RequestConflict,
        "lock|run|release|file|target|order|record|version|object|resource|job|export|import|document|booking|task|stored|final",
        "belongs to|exists already|someone else|somebody else|already been published|already in progress|already running|\
        being edited|cannot be overwritten|is locked|overwrite is off|held by|stale|taken by|is taken|second start",
    ),
    rule(
        Cause::DataConstraint,
        VALUES,
        "null|empty|negative|set|do not exist|does not exist|not exist|exist|unknown|no such|to 100|range|refused|broken|\
        violated|violates|rejected|found|is|are|has|have|e",
    ),
    rule(
        Cause::DataConstraint,
        "rule|rules|check|restriction|restrict|constraint",
        "broken|violated|violates|refused|incumple|breaks|break|hurt",
    ),
    rule(
        Cause::RequestNotFound,
        "there is no|no document|no dataset|no object|no such|no file|no customer|no order|no record|no model|no branch|\
        not there|not present|not known|unknown",
        "called|named|under|key|id|in the|at|of this name|with the|catalogue|catalog|store|system|expected|delivery",
    ),
    rule(
        Cause::RequestNotFound,
        "branch|document|tenant|customer|dataset|model|folder|bucket|queue|topic|repository|path|job|user|account|file|order|\
        client|key|exist|endpoint|page|partner|contract|article",
        "does not exist|do not exist|not exist|exist not|exist im|was not found|not found|not there|not present|not available im|is unknown",
    ),
];

/// What a name such as `EmptyFeedError` says: parts of its words, and what they mean.
const NAMES: &[(Cause, &str)] = &[
    (Cause::ResponseSchemaChanged, "schema|layout|drift|columnschanged|renamed|contractbroken|shapeerror"),
    (Cause::DataDuplicate, "duplicate|doublon|doppelt|notunique|alreadybooked"),
    (
        Cause::DataEmpty,
        "norows|nodata|emptyfeed|emptyfile|emptyresult|emptyinput|emptysource|empty|leere|sindatos",
    ),
    (Cause::DataConstraint, "constraint|orphan|invariant|ruleviolation|expectation|outofrange|referential"),
    (
        Cause::ResponseMalformed,
        "corrupt|malformed|unreadable|decodeerror|integrityerror|truncated|parseerror",
    ),
    (Cause::RequestConflict, "lockerror|lockfailed|alreadyrunning|conflict|alreadyexists"),
    (Cause::RequestNotFound, "notfound|filemissing|nosuch|dropmissing"),
];

/// The cause that an exception of somebody's own means: by its words, else by its name.
pub(in crate::cause) fn cause(name: &str, words: &str) -> Option<Cause> {
    let lower = words.to_lowercase();
    let clauses: Vec<Clause<'_>> = clauses(&lower);
    let by_words =
        RULES.iter().find_map(|rule| clauses.iter().any(|clause| rule.is_met(clause)).then_some(rule.cause));
    let name = name.to_lowercase();
    let by_name = NAMES
        .iter()
        .find_map(|(cause, parts)| parts.split('|').any(|part| name.contains(part)).then_some(*cause));
    by_words.or(by_name)
}

#[cfg(test)]
mod tests {
    use super::cause;
    use crate::cause::Cause;

    #[test]
    fn checks_of_somebodys_own_are_understood() {
        for (name, words, expected) in [
            ("FeedError", "the file of today has 0 bytes", Some(Cause::DataEmpty)),
            ("ExtractError", "query returned no rows for 2026-11-26", Some(Cause::DataEmpty)),
            ("RowError", "line 7: amount should be a decimal, got 'n/a'", Some(Cause::DataTypeMismatch)),
            ("LoadError", "42 primary keys are not unique after the merge", Some(Cause::DataDuplicate)),
            (
                "Drift",
                "column 'wind' is gone, new since last run: 'wind_ms'",
                Some(Cause::ResponseSchemaChanged),
            ),
            ("CheckError", "discount is 140, allowed are 0 to 100", Some(Cause::DataConstraint)),
            ("ReplyError", "the reply is no JSON, it starts with '<html>'", Some(Cause::ResponseMalformed)),
            ("EmptyFeedError", "prices_20241119", Some(Cause::DataEmpty)),
            ("LedgerError", "totals differ: 40 and 50", None),
            ("PlanError", "the plan was not made for this", None),
        ] {
            assert_eq!(cause(name, words), expected, "{name}: {words}");
        }
    }
}
