//! The rules: what a sentence is about, and what became of it. Phrases stand between bars; `doesn't` is `doesn t`.

use super::Rule;
use crate::cause::Cause;

/// What shows who asks, by a name that means nothing else.
const KEYS: &str = "api key|apikey|access key|app key|application key|subscription key|secret key|license key|\
    api token|access token|auth token|bearer token|security token|refresh token|session token|\
    jwt|password|passphrase|username|log in|logged in|signed in|signature|authentication|\
    authorization header|client secret|publickey";

/// The same by names that other things have as well.
const SECRETS: &str = "token|bearer|credentials|credential|login|sign in|client id|service account|principal";

const UNKNOWN: &str = "invalid|missing|not supplied|not provided|no valid|not valid|incorrect|wrong|rejected|\
    revoked|failed|failure|not recognized|not recognised|required|must be|not match|mismatch|\
    unauthorized|unauthenticated|absent|not found in request|disabled|inactive|\
    could not be verified|unable to locate|unknown|denied|refused|provide|not been supplied|\
    not been provided|must|no|needs|bad|malformed|unable to verify|not|don t|doesn t|without|\
    cannot";

/// Of these, the ones that mean something beside a name that other things have as well.
const REFUSED: &str = "invalid|missing|not supplied|not provided|no valid|not valid|incorrect|wrong|rejected|\
    revoked|not recognized|not recognised|required|unauthorized|unauthenticated|inactive|\
    could not be verified|unable to locate|unknown|denied|refused|not been supplied|failed|bad|\
    unable to verify|not found|no|not set|disabled";

const TABLES: &str = "table|tables|view|relation|column|columns|schema|database|dataset|keyspace|procedure|\
    stored procedure|identifier|materialized view|sequence|udf";

const GONE: &str = "not found|was not found|not be found|does not exist|do not exist|doesn t exist|\
    did not exist|no such|unknown|undefined|cannot find|can t find|could not find|couldn t find|\
    not resolve|cannot be resolved|cannot resolve|unrecognized|invalid identifier|\
    no longer exists|not exist|no exist|exist not";

const fn rule(cause: Cause, things: &'static str, fates: &'static str) -> Rule {
    Rule { cause, things, fates }
}

pub(super) const RULES: &[Rule] = &[
    rule(
        Cause::AuthTokenExpired,
        "token|tokens|jwt|session|certificate|cert|credential|credentials|signature|sas|key|password|\
        ticket|secret|assertion|grant|cookie|authorization",
        "expired|has expired|is expired|expiry|no longer valid|past its|exp claim|out of date",
    ),
    rule(
        Cause::AuthTokenExpired,
        "request|link|url|presigned url|signed url|policy|invitation|nonce|code",
        "has expired|link expired|url expired|is expired|signed url expired|expired link",
    ),
    rule(
        Cause::LimitQuota,
        "quota|quotas|credit|credits|balance|funds|budget|billing|plan|subscription|free tier|\
        daily limit|monthly limit|usage limit|spending limit|usage|allowance|daily|monthly|trial",
        "exceeded|exceeds|exceed|exhausted|insufficient|out of|used up|depleted|too low|past due|\
        overdue|no remaining|ran out|run out|limit reached|reached|over quota|not enough|upgrade|\
        has ended|is disabled|not enabled",
    ),
    rule(
        Cause::LimitRate,
        "rate|throttle|throttled|throttling|throughput|requests|calls|call frequency|\
        concurrent requests|request rate|too fast|slow down",
        "limit|limited|limits|limiting|too many|exceeded|per second|per minute|per hour|throttled|\
        throttling|too high|throughput|reduce your|too fast|slow down|back off",
    ),
    rule(
        Cause::LimitTooLarge,
        "size|payload|body|message|request|file|packet|record|row|upload|document|content|length|\
        prompt|context|context window|input|batch|blob|attachment|header|headers|uri|url|object|\
        entity|frame",
        "too large|too big|exceeds the limit|exceeds limit|exceeds fixed|exceeds maximum|exceeds the maximum|\
        exceeds max|exceeded maximum|exceeded the maximum|over the limit|larger than|bigger than|\
        maximum size|max size|size limit|maximum allowed size|is too long|maximum length|\
        exceeds the configured|too many tokens|maximum number of tokens|exceeds allowed",
    ),
    rule(
        Cause::LimitConnections,
        "connection|connections|pool|queuepool|connection slots|sockets|clients|sessions|sessions per user",
        "exhausted|too many|limit exceeded|limit reached|maximum number|maximum reached|max number|\
        is full|no more|no available|none available|no free|limit|limit of size|reserved|no idle",
    ),
    rule(
        Cause::ResourceMemory,
        "memory|heap|ram|oom|vram",
        "out of|exceeded|exceeding|exceeds|exhausted|allocate|allocation|insufficient|killer|killed|\
        over limit|not enough|ran out|limit",
    ),
    rule(
        Cause::ResourceDisk,
        "disk|disks|space|filesystem|file system|volume|inodes|tablespace|device|storage|segment|\
        temp file|watermark",
        "full|no space|space left|out of|exhausted|insufficient|not enough|unable to extend|\
        could not extend|cannot extend|ran out|flood stage|exceeded",
    ),
    rule(
        Cause::NetworkTls,
        "certificate|certificates|cert|tls|ssl|x509|host key|ca bundle|certificate chain|\
        peer certificate|subject alternative name",
        "invalid|verify|verification|untrusted|not trusted|self signed|mismatch|failed|failure|\
        unknown|revoked|not match|doesn t match|not valid|alert|error|problem|unable to get|\
        handshake|protocol",
    ),
    rule(
        Cause::NetworkDns,
        "host|hostname|host name|dns|domain|domain name|name|address",
        "not resolve|resolution|resolve host|lookup failed|not known|unknown host|nxdomain|\
        could not be resolved|cannot be resolved|not be resolved|failed to resolve|name resolution",
    ),
    rule(
        Cause::TimeoutConnect,
        "connect|connecting|connection|dial|handshake|login|server selection",
        "timeout|timed out|time out|timeouts|did not answer within|could not connect within",
    ),
    rule(
        Cause::TimeoutStatement,
        "query|statement|lock|sql|transaction|select",
        "timeout|timed out|time out|time limit|maximum execution time|execution time|\
        canceling statement|took too long|max execution|exceeded time",
    ),
    rule(
        Cause::NetworkRefused,
        "connection|connect|port|listening",
        "refused|nothing is listening|not listening|no connection could be made",
    ),
    rule(
        Cause::NetworkReset,
        "connection|socket|peer|stream|channel|server|broker|transport|session",
        "reset|was closed|closed by|dropped|broken|terminated|aborted|hung up|lost|\
        closed unexpectedly|disconnected|went away|gone away|unexpectedly closed|interrupted",
    ),
    rule(
        Cause::RemoteUnavailable,
        "service|server|cluster|broker|brokers|leader|node|nodes|endpoint|upstream|backend|replica|\
        replicas|database|system|primary|master|api|site|model|shard|shards|partition|warehouse|host|erp|crm|\
        gateway|portal|interface|registry|platform",
        "unavailable|not available|is down|overloaded|starting up|shutting down|maintenance|is busy|\
        too busy|not ready|offline|restarting|no leader|no healthy|at capacity|over capacity|\
        suspended|no brokers available|not yet ready|try again later|loading|read only mode|\
        in recovery",
    ),
    rule(
        Cause::SqlSerialization,
        "transaction|serialize|update|write|snapshot|isolation",
        "serialization|serialize access|concurrent update|write conflict|concurrent transaction|\
        snapshot isolation|restart transaction",
    ),
    rule(
        Cause::AuthUnauthenticated,
        "session|session id|session key|session ticket",
        "invalid|not valid|no valid|missing|required|rejected|revoked|not recognized|not recognised|unknown|\
        not found|not set|unauthorized|unauthenticated",
    ),
    rule(Cause::AuthUnauthenticated, KEYS, UNKNOWN),
    rule(
        Cause::AuthForbidden,
        "permission|permissions|privilege|privileges|role|roles|scope|scopes|access|rights|policy|\
        acl|entitlement|authorized|authorised|allowed|forbidden",
        "denied|lacks|lack|insufficient|not granted|does not have|doesn t have|do not have|\
        don t have|missing|needs|not authorized|not authorised|not allowed to|is required|required|\
        forbidden|blocked|restricted|refused|without|not permitted|explicit deny|not sufficient|\
        revoked",
    ),
    rule(Cause::AuthUnauthenticated, SECRETS, REFUSED),
    rule(
        Cause::DataDuplicate,
        "key|keys|entry|row|record|records|unique|primary key|value",
        "duplicate|duplicated|duplicates|not unique|uniqueness|violation of unique",
    ),
    rule(
        Cause::DataConstraint,
        "constraint|foreign key|not null",
        "violates|violated|violation|violations|fails|failed|conflicted",
    ),
    rule(Cause::SqlUndefinedObject, TABLES, GONE),
    rule(
        Cause::SqlSyntax,
        "sql|query|statement|select|cypher|sql command",
        "syntax|parse error|parse exception|unexpected token|mismatched input|not properly ended",
    ),
    rule(
        Cause::CodeImport,
        "module|modules|package|packages|library|crate|gem|dependency|dependencies|shared library|\
        distribution|requirement",
        "not found|not be found|cannot find|could not find|no matching|not installed|unresolved|\
        no module|not resolve|does not exist|cannot load|no such file to load|satisfies|\
        is not in std",
    ),
    rule(
        Cause::ResponseMalformed,
        "json|xml|yaml|csv|parquet|avro|protobuf|gzip|utf 8|response body|html|zip|archive|\
        magic bytes|base64|pdf|orc",
        "parse|parsing|parser|decode|decoding|malformed|invalid|unexpected end|unexpected token|\
        unexpected character|corrupt|corrupted|truncated|not valid|unmarshal|deserialize|\
        deserialization|unterminated|not well formed|not a valid",
    ),
    rule(
        Cause::DataTypeMismatch,
        "type|types|cast|convert|conversion|numeric|integer|timestamp|boolean|decimal|float|datatype|\
        data type|mapping",
        "mismatch|incompatible|cannot cast|can t cast|cannot convert|could not convert|\
        cannot be converted|conversion failed|not a valid|is not recognized|out of range|incorrect|\
        overflow|is not a number|failed to parse field|invalid input|cannot be cast",
    ),
    rule(
        Cause::RequestConflict,
        "resource|state|lock|version|revision|branch|lease|etag|object|name|job|run|table|bucket|\
        index|file|directory|topic|stack|tag|updates|container|user|record|booking|path|entity|\
        repository|another|deployment",
        "conflict|conflicts|already exists|already exist|already locked|is locked|\
        acquiring the state lock|stale|concurrent modification|been modified|non fast forward|\
        already in progress|held by|already running|already in use|fetch first|out of date|\
        already being",
    ),
    rule(
        Cause::RequestNotFound,
        "bucket|key|file|files|path|directory|object|resource|project|repository|repo|branch|page|\
        endpoint|topic|queue|image|pod|deployment|namespace|job|user|customer|record|entity|\
        document|channel|stack|instance|model|playlist|ref|revision|manifest|artifact|container|\
        secret|index|collection|account|order|item|url|route|stream|subscription|tag|blob|no|such|\
        volume|cluster|deployments apps|pathspec|tool|snapshot|sheet|message|id|tenant",
        "not found|does not exist|doesn t exist|no such|cannot find|could not find|can t find|\
        couldn t find|gone|been deleted|no longer exists|not be found|did not match any|\
        manifest unknown|has been removed|not exist|no exist|exist not|unable to find|imagepullbackoff|errimagepull|\
        nosuch",
    ),
    rule(
        Cause::TimeoutResponse,
        "timeout|timed|deadline|respond|response|reply|answer|time|wait|waiting",
        "timeout|timed out|exceeded|not respond|no response|no reply|too long|within|\
        not respond in time|gave up|passed",
    ),
    rule(
        Cause::RemoteServerError,
        "server|service|backend|upstream|gateway|api|remote",
        "internal error|internal server error|unexpected error|server error|bad gateway|crashed",
    ),
];
