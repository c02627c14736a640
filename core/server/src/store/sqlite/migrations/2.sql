-- The Rollout that chose the version of an Execution.
ALTER TABLE execution_row ADD COLUMN rollout_id INTEGER;
CREATE INDEX execution_row_rollout ON execution_row (rollout_id, version) WHERE rollout_id IS NOT NULL;

-- `proposed` is the Proposal as it was made; `delivered` what was measured after its promotion.
CREATE TABLE proposal_row (
    proposal_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    playbook TEXT NOT NULL,
    base_version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    evidence_hash TEXT NOT NULL,
    proposed TEXT NOT NULL,
    state TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    decided_by TEXT,
    decided_ms INTEGER,
    note TEXT,
    rollout_id INTEGER,
    version INTEGER,
    promoted_ms INTEGER,
    delivered TEXT
);
CREATE INDEX proposal_row_key ON proposal_row (key, state);
CREATE INDEX proposal_row_open ON proposal_row (state, expires_ms) WHERE state IN ('proposed', 'canary', 'promoted');
CREATE INDEX proposal_row_playbook ON proposal_row (playbook, proposal_id);

-- `arms` is what was counted when it ended, because executions may be deleted later.
CREATE TABLE rollout_row (
    rollout_id INTEGER PRIMARY KEY,
    playbook TEXT NOT NULL,
    proposal_id INTEGER,
    stable_version INTEGER NOT NULL,
    canary_version INTEGER NOT NULL,
    share_percent INTEGER NOT NULL,
    goal TEXT NOT NULL,
    rules TEXT NOT NULL,
    state TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    arms TEXT
);
CREATE UNIQUE INDEX rollout_row_open ON rollout_row (playbook) WHERE state IN ('running', 'paused');
CREATE INDEX rollout_row_playbook ON rollout_row (playbook, rollout_id);

-- The log of the control plane: every transition of a Proposal or a Rollout.
CREATE TABLE control_event_row (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    name TEXT NOT NULL,
    playbook TEXT NOT NULL,
    proposal_id INTEGER,
    rollout_id INTEGER,
    actor TEXT NOT NULL,
    evidence_hash TEXT,
    data TEXT NOT NULL
);
CREATE INDEX control_event_row_proposal ON control_event_row (proposal_id, seq) WHERE proposal_id IS NOT NULL;
CREATE INDEX control_event_row_rollout ON control_event_row (rollout_id, seq) WHERE rollout_id IS NOT NULL;
CREATE TRIGGER control_event_row_is_never_edited BEFORE UPDATE ON control_event_row
BEGIN SELECT raise(ABORT, 'events are never edited'); END;
CREATE TRIGGER control_event_row_is_never_deleted BEFORE DELETE ON control_event_row
BEGIN SELECT raise(ABORT, 'events are never deleted'); END;
