"""Takes evidence out of a store: remove.py DATABASE EXECUTION WHAT..."""
import json
import sqlite3
import sys

database, execution, what = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
store = sqlite3.connect(database, timeout=30)
children = [row[0] for row in store.execute(
    "SELECT execution_id FROM execution_row WHERE root_execution_id = ?1 AND execution_id <> ?1", (execution,))]


def masked(value):
    if isinstance(value, list):
        return [masked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("message"), str) and "kind" in value:
        return {"kind": "tool_error", "message": "***"}
    return {key: masked(one) for key, one in value.items()}


def mask(of):
    for position, data in store.execute(
            "SELECT position, data FROM event_row WHERE execution_id = ?", (of,)).fetchall():
        store.execute("UPDATE event_row SET data = ? WHERE position = ?", (json.dumps(masked(json.loads(data))), position))


if "errors" in what:
    for of in [execution, *children]:
        mask(of)
if "children" in what:
    for child in children:
        store.execute("DELETE FROM event_row WHERE execution_id = ?", (child,))
        store.execute("DELETE FROM execution_row WHERE execution_id = ?", (child,))
if "log" in what:
    store.execute("DELETE FROM event_row WHERE execution_id = ?", (execution,))
if "middle" in what:
    # What the server itself said of the failure may stand behind the end, or come a moment later.
    rows = store.execute("SELECT seq, data FROM event_row WHERE execution_id = ? ORDER BY seq", (execution,)).fetchall()
    end = max(seq for seq, data in rows if "diagnosis.made" not in str(data))
    store.execute("DELETE FROM event_row WHERE execution_id = ? AND seq > 1 AND seq < ?", (execution, end))
if "lines" in what:
    store.execute("DELETE FROM log_row WHERE execution_id = ?", (execution,))
if "definition" in what:
    store.execute("DELETE FROM catalog_row WHERE path = (SELECT path FROM execution_row WHERE execution_id = ?)", (execution,))
store.commit()
