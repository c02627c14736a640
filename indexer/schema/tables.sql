-- The analytic tables. One statement per table, split at lines that hold only `;`.
-- Names in braces are filled in from the configuration.
-- Idempotency: every insert carries a deduplication token that follows from the positions it covers, so a repeated
-- insert changes neither a table nor its views; keys and replacing engines answer for what is repeated otherwise.
-- What was put in is synced before it is acknowledged, because the place in the feed moves on behind it.

CREATE TABLE IF NOT EXISTS {database}.noetl_events
(
    position UInt64 COMMENT 'Place in the order of all commits',
    event_id UInt64 COMMENT 'Snowflake id of the Event',
    item UInt32 COMMENT 'Which row of an Event that tells of many Iterations; 0 for the Event itself',
    execution_id UInt64,
    root_execution_id UInt64 COMMENT 'The Execution that began the family; itself when it has no parent',
    seq UInt32 COMMENT 'Place in the log of the Execution, from 1',
    at DateTime64(3, 'UTC'),
    event_type LowCardinality(String) COMMENT 'Name as in the log, such as call.error; call.item for an Iteration, call.try for one try of a call that failed or was tried again',
    playbook LowCardinality(String) COMMENT 'Catalog path',
    version UInt32 COMMENT 'Version of the Playbook',
    step LowCardinality(String) COMMENT 'Empty when the Event speaks of no step',
    run UInt32 COMMENT 'How often the step had been entered, from 1; 0 without a step',
    batch UInt32 COMMENT 'Which Command of the run',
    attempt UInt32 COMMENT 'Which sending of the Command',
    iteration Int64 COMMENT 'Index of the Iteration; -1 when the row is not about one',
    status LowCardinality(String) COMMENT 'OK, ERROR, PARKED, CANCELLED, or the state an Execution or step reached',
    tool LowCardinality(String),
    pool LowCardinality(String),
    worker LowCardinality(String),
    duration_ms Float64 COMMENT 'Of the work the row tells of; 0 when it tells of none',
    tries UInt32 COMMENT 'Calls of the tool, the first one included; which of them in a call.try; 0 when it tells of none',
    bytes_out UInt64 COMMENT 'Size of the result as JSON',
    cause LowCardinality(String) COMMENT 'Code of the cause list; empty without an error',
    fingerprint UInt64 COMMENT 'Of the error message; 0 without an error',
    error_kind LowCardinality(String),
    error_code LowCardinality(String),
    status_code UInt16 COMMENT 'HTTP status; 0 when there is none',
    message String COMMENT 'Error message, secrets masked, as far as the policy allows; the template otherwise',
    INDEX by_execution execution_id TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(position)
PARTITION BY toYYYYMM(at)
ORDER BY (playbook, execution_id, event_id, item)
TTL toDateTime(at) + INTERVAL {events_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per Event, Iterations of loops exploded to a row each'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_steps
(
    position UInt64,
    event_id UInt64 COMMENT 'The Event that ended the run of the step',
    execution_id UInt64,
    root_execution_id UInt64,
    playbook LowCardinality(String),
    version UInt32,
    step LowCardinality(String),
    run UInt32,
    tool LowCardinality(String) COMMENT 'Kind of the first task; noop for a router',
    pool LowCardinality(String),
    worker LowCardinality(String) COMMENT 'The last one that reported',
    status LowCardinality(String) COMMENT 'COMPLETED, FAILED, SKIPPED or CANCELLED',
    handled UInt8 COMMENT 'The failure was answered by an arc, a case or a rule',
    entered_at DateTime64(3, 'UTC'),
    exited_at DateTime64(3, 'UTC'),
    queue_ms Float64 COMMENT 'From the first Command to the first start of work',
    run_ms Float64 COMMENT 'Work of the tools, all Commands together',
    total_ms Float64 COMMENT 'From entry to exit',
    released_by LowCardinality(String) COMMENT 'The step whose exit let this one begin; empty for an entry',
    released_by_run UInt32,
    commands UInt32,
    attempts UInt32 COMMENT 'Calls of the tool of the task or Iteration that needed most of them; 1: no retry',
    retries UInt32 COMMENT 'Calls beyond the first, all Iterations together',
    retry_wait_ms Float64 COMMENT 'Waited before retries',
    iterations UInt64 COMMENT '1 for a step without a loop',
    iterations_failed UInt64,
    bytes_in UInt64 COMMENT 'What tools were given: inputs of python and payloads of sub-playbooks as JSON, URLs and bodies, SQL statements, command lines; the arguments of the step as JSON where no tool tells',
    bytes_out UInt64 COMMENT 'Result as JSON',
    rows_out UInt64 COMMENT 'Length of the result when it is a list or rows; 0 otherwise',
    result_shape UInt64 COMMENT 'Hash of the names and types in the result; 0 when there is none',
    cpu_ms Float64 COMMENT 'CPU time of python and shell with the processes they waited for, all calls together; 0 for other tools',
    memory_bytes UInt64 COMMENT 'Resident memory of the largest process of python or shell at its peak; 0 where it was not measured',
    cause LowCardinality(String),
    fingerprint UInt64,
    error_kind LowCardinality(String),
    error_code LowCardinality(String),
    status_code UInt16,
    message String,
    INDEX by_execution execution_id TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(position)
PARTITION BY toYYYYMM(exited_at)
ORDER BY (playbook, step, execution_id, run)
TTL toDateTime(exited_at) + INTERVAL {steps_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per run of a step'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_executions
(
    position UInt64,
    execution_id UInt64,
    root_execution_id UInt64,
    parent_execution_id UInt64 COMMENT '0 without a parent',
    playbook LowCardinality(String),
    version UInt32,
    status LowCardinality(String) COMMENT 'RUNNING, COMPLETED, FAILED or CANCELLED',
    trigger LowCardinality(String) COMMENT 'api, cli, schedule, playbook, retry',
    started_at DateTime64(3, 'UTC'),
    finished_at Nullable(DateTime64(3, 'UTC')),
    duration_ms Float64 COMMENT '0 while it runs',
    attempt UInt32 COMMENT '1, and one more for each retry of the Execution',
    events UInt32,
    steps UInt32 COMMENT 'Runs of steps that ended, skipped ones left out',
    steps_failed UInt32,
    retries UInt32 COMMENT 'Of tools, in all steps',
    input_shape UInt64 COMMENT 'Hash of the names and types in the payload',
    input_hash UInt64 COMMENT 'Hash of the payload itself',
    bytes_in UInt64 COMMENT 'Payload as JSON',
    bytes_out UInt64 COMMENT 'Final result as JSON',
    failed_step LowCardinality(String) COMMENT 'The first step that failed without an answer',
    cause LowCardinality(String),
    fingerprint UInt64,
    message String,
    INDEX by_execution execution_id TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(position)
PARTITION BY toYYYYMM(started_at)
ORDER BY (playbook, execution_id)
TTL toDateTime(started_at) + INTERVAL {executions_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per Execution: its newest state'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_logs
(
    position UInt64 COMMENT 'Place among all log lines',
    execution_id UInt64,
    playbook LowCardinality(String),
    version UInt32,
    step LowCardinality(String),
    run UInt32,
    iteration Int64,
    at DateTime64(3, 'UTC'),
    stream LowCardinality(String) COMMENT 'stdout, stderr or noetl',
    level LowCardinality(String),
    fingerprint UInt64,
    message String COMMENT 'The line, secrets masked, as far as the policy allows; the template otherwise',
    INDEX by_execution execution_id TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(position)
PARTITION BY toYYYYMM(at)
ORDER BY (playbook, execution_id, position)
TTL toDateTime(at) + INTERVAL {logs_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per line that a tool printed'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_llm_calls
(
    call_id UUID,
    at DateTime64(3, 'UTC'),
    execution_id UInt64 COMMENT 'The Execution asked about; 0 when it is about none',
    operation LowCardinality(String) COMMENT 'gen_ai.operation.name: chat, embeddings',
    provider LowCardinality(String) COMMENT 'gen_ai.provider.name',
    model LowCardinality(String) COMMENT 'gen_ai.request.model',
    response_model LowCardinality(String) COMMENT 'gen_ai.response.model',
    prompt LowCardinality(String) COMMENT 'Name and version of the prompt template',
    input_tokens UInt32 COMMENT 'gen_ai.usage.input_tokens',
    output_tokens UInt32 COMMENT 'gen_ai.usage.output_tokens',
    duration_ms Float64,
    cost_usd Float64,
    finish_reason LowCardinality(String) COMMENT 'gen_ai.response.finish_reasons',
    error LowCardinality(String) COMMENT 'error.type; empty when the call went well',
    cached UInt8
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, call_id)
TTL toDateTime(at) + INTERVAL {llm_calls_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per call of a language or embedding model'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_templates
(
    fingerprint UInt64,
    template String COMMENT 'The newest form of the message with its particulars masked',
    canonical UInt64 COMMENT 'The fingerprint it was merged into; itself when it was not',
    source LowCardinality(String) COMMENT 'error or log: where it was seen first',
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY fingerprint
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What each fingerprint stands for'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_poison
(
    position UInt64,
    kind LowCardinality(String) COMMENT 'event or log',
    execution_id UInt64,
    reason String,
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What could not be read and was set aside; the log still has it'
;
CREATE TABLE IF NOT EXISTS {database}.noetl_steps_hourly
(
    hour DateTime('UTC'),
    playbook LowCardinality(String),
    version UInt32,
    step LowCardinality(String),
    tool LowCardinality(String),
    pool LowCardinality(String),
    runs SimpleAggregateFunction(sum, UInt64),
    failed SimpleAggregateFunction(sum, UInt64),
    retried SimpleAggregateFunction(sum, UInt64) COMMENT 'Runs that needed a retry',
    rescued SimpleAggregateFunction(sum, UInt64) COMMENT 'Runs that needed a retry and completed',
    attempts SimpleAggregateFunction(sum, UInt64),
    iterations SimpleAggregateFunction(sum, UInt64),
    bytes_in SimpleAggregateFunction(sum, UInt64),
    bytes_out SimpleAggregateFunction(sum, UInt64),
    run_ms SimpleAggregateFunction(sum, Float64),
    queue_ms SimpleAggregateFunction(sum, Float64),
    cpu_ms SimpleAggregateFunction(sum, Float64),
    memory_bytes SimpleAggregateFunction(max, UInt64),
    total_quantiles AggregateFunction(quantilesTDigest(0.25, 0.5, 0.75, 0.95, 0.99), Float64),
    run_quantiles AggregateFunction(quantilesTDigest(0.25, 0.5, 0.75, 0.95, 0.99), Float64),
    bytes_quantiles AggregateFunction(quantilesTDigest(0.25, 0.5, 0.75, 0.95, 0.99), Float64),
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (playbook, step, hour, version, tool, pool)
TTL hour + INTERVAL {hourly_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Runs of steps by hour, playbook, version, step and pool'
;
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.noetl_steps_hourly_view TO {database}.noetl_steps_hourly AS
SELECT
    toStartOfHour(exited_at, 'UTC') AS hour, playbook, version, step, tool, pool,
    count() AS runs,
    countIf(status = 'FAILED') AS failed,
    countIf(one.attempts > 1) AS retried,
    countIf(one.attempts > 1 AND status = 'COMPLETED') AS rescued,
    sum(toUInt64(one.attempts)) AS attempts,
    sum(one.iterations) AS iterations,
    sum(one.bytes_in) AS bytes_in,
    sum(one.bytes_out) AS bytes_out,
    sum(one.run_ms) AS run_ms,
    sum(one.queue_ms) AS queue_ms,
    sum(one.cpu_ms) AS cpu_ms,
    max(one.memory_bytes) AS memory_bytes,
    quantilesTDigestState(0.25, 0.5, 0.75, 0.95, 0.99)(one.total_ms) AS total_quantiles,
    quantilesTDigestState(0.25, 0.5, 0.75, 0.95, 0.99)(one.run_ms) AS run_quantiles,
    quantilesTDigestState(0.25, 0.5, 0.75, 0.95, 0.99)(toFloat64(one.bytes_out)) AS bytes_quantiles,
    max(one.exited_at) AS last_at
FROM {database}.noetl_steps AS one
WHERE status != 'SKIPPED'
GROUP BY hour, playbook, version, step, tool, pool
;
CREATE TABLE IF NOT EXISTS {database}.noetl_executions_hourly
(
    hour DateTime('UTC'),
    playbook LowCardinality(String),
    version UInt32,
    status LowCardinality(String),
    executions SimpleAggregateFunction(sum, UInt64),
    retries SimpleAggregateFunction(sum, UInt64),
    duration_ms SimpleAggregateFunction(sum, Float64),
    duration_quantiles AggregateFunction(quantilesTDigest(0.25, 0.5, 0.75, 0.95, 0.99), Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (playbook, hour, version, status)
TTL hour + INTERVAL {hourly_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Ended Executions by hour, playbook, version and status'
;
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.noetl_executions_hourly_view TO {database}.noetl_executions_hourly AS
SELECT
    toStartOfHour(assumeNotNull(finished_at), 'UTC') AS hour, playbook, version, status,
    count() AS executions,
    sum(toUInt64(one.retries)) AS retries,
    sum(one.duration_ms) AS duration_ms,
    quantilesTDigestState(0.25, 0.5, 0.75, 0.95, 0.99)(one.duration_ms) AS duration_quantiles
FROM {database}.noetl_executions AS one
WHERE status != 'RUNNING'
GROUP BY hour, playbook, version, status
;
CREATE TABLE IF NOT EXISTS {database}.noetl_failures_hourly
(
    hour DateTime('UTC'),
    fingerprint UInt64,
    cause LowCardinality(String),
    playbook LowCardinality(String),
    step LowCardinality(String),
    version UInt32,
    tool LowCardinality(String),
    failures SimpleAggregateFunction(sum, UInt64),
    handled SimpleAggregateFunction(sum, UInt64),
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    example_execution_id SimpleAggregateFunction(max, UInt64) COMMENT 'The newest Execution with it',
    example_event_id SimpleAggregateFunction(max, UInt64),
    example AggregateFunction(argMax, String, DateTime64(3, 'UTC')) COMMENT 'The newest message'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (fingerprint, playbook, step, hour, version, tool, cause)
TTL hour + INTERVAL {hourly_days} DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Failed runs of steps by hour and fingerprint'
;
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.noetl_failures_hourly_view TO {database}.noetl_failures_hourly AS
SELECT
    toStartOfHour(exited_at, 'UTC') AS hour, fingerprint, cause, playbook, step, version, tool,
    count() AS failures,
    sum(toUInt64(one.handled)) AS handled,
    min(one.exited_at) AS first_at,
    max(one.exited_at) AS last_at,
    max(one.execution_id) AS example_execution_id,
    max(one.event_id) AS example_event_id,
    argMaxState(message, exited_at) AS example
FROM {database}.noetl_steps AS one
WHERE fingerprint != 0
GROUP BY hour, fingerprint, cause, playbook, step, version, tool
;
CREATE TABLE IF NOT EXISTS {database}.noetl_index
(
    id String COMMENT 'Names this copy of the index; a position belongs to one copy',
    schema_version UInt32,
    created_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY created_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Which index this is, and the version of its tables'
