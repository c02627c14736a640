//! Errors as many tools word them, collected to see what the phrases and sentences do not know.

/// The cause that follows, and the message.
pub(super) const SPOKEN: &[(&str, &str)] = &[
    (
        "limit.connections",
        "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ),
    ("limit.connections", "HikariPool-1 - Connection is not available, request timed out after 30000ms"),
    ("limit.connections", "redis.exceptions.ConnectionError: max number of clients reached"),
    (
        "limit.connections",
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",
    ),
    (
        "network.refused",
        "redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused.",
    ),
    ("timeout.connect", "pymongo.errors.ServerSelectionTimeoutError: mongo:27017: timed out, Timeout: 30s"),
    ("network.refused", "kafka.errors.NoBrokersAvailable: NoBrokersAvailable"),
    ("remote.unavailable", "kafka: leader not available for partition orders-3"),
    ("request.not_found", "UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition"),
    (
        "limit.too_large",
        "kafka.errors.MessageSizeTooLargeError: The message is 2097200 bytes when serialized which is larger than the maximum request size",
    ),
    (
        "sql.serialization",
        "org.apache.spark.sql.delta.ConcurrentAppendException: Files were added to the root of the table by a concurrent update",
    ),
    (
        "sql.undefined_object",
        "org.apache.spark.sql.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view `raw`.`orders` cannot be found",
    ),
    (
        "sql.undefined_object",
        "pyspark.errors.exceptions.captured.AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `ordr_id` cannot be resolved",
    ),
    (
        "resource.memory",
        "ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Container killed by YARN for exceeding memory limits. 5.5 GB of 5.5 GB physical memory used",
    ),
    ("resource.memory", "Last State: Terminated Reason: OOMKilled Exit Code: 137"),
    ("request.not_found", r#"Error from server (NotFound): deployments.apps "api" not found"#),
    (
        "auth.forbidden",
        r#"Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:etl:default" cannot list resource "pods" in API group"#,
    ),
    ("auth.unauthenticated", "error: You must be logged in to the server (Unauthorized)"),
    (
        "network.refused",
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
    ),
    (
        "request.conflict",
        r#"Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "api": the object has been modified; please apply your changes to the latest version and try again"#,
    ),
    ("request.conflict", r#"Error from server (AlreadyExists): namespaces "etl" already exists"#),
    (
        "auth.credential_missing",
        r#"Unable to locate credentials. You can configure credentials by running "aws configure"."#,
    ),
    (
        "auth.token_expired",
        "An error occurred (ExpiredTokenException) when calling the AssumeRole operation: The security token included in the request is expired",
    ),
    (
        "auth.forbidden",
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User is not authorized to perform: secretsmanager:GetSecretValue",
    ),
    (
        "request.not_found",
        "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.",
    ),
    (
        "limit.rate",
        "An error occurred (ProvisionedThroughputExceededException) when calling the PutItem operation",
    ),
    (
        "request.conflict",
        "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: The conditional request failed",
    ),
    (
        "limit.quota",
        "An error occurred (ServiceQuotaExceededException) when calling the CreateCluster operation",
    ),
    (
        "request.not_found",
        "google.api_core.exceptions.NotFound: 404 Not found: Dataset acme:raw was not found in location EU",
    ),
    (
        "auth.forbidden",
        "google.api_core.exceptions.Forbidden: 403 Access Denied: Table acme:raw.orders: User does not have permission",
    ),
    (
        "limit.quota",
        "google.api_core.exceptions.ResourceExhausted: 429 Quota exceeded for quota metric 'Queries' and limit 'Queries per day'",
    ),
    (
        "auth.credential_missing",
        "google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found.",
    ),
    ("auth.unauthenticated", "ClientAuthenticationError: AADSTS7000215: Invalid client secret provided"),
    ("auth.token_expired", "AADSTS7000222: The provided client secret keys for app are expired"),
    ("remote.unavailable", "azure.core.exceptions.HttpResponseError: (ServerBusy) The server is busy."),
    (
        "request.not_found",
        "azure.core.exceptions.ResourceNotFoundError: The specified blob does not exist. ErrorCode:BlobNotFound",
    ),
    (
        "limit.rate",
        "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}",
    ),
    (
        "limit.quota",
        "openai.RateLimitError: Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'code': 'insufficient_quota'}}",
    ),
    (
        "limit.too_large",
        r#"openai.BadRequestError: Error code: 400 - {'error': {'message': "This model's maximum context length is 8192 tokens", 'code': 'context_length_exceeded'}}"#,
    ),
    (
        "auth.unauthenticated",
        "openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-abc'}}",
    ),
    ("resource.memory", "RuntimeError: CUDA error: out of memory"),
    ("resource.memory", "fatal error: runtime: out of memory"),
    (
        "resource.memory",
        "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
    ),
    ("code.import", "Error: Cannot find module 'express'"),
    ("code.import", "error[E0432]: unresolved import `serde_jsn`"),
    (
        "code.import",
        "ERROR: Could not find a version that satisfies the requirement polarss (from versions: none)",
    ),
    ("code.import", "java.lang.ClassNotFoundException: com.acme.Loader"),
    (
        "code.import",
        "/usr/bin/loader: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory",
    ),
    (
        "network.tls",
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate')))",
    ),
    (
        "network.tls",
        "javax.net.ssl.SSLPeerUnverifiedException: Certificate for <api> doesn't match any of the subject alternative names",
    ),
    ("network.dns", "fatal: unable to access 'https://git.acme/': Could not resolve host: git.acme"),
    ("auth.unauthenticated", "fatal: Authentication failed for 'https://git.acme/etl.git/'"),
    ("request.conflict", "! [rejected] main -> main (non-fast-forward)"),
    ("request.not_found", "fatal: repository 'https://git.acme/etl.git/' not found"),
    ("resource.disk", "write /var/lib/docker/tmp/x: no space left on device"),
    ("auth.unauthenticated", "Error response from daemon: unauthorized: authentication required"),
    (
        "request.not_found",
        "Error response from daemon: manifest for acme/etl:1.9 not found: manifest unknown",
    ),
    ("limit.rate", "toomanyrequests: You have reached your pull rate limit."),
    ("sql.undefined_object", r#"Compilation Error in model orders: column "customer_idd" does not exist"#),
    (
        "sql.undefined_object",
        "duckdb.duckdb.CatalogException: Catalog Error: Table with name orders does not exist!",
    ),
    (
        "data.type_mismatch",
        "duckdb.duckdb.ConversionException: Conversion Error: Could not convert string 'n/a' to INT32",
    ),
    ("sql.syntax", r#"duckdb.duckdb.ParserException: Parser Error: syntax error at or near "FORM""#),
    (
        "sql.deadlock",
        "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim",
    ),
    ("data.constraint", r#"The INSERT statement conflicted with the FOREIGN KEY constraint "FK_orders""#),
    ("data.duplicate", "com.mongodb.MongoWriteException: E11000 duplicate key error collection: shop.orders"),
    ("timeout.statement", "MongoServerError: operation exceeded time limit"),
    ("timeout.statement", "ERROR: canceling statement due to lock timeout"),
    ("network.reset", "psycopg2.OperationalError: server closed the connection unexpectedly"),
    ("remote.unavailable", "FATAL: the database system is starting up"),
    ("network.reset", "java.io.IOException: Broken pipe"),
    ("timeout.response", "java.net.http.HttpTimeoutException: request timed out"),
    ("timeout.response", "Error: timeout of 5000ms exceeded"),
    ("timeout.response", "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
    ("network.unreachable", "connect: network is unreachable"),
    ("response.malformed", r#"SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON"#),
    ("response.malformed", "invalid character '<' looking for beginning of value"),
    ("response.malformed", "zipfile.BadZipFile: File is not a zip file"),
    (
        "response.malformed",
        "pyarrow.lib.ArrowInvalid: Could not open Parquet input source '<Buffer>': Parquet magic bytes not found in footer",
    ),
    ("auth.forbidden", "mkdir: cannot create directory '/data': Permission denied"),
    ("request.not_found", "cp: cannot stat '/in/a.csv': No such file or directory"),
    ("auth.forbidden", "The user, group or role does not have permission to call the API"),
    ("limit.quota", "402 Client Error: Payment Required for url: https://api"),
    (
        "remote.unavailable",
        "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    ),
    ("auth.token_expired", "x509: certificate has expired or is not yet valid"),
    ("limit.too_large", "413 Request Entity Too Large"),
    ("resource.killed", "Killed"),
    ("resource.killed", "signal: killed"),
    ("worker.none", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."),
    ("remote.server_error", "HTTP 500: Internal Server Error"),
    ("limit.rate", "Throttling: Rate exceeded"),
    ("auth.unauthenticated", "WRONGPASS invalid username-password pair or user is disabled."),
    ("auth.unauthenticated", "NOAUTH Authentication required."),
    ("resource.memory", "OOM command not allowed when used memory > 'maxmemory'."),
    ("remote.unavailable", "LOADING Redis is loading the dataset in memory"),
    ("remote.unavailable", "READONLY You can't write against a read only replica."),
    ("remote.unavailable", "CLUSTERDOWN The cluster is down"),
];
