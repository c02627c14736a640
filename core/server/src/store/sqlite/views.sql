-- The tables that users know (playbooks.md 19.2, 19.3), as views over the rows.
DROP VIEW IF EXISTS event;
CREATE VIEW event AS
SELECT
    event.execution_id,
    execution.catalog_id,
    event.event_id,
    (SELECT earlier.event_id FROM event_row AS earlier
        WHERE earlier.execution_id = event.execution_id AND earlier.seq = event.seq - 1) AS parent_event_id,
    execution.parent_execution_id,
    strftime('%Y-%m-%dT%H:%M:%fZ', event.at_ms / 1000.0, 'unixepoch') AS created_at,
    event.event_type,
    coalesce(event.node_name, execution.path) AS node_id,
    event.node_name,
    CASE
        WHEN event.event_type LIKE 'playbook.%' OR event.event_type LIKE 'execution.%' THEN 'playbook'
        WHEN event.event_type LIKE 'loop.%' THEN 'iterator'
        WHEN event.event_type LIKE 'child.%' THEN 'playbook'
        ELSE 'step'
    END AS node_type,
    CASE event.event_type
        WHEN 'playbook.initialized' THEN 'STARTED'
        WHEN 'step.enter' THEN 'ENTERED'
        WHEN 'step.skipped' THEN 'SKIPPED'
        WHEN 'command.issued' THEN 'PENDING'
        WHEN 'call.error' THEN 'FAILED'
        WHEN 'child.started' THEN 'STARTED'
        WHEN 'child.finished' THEN event.data ->> '$.data.status'
        WHEN 'loop.started' THEN 'STARTED'
        WHEN 'step.exit' THEN event.data ->> '$.data.status'
        WHEN 'ctx.updated' THEN 'CONTEXT'
        WHEN 'playbook.failed' THEN 'FAILED'
        WHEN 'execution.cancelled' THEN 'CANCELLED'
        WHEN 'execution.retried' THEN 'RUNNING'
        ELSE 'COMPLETED'
    END AS status,
    (event.data ->> '$.data.finished_ms' - event.data ->> '$.data.started_ms') / 1000.0 AS duration,
    CASE event.event_type
        WHEN 'playbook.initialized' THEN json_object('workload', event.data -> '$.data.workload', 'payload', event.data -> '$.data.payload')
        WHEN 'step.enter' THEN event.data -> '$.data.inputs'
        WHEN 'step.exit' THEN event.data -> '$.data.ctx'
        WHEN 'ctx.updated' THEN event.data -> '$.data.ctx'
    END AS context,
    CASE
        WHEN event.event_type IN ('call.done', 'call.error') THEN coalesce(
            event.data -> '$.data.items[0].outcome.ok.result',
            event.data -> '$.data.items[0].outcome.error.result',
            CASE WHEN event.data ->> '$.data.runs[0].count' = 1
                THEN event.data -> '$.data.runs[0].results[0]'
                ELSE event.data -> '$.data.runs[0].results' END)
        WHEN event.event_type = 'child.finished' THEN event.data -> '$.data.result.value'
        WHEN event.event_type = 'step.exit' THEN event.data -> '$.data.result'
        WHEN event.event_type IN ('playbook.completed', 'playbook.failed', 'execution.cancelled') THEN execution.result
    END AS result,
    event.data AS meta,
    coalesce(
        event.data ->> '$.data.error.message',
        event.data ->> '$.data.items[0].outcome.error.error.message') AS error,
    event.data ->> '$.data.items[0].outcome.error.error.details' AS stack_trace,
    event.data ->> '$.data.worker' AS worker_id,
    coalesce(event.data ->> '$.data.attempt', event.data ->> '$.data.id.attempt') AS attempt,
    event.data ->> '$.data.run' AS run,
    event.seq,
    event.position
FROM event_row AS event
LEFT JOIN execution_row AS execution ON execution.execution_id = event.execution_id;

DROP VIEW IF EXISTS event_log;
CREATE VIEW event_log AS SELECT * FROM event;

DROP VIEW IF EXISTS execution;
CREATE VIEW execution AS
SELECT
    execution_id,
    catalog_id,
    path,
    version,
    status,
    parent_execution_id,
    root_execution_id,
    trigger,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_ms / 1000.0, 'unixepoch') AS completed_at,
    (finished_ms - started_ms) / 1000.0 AS duration,
    current_step,
    total_steps,
    completed_steps,
    running_steps,
    failed_steps,
    event_count,
    result,
    error,
    dedup_key
FROM execution_row;

DROP VIEW IF EXISTS workload;
CREATE VIEW workload AS
SELECT execution_id, data -> '$.data.workload' AS data,
    strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS created_at
FROM event_row WHERE event_type = 'playbook.initialized' AND seq = 1;

DROP VIEW IF EXISTS command;
CREATE VIEW command AS
SELECT
    issued.execution_id,
    issued.event_id AS command_id,
    issued.node_name,
    issued.data ->> '$.data.run' AS run,
    issued.data ->> '$.data.batch' AS batch,
    issued.data ->> '$.data.attempt' AS attempt,
    CASE WHEN outbox.attempt IS NULL THEN 'done' ELSE 'queued' END AS status,
    strftime('%Y-%m-%dT%H:%M:%fZ', issued.at_ms / 1000.0, 'unixepoch') AS created_at
FROM event_row AS issued
LEFT JOIN outbox_row AS outbox
    ON outbox.command = issued.execution_id || ':' || issued.node_name || ':' || (issued.data ->> '$.data.run')
        || ':' || (issued.data ->> '$.data.batch')
    AND outbox.attempt = issued.data ->> '$.data.attempt'
WHERE issued.event_type = 'command.issued';

DROP VIEW IF EXISTS queue;
CREATE VIEW queue AS
SELECT command_id AS queue_id, execution_id, node_name AS node_id, node_name, status, attempt AS attempts, created_at
FROM command;

DROP VIEW IF EXISTS transition;
CREATE VIEW transition AS
SELECT
    exited.execution_id,
    exited.node_name AS from_step,
    route.value ->> '$.to' AS to_step,
    route.value -> '$.inputs' AS with_params,
    strftime('%Y-%m-%dT%H:%M:%fZ', exited.at_ms / 1000.0, 'unixepoch') AS created_at
FROM event_row AS exited, json_each(exited.data, '$.data.routes') AS route
WHERE exited.event_type = 'step.exit';

-- The newest value of each variable.
DROP VIEW IF EXISTS transient;
CREATE VIEW transient AS
SELECT execution_id, var_name, 'user_defined' AS var_type, var_value, source_step, created_at
FROM (
    SELECT
        written.execution_id,
        variable.key AS var_name,
        CASE WHEN variable.type IN ('object', 'array') THEN variable.value
            WHEN variable.type IN ('true', 'false', 'null') THEN variable.type
            ELSE json_quote(variable.value) END AS var_value,
        coalesce(written.node_name, written.data ->> '$.data.source') AS source_step,
        strftime('%Y-%m-%dT%H:%M:%fZ', written.at_ms / 1000.0, 'unixepoch') AS created_at,
        row_number() OVER (PARTITION BY written.execution_id, variable.key ORDER BY written.seq DESC) AS age
    FROM event_row AS written, json_each(written.data, '$.data.ctx') AS variable
    WHERE written.event_type IN ('step.exit', 'ctx.updated')
)
WHERE age = 1;

DROP VIEW IF EXISTS log;
CREATE VIEW log AS
SELECT id, execution_id, step AS node_name, run, item AS current_index,
    strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS created_at, stream, level, text, fields
FROM log_row;

DROP VIEW IF EXISTS catalog;
CREATE VIEW catalog AS
SELECT catalog_id, path, version, kind, name, description, content, payload, meta,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', archived_ms / 1000.0, 'unixepoch') AS archived_at
FROM catalog_row;

DROP VIEW IF EXISTS credential;
CREATE VIEW credential AS
SELECT id, name, type, meta, tags, description, schema,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_ms / 1000.0, 'unixepoch') AS updated_at
FROM credential_row;

DROP VIEW IF EXISTS schedule;
CREATE VIEW schedule AS
SELECT schedule_id, path AS playbook_path, version AS playbook_version, cron, interval_ms / 1000.0 AS interval_seconds,
    timezone, payload, catch_up, enabled, source,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_due_ms / 1000.0, 'unixepoch') AS last_run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', next_due_ms / 1000.0, 'unixepoch') AS next_run_at,
    last_execution_id
FROM schedule_row;

DROP VIEW IF EXISTS runtime;
CREATE VIEW runtime AS
SELECT runtime_id, name, kind, uri, status, labels, capabilities, capacity, runtime,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_ms / 1000.0, 'unixepoch') AS heartbeat
FROM runtime_row;
