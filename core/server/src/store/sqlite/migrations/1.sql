-- The log. `position` is the order of commits; AUTOINCREMENT, so that clean-up never frees one for reuse.
CREATE TABLE event_row (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    node_name TEXT,
    data TEXT NOT NULL
);
CREATE UNIQUE INDEX event_row_log ON event_row (execution_id, seq);
CREATE INDEX event_row_id ON event_row (event_id);

CREATE TABLE execution_row (
    execution_id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    version INTEGER NOT NULL,
    catalog_id TEXT NOT NULL,
    status TEXT NOT NULL,
    parent_execution_id INTEGER,
    root_execution_id INTEGER,
    trigger TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    current_step TEXT,
    total_steps INTEGER NOT NULL,
    completed_steps INTEGER NOT NULL,
    running_steps INTEGER NOT NULL,
    failed_steps INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    result TEXT,
    error TEXT,
    dedup_key TEXT,
    dedup_window_ms INTEGER
);
CREATE INDEX execution_row_running ON execution_row (execution_id) WHERE status = 'RUNNING';
CREATE INDEX execution_row_finished ON execution_row (finished_ms) WHERE finished_ms IS NOT NULL;
CREATE INDEX execution_row_path ON execution_row (path, execution_id);
CREATE INDEX execution_row_parent ON execution_row (parent_execution_id) WHERE parent_execution_id IS NOT NULL;
CREATE INDEX execution_row_root ON execution_row (root_execution_id) WHERE root_execution_id IS NOT NULL;
CREATE INDEX execution_row_dedup ON execution_row (dedup_key, started_ms) WHERE dedup_key IS NOT NULL;

-- Commands that were issued and not answered. `command` is `execution:step:run:batch`: one column, so that many rows
-- are found by it at once, and those of one Execution lie together.
CREATE TABLE outbox_row (
    command TEXT PRIMARY KEY,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    attempt INTEGER NOT NULL
) WITHOUT ROWID;

-- `timer` is `execution:key`, with the key as JSON.
CREATE TABLE timer_row (
    timer TEXT PRIMARY KEY,
    due_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- What tools printed.
CREATE TABLE log_row (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id INTEGER NOT NULL,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    item INTEGER,
    at_ms INTEGER NOT NULL,
    stream TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    fields TEXT
);
CREATE INDEX log_row_execution ON log_row (execution_id, id);

-- Executions whose rows are being deleted, a piece at a time.
CREATE TABLE purge_row (execution_id INTEGER PRIMARY KEY);

CREATE TABLE catalog_row (
    catalog_id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    content TEXT NOT NULL,
    payload TEXT,
    meta TEXT,
    created_ms INTEGER NOT NULL,
    archived_ms INTEGER,
    UNIQUE (path, version)
);

-- `data` is a nonce and the ciphertext; only the vault can read it.
CREATE TABLE credential_row (
    name TEXT PRIMARY KEY,
    id INTEGER NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    meta TEXT,
    tags TEXT NOT NULL,
    description TEXT,
    schema TEXT,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- `source` is `playbook` for those that a playbook declares, `user` for those added by hand.
CREATE TABLE schedule_row (
    schedule_id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    version INTEGER,
    cron TEXT,
    interval_ms INTEGER,
    timezone TEXT,
    payload TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    source TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    last_due_ms INTEGER,
    next_due_ms INTEGER,
    last_execution_id INTEGER
);
CREATE INDEX schedule_row_due ON schedule_row (next_due_ms) WHERE enabled = 1 AND next_due_ms IS NOT NULL;

CREATE TABLE runtime_row (
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    runtime_id INTEGER NOT NULL,
    uri TEXT,
    status TEXT NOT NULL,
    labels TEXT,
    capabilities TEXT,
    capacity INTEGER,
    runtime TEXT,
    created_ms INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
