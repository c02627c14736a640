//! Errors as many tools word them, collected to see what the phrases and sentences do not know.

/// The cause that follows, and the message.
pub(super) const SPOKEN: &[(&str, &str)] = &[
    (
        "limit.connections",
        r#"FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute"#,
    ),
    ("limit.connections", r#"HikariPool-1 - Connection is not available, request timed out after 30000ms"#),
    ("limit.connections", r#"redis.exceptions.ConnectionError: max number of clients reached"#),
    (
        "limit.connections",
        r#"sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"#,
    ),
    (
        "network.refused",
        r#"redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused."#,
    ),
    (
        "timeout.connect",
        r#"pymongo.errors.ServerSelectionTimeoutError: mongo:27017: timed out, Timeout: 30s"#,
    ),
    ("network.refused", r#"kafka.errors.NoBrokersAvailable: NoBrokersAvailable"#),
    ("remote.unavailable", r#"kafka: leader not available for partition orders-3"#),
    ("request.not_found", r#"UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition"#),
    (
        "limit.too_large",
        r#"kafka.errors.MessageSizeTooLargeError: The message is 2097200 bytes when serialized which is larger than the maximum request size"#,
    ),
    (
        "sql.serialization",
        r#"org.apache.spark.sql.delta.ConcurrentAppendException: Files were added to the root of the table by a concurrent update"#,
    ),
    (
        "sql.undefined_object",
        r#"org.apache.spark.sql.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view `raw`.`orders` cannot be found"#,
    ),
    (
        "sql.undefined_object",
        r#"pyspark.errors.exceptions.captured.AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `ordr_id` cannot be resolved"#,
    ),
    (
        "resource.memory",
        r#"ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Container killed by YARN for exceeding memory limits. 5.5 GB of 5.5 GB physical memory used"#,
    ),
    ("resource.memory", r#"Last State: Terminated Reason: OOMKilled Exit Code: 137"#),
    ("request.not_found", r#"Error from server (NotFound): deployments.apps "api" not found"#),
    (
        "auth.forbidden",
        r#"Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:etl:default" cannot list resource "pods" in API group"#,
    ),
    ("auth.unauthenticated", r#"error: You must be logged in to the server (Unauthorized)"#),
    (
        "network.refused",
        r#"The connection to the server localhost:8080 was refused - did you specify the right host or port?"#,
    ),
    (
        "request.conflict",
        r#"Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "api": the object has been modified; please apply your changes to the latest version and try again"#,
    ),
    ("request.conflict", r#"Error from server (AlreadyExists): namespaces "etl" already exists"#),
    (
        "auth.unauthenticated",
        r#"Unable to locate credentials. You can configure credentials by running "aws configure"."#,
    ),
    (
        "auth.token_expired",
        r#"An error occurred (ExpiredTokenException) when calling the AssumeRole operation: The security token included in the request is expired"#,
    ),
    (
        "auth.forbidden",
        r#"An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User is not authorized to perform: secretsmanager:GetSecretValue"#,
    ),
    (
        "request.not_found",
        r#"An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret."#,
    ),
    (
        "limit.rate",
        r#"An error occurred (ProvisionedThroughputExceededException) when calling the PutItem operation"#,
    ),
    (
        "request.conflict",
        r#"An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: The conditional request failed"#,
    ),
    (
        "limit.quota",
        r#"An error occurred (ServiceQuotaExceededException) when calling the CreateCluster operation"#,
    ),
    (
        "request.not_found",
        r#"google.api_core.exceptions.NotFound: 404 Not found: Dataset acme:raw was not found in location EU"#,
    ),
    (
        "auth.forbidden",
        r#"google.api_core.exceptions.Forbidden: 403 Access Denied: Table acme:raw.orders: User does not have permission"#,
    ),
    (
        "limit.quota",
        r#"google.api_core.exceptions.ResourceExhausted: 429 Quota exceeded for quota metric 'Queries' and limit 'Queries per day'"#,
    ),
    (
        "auth.credential_missing",
        r#"google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found."#,
    ),
    ("auth.unauthenticated", r#"ClientAuthenticationError: AADSTS7000215: Invalid client secret provided"#),
    ("auth.token_expired", r#"AADSTS7000222: The provided client secret keys for app are expired"#),
    ("remote.unavailable", r#"azure.core.exceptions.HttpResponseError: (ServerBusy) The server is busy."#),
    (
        "request.not_found",
        r#"azure.core.exceptions.ResourceNotFoundError: The specified blob does not exist. ErrorCode:BlobNotFound"#,
    ),
    (
        "limit.rate",
        r#"openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}"#,
    ),
    (
        "limit.quota",
        r#"openai.RateLimitError: Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'code': 'insufficient_quota'}}"#,
    ),
    (
        "limit.too_large",
        r#"openai.BadRequestError: Error code: 400 - {'error': {'message': "This model's maximum context length is 8192 tokens", 'code': 'context_length_exceeded'}}"#,
    ),
    (
        "auth.unauthenticated",
        r#"openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-abc'}}"#,
    ),
    ("resource.memory", r#"RuntimeError: CUDA error: out of memory"#),
    ("resource.memory", r#"fatal error: runtime: out of memory"#),
    (
        "resource.memory",
        r#"FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory"#,
    ),
    ("code.import", r#"Error: Cannot find module 'express'"#),
    ("code.import", r#"error[E0432]: unresolved import `serde_jsn`"#),
    (
        "code.import",
        r#"ERROR: Could not find a version that satisfies the requirement polarss (from versions: none)"#,
    ),
    ("code.import", r#"java.lang.ClassNotFoundException: com.acme.Loader"#),
    (
        "code.import",
        r#"/usr/bin/loader: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory"#,
    ),
    (
        "network.tls",
        r#"requests.exceptions.SSLError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate')))"#,
    ),
    (
        "network.tls",
        r#"javax.net.ssl.SSLPeerUnverifiedException: Certificate for <api> doesn't match any of the subject alternative names"#,
    ),
    ("network.dns", r#"fatal: unable to access 'https://git.acme/': Could not resolve host: git.acme"#),
    ("auth.unauthenticated", r#"fatal: Authentication failed for 'https://git.acme/etl.git/'"#),
    ("request.conflict", r#"! [rejected] main -> main (non-fast-forward)"#),
    ("request.not_found", r#"fatal: repository 'https://git.acme/etl.git/' not found"#),
    ("resource.disk", r#"write /var/lib/docker/tmp/x: no space left on device"#),
    ("auth.unauthenticated", r#"Error response from daemon: unauthorized: authentication required"#),
    (
        "request.not_found",
        r#"Error response from daemon: manifest for acme/etl:1.9 not found: manifest unknown"#,
    ),
    ("limit.rate", r#"toomanyrequests: You have reached your pull rate limit."#),
    ("sql.undefined_object", r#"Compilation Error in model orders: column "customer_idd" does not exist"#),
    (
        "sql.undefined_object",
        r#"duckdb.duckdb.CatalogException: Catalog Error: Table with name orders does not exist!"#,
    ),
    (
        "data.type_mismatch",
        r#"duckdb.duckdb.ConversionException: Conversion Error: Could not convert string 'n/a' to INT32"#,
    ),
    ("sql.syntax", r#"duckdb.duckdb.ParserException: Parser Error: syntax error at or near "FORM""#),
    (
        "sql.deadlock",
        r#"Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim"#,
    ),
    ("data.constraint", r#"The INSERT statement conflicted with the FOREIGN KEY constraint "FK_orders""#),
    (
        "data.duplicate",
        r#"com.mongodb.MongoWriteException: E11000 duplicate key error collection: shop.orders"#,
    ),
    ("timeout.statement", r#"MongoServerError: operation exceeded time limit"#),
    ("timeout.statement", r#"ERROR: canceling statement due to lock timeout"#),
    ("network.reset", r#"psycopg2.OperationalError: server closed the connection unexpectedly"#),
    ("remote.unavailable", r#"FATAL: the database system is starting up"#),
    ("network.reset", r#"java.io.IOException: Broken pipe"#),
    ("timeout.response", r#"java.net.http.HttpTimeoutException: request timed out"#),
    ("timeout.response", r#"Error: timeout of 5000ms exceeded"#),
    ("timeout.response", r#"context deadline exceeded (Client.Timeout exceeded while awaiting headers)"#),
    ("network.unreachable", r#"connect: network is unreachable"#),
    ("response.malformed", r#"SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON"#),
    ("response.malformed", r#"invalid character '<' looking for beginning of value"#),
    ("response.malformed", r#"zipfile.BadZipFile: File is not a zip file"#),
    (
        "response.malformed",
        r#"pyarrow.lib.ArrowInvalid: Could not open Parquet input source '<Buffer>': Parquet magic bytes not found in footer"#,
    ),
    ("auth.forbidden", r#"mkdir: cannot create directory '/data': Permission denied"#),
    ("request.not_found", r#"cp: cannot stat '/in/a.csv': No such file or directory"#),
    ("auth.forbidden", r#"The user, group or role does not have permission to call the API"#),
    ("limit.quota", r#"402 Client Error: Payment Required for url: https://api"#),
    (
        "remote.unavailable",
        r#"upstream connect error or disconnect/reset before headers. reset reason: connection failure"#,
    ),
    ("auth.token_expired", r#"x509: certificate has expired or is not yet valid"#),
    ("limit.too_large", r#"413 Request Entity Too Large"#),
    ("resource.killed", r#"Killed"#),
    ("resource.killed", r#"signal: killed"#),
    ("worker.none", r#"0/3 nodes are available: 3 Insufficient nvidia.com/gpu."#),
    ("remote.server_error", r#"HTTP 500: Internal Server Error"#),
    ("limit.rate", r#"Throttling: Rate exceeded"#),
    ("auth.unauthenticated", r#"WRONGPASS invalid username-password pair or user is disabled."#),
    ("auth.unauthenticated", r#"NOAUTH Authentication required."#),
    ("resource.memory", r#"OOM command not allowed when used memory > 'maxmemory'."#),
    ("remote.unavailable", r#"LOADING Redis is loading the dataset in memory"#),
    ("remote.unavailable", r#"READONLY You can't write against a read only replica."#),
    ("remote.unavailable", r#"CLUSTERDOWN The cluster is down"#),
];
