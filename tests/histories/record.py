#!/usr/bin/env python3
"""Writes the log of an execution in a data directory as a history: record.py DATA_DIR EXECUTION_ID NAME [ABOUT]."""

import collections
import json
import pathlib
import sqlite3
import sys

data, execution, name, *about = sys.argv[1:]
store = next(path for path in pathlib.Path(data).glob("*.db"))
rows = sqlite3.connect(store).execute(
    "SELECT seq, event_id, at_ms, data FROM event_row WHERE execution_id = ? ORDER BY seq", [execution]
)
events = [
    {"execution": execution, "seq": seq, "event_id": event_id, "at_ms": at_ms, "event": json.loads(text)}
    for seq, event_id, at_ms, text in rows
]
finished = events[-1]["event"]["data"]
entered = collections.Counter(e["event"]["data"]["step"] for e in events if e["event"]["type"] == "step.enter")
head = {
    "about": " ".join(about) or name,
    "status": finished["status"],
    "failed": finished.get("failed_steps", []),
    "handled": finished.get("handled_failures", []),
    "result_step": finished.get("result_step"),
    "runs": dict(entered),
}
target = pathlib.Path(__file__).parent / f"{name}.jsonl"
target.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in [head, *events]))
print(target, len(events), "events")
