-- A database as the first version of the schema wrote it: five examples were run. Never edited.
BEGIN TRANSACTION;
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
INSERT INTO "catalog_row" VALUES(384513211505836032,'examples/hello',1,'Playbook','hello',NULL,'# One step, one value from the workload.
# Try: noetl run examples/hello.yaml --set name=Ada
# expect: COMPLETED {"message": "Hello, World!"}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: hello
  path: examples/hello
workload:
  name: World
workflow:
  - step: start
    tool:
      kind: python
      input: { name: "{{ workload.name }}" }
      code: |
        print(f"about to greet {name}")
        result = {"message": f"Hello, {name}!"}
','{"dialect":"C","name":"hello","path":"examples/hello","description":null,"labels":{},"workload":{"name":"World"},"keychain":[],"steps":[{"name":"start","inputs":{"name":"{{ workload.name }}"},"body":[{"name":"start","kind":"python","config":{"code":"print(f\"about to greet {name}\")\nresult = {\"message\": f\"Hello, {name}!\"}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795742293529,NULL);
INSERT INTO "catalog_row" VALUES(384513212210479104,'examples/parallel_loop',1,'Playbook','parallel_loop',NULL,'# A loop that runs up to four items at a time; results come back in the order of the items.
# expect: COMPLETED {"squares": [1, 4, 9, 16, 25, 36], "count": 6}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: parallel_loop
  path: examples/parallel_loop
workload:
  numbers: [1, 2, 3, 4, 5, 6]
workflow:
  - step: start
    loop:
      in: "{{ workload.numbers }}"
      iterator: number
      spec:
        mode: parallel
        max_in_flight: 4
    tool:
      kind: python
      input: { n: "{{ iter.number }}" }
      code: |
        result = n * n
    next:
      arcs:
        - step: end
  - step: end
    tool:
      kind: noop
      result: { squares: "{{ start.results }}", count: "{{ start.stats.success }}" }
','{"dialect":"E","name":"parallel_loop","path":"examples/parallel_loop","description":null,"labels":{},"workload":{"numbers":[1,2,3,4,5,6]},"keychain":[],"steps":[{"name":"start","inputs":{"n":"{{ iter.number }}"},"loop":{"source":{"in":"{{ workload.numbers }}"},"iterator":"number","mode":"parallel","max_in_flight":4,"filter":null,"order_by":null,"limit":null,"chunk":null,"enumerate":false,"until":null,"on_item_failure":"fail_fast"},"body":[{"name":"start","kind":"python","config":{"code":"result = n * n\n"}}],"routes":{"mode":"first","arcs":[{"to":"end"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"end","body":[{"name":"end","kind":"noop","config":{"result":{"squares":"{{ start.results }}","count":"{{ start.stats.success }}"}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795742293701,NULL);
INSERT INTO "catalog_row" VALUES(384513242250084352,'examples/parts/price',1,'Playbook','price',NULL,'# The playbook that sub_playbook.yaml calls.
# expect: COMPLETED {"price": 1}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: price
  path: examples/parts/price
workload:
  unit: 1
  count: 1
workflow:
  - step: priced
    tool:
      kind: python
      input: { unit: "{{ unit }}", count: "{{ count }}" }
      code: |
        result = {"price": unit * count}
','{"dialect":"C","name":"price","path":"examples/parts/price","description":null,"labels":{},"workload":{"unit":1,"count":1},"keychain":[],"steps":[{"name":"priced","inputs":{"unit":"{{ unit }}","count":"{{ count }}"},"body":[{"name":"priced","kind":"python","config":{"code":"result = {\"price\": unit * count}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"priced"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795742300863,NULL);
INSERT INTO "catalog_row" VALUES(384513242526908416,'examples/sub_playbook',1,'Playbook','sub_playbook',NULL,'# A playbook that runs another one for each item and reads what it returned. The parent holds no worker while it waits.
# needs: parts/price.yaml
# expect: COMPLETED {"total": 45}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: sub_playbook
  path: examples/sub_playbook
workload:
  order: [ { unit: 5, count: 3 }, { unit: 10, count: 3 } ]
workflow:
  - step: start
    loop:
      in: "{{ workload.order }}"
      iterator: line
      spec: { mode: parallel, max_in_flight: 2 }
    tool:
      kind: playbook
      path: examples/parts/price
      input: { unit: "{{ iter.line.unit }}", count: "{{ iter.line.count }}" }
      return_step: priced
    next: { arcs: [ { step: end } ] }
  - step: end
    tool:
      kind: python
      input: { prices: "{{ start.results }}" }
      code: |
        result = {"total": sum(price["price"] for price in prices)}
','{"dialect":"E","name":"sub_playbook","path":"examples/sub_playbook","description":null,"labels":{},"workload":{"order":[{"unit":5,"count":3},{"unit":10,"count":3}]},"keychain":[],"steps":[{"name":"start","inputs":{"unit":"{{ iter.line.unit }}","count":"{{ iter.line.count }}"},"loop":{"source":{"in":"{{ workload.order }}"},"iterator":"line","mode":"parallel","max_in_flight":2,"filter":null,"order_by":null,"limit":null,"chunk":null,"enumerate":false,"until":null,"on_item_failure":"fail_fast"},"body":[{"name":"start","kind":"playbook","config":{"path":"examples/parts/price","return_step":"priced"}}],"routes":{"mode":"first","arcs":[{"to":"end"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"end","inputs":{"prices":"{{ start.results }}"},"body":[{"name":"end","kind":"python","config":{"code":"result = {\"total\": sum(price[\"price\"] for price in prices)}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795742300925,NULL);
INSERT INTO "catalog_row" VALUES(384513244724723712,'examples/shell',1,'Playbook','shell',NULL,'# Commands of the shell: run in order, stopped at the first that fails; output and exit code are the result.
# expect: COMPLETED {"lines": 3, "first": "one"}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: shell
  path: examples/shell
workflow:
  - step: start
    tool:
      kind: shell
      env: { FIRST: one }
      cmds:
        - echo "$FIRST"
        - printf ''two\nthree\n''
    next: { arcs: [ { step: end } ] }
  - step: end
    tool:
      kind: python
      input: { text: "{{ start.stdout }}" }
      code: |
        lines = text.split()
        result = {"lines": len(lines), "first": lines[0]}
','{"dialect":"E","name":"shell","path":"examples/shell","description":null,"labels":{},"workload":{},"keychain":[],"steps":[{"name":"start","body":[{"name":"start","kind":"shell","config":{"env":{"FIRST":"one"},"cmds":["echo \"$FIRST\"","printf ''two\\nthree\\n''"]}}],"routes":{"mode":"first","arcs":[{"to":"end"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"end","inputs":{"text":"{{ start.stdout }}"},"body":[{"name":"end","kind":"python","config":{"code":"lines = text.split()\nresult = {\"lines\": len(lines), \"first\": lines[0]}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795742301451,NULL);
INSERT INTO "catalog_row" VALUES(384513246406639617,'examples/schedule',1,'Playbook','schedule',NULL,'# A playbook with a schedule: registering it on a server (`noetl register`) makes it run every minute.
# Run by hand it is a playbook like any other.
# expect: COMPLETED {"tick": true}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: schedule
  path: examples/schedule
  schedule:
    cron: "* * * * *"
    timezone: UTC
    # After a pause: run once for what was missed, not once for every minute of it.
    catch_up: latest
    # Set to true to let it tick.
    enabled: false
workflow:
  - step: start
    tool: { kind: noop, result: { tick: true } }
','{"dialect":"C","name":"schedule","path":"examples/schedule","description":null,"labels":{},"workload":{},"keychain":[],"steps":[{"name":"start","body":[{"name":"start","kind":"noop","config":{"result":{"tick":true}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[{"when":{"cron":"* * * * *"},"payload":{},"timezone":"UTC","catch_up":"latest","enabled":false}],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795742301853,NULL);
INSERT INTO "catalog_row" VALUES(384513247505547264,'examples/hello',2,'Playbook','hello',NULL,'# One step, one value from the workload.
# Try: noetl run examples/hello.yaml --set name=Ada
# expect: COMPLETED {"message": "Hello, World!"}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: hello
  path: examples/hello
workload:
  name: World
workflow:
  - step: start
    tool:
      kind: python
      input: { name: "{{ workload.name }}" }
      code: |
        print(f"about to greet {name}")
        result = {"message": f"Hello, {name}!"}
','{"dialect":"C","name":"hello","path":"examples/hello","description":null,"labels":{},"workload":{"name":"World"},"keychain":[],"steps":[{"name":"start","inputs":{"name":"{{ workload.name }}"},"body":[{"name":"start","kind":"python","config":{"code":"print(f\"about to greet {name}\")\nresult = {\"message\": f\"Hello, {name}!\"}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795742302110,NULL);
INSERT INTO "catalog_row" VALUES(384513248021446657,'examples/schedule',2,'Playbook','schedule',NULL,'# A playbook with a schedule: registering it on a server (`noetl register`) makes it run every minute.
# Run by hand it is a playbook like any other.
# expect: COMPLETED {"tick": true}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: schedule
  path: examples/schedule
  schedule:
    cron: "* * * * *"
    timezone: UTC
    # After a pause: run once for what was missed, not once for every minute of it.
    catch_up: latest
    # Set to true to let it tick.
    enabled: false
workflow:
  - step: start
    tool: { kind: noop, result: { tick: true } }
','{"dialect":"C","name":"schedule","path":"examples/schedule","description":null,"labels":{},"workload":{},"keychain":[],"steps":[{"name":"start","body":[{"name":"start","kind":"noop","config":{"result":{"tick":true}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[{"when":{"cron":"* * * * *"},"payload":{},"timezone":"UTC","catch_up":"latest","enabled":false}],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795742302239,NULL);
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
INSERT INTO "event_row" VALUES(1,384513211539390464,1,384513211543584768,1795742293542,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/hello","version":1,"catalog_id":"384513211505836032","workload":{"name":"World"},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(2,384513211539390464,2,384513211543584769,1795742293542,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(3,384513211539390464,3,384513211543584770,1795742293542,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(4,384513211539390464,4,384513211702968320,1795742293579,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513211539390464","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-21503","started_ms":1795742293550,"finished_ms":1795742293579,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"message":"Hello, World!"}}}}]}}');
INSERT INTO "event_row" VALUES(5,384513211539390464,5,384513211702968321,1795742293579,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(6,384513211539390464,6,384513211702968322,1795742293579,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"start"}}');
INSERT INTO "event_row" VALUES(7,384513212265005056,1,384513212265005057,1795742293714,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/parallel_loop","version":1,"catalog_id":"384513212210479104","workload":{"numbers":[1,2,3,4,5,6]},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(8,384513212265005056,2,384513212265005058,1795742293714,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(9,384513212265005056,3,384513212265005059,1795742293714,'loop.started','start','{"type":"loop.started","data":{"step":"start","run":1,"items":{"list":[1,2,3,4,5,6]},"concurrency":4}}');
INSERT INTO "event_row" VALUES(10,384513212265005056,4,384513212265005060,1795742293714,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":{"items":{"first":0,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(11,384513212265005056,5,384513212265005061,1795742293714,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":1,"attempt":1,"work":{"items":{"first":1,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(12,384513212265005056,6,384513212265005062,1795742293714,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":2,"attempt":1,"work":{"items":{"first":2,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(13,384513212265005056,7,384513212265005063,1795742293714,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":3,"attempt":1,"work":{"items":{"first":3,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(14,384513212265005056,8,384513213502324736,1795742294009,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513212265005056","step":"start","run":1,"batch":3},"attempt":1,"worker":"worker-21531","started_ms":1795742293737,"finished_ms":1795742294009,"runs":[{"first":3,"count":1,"kind":"plain","results":[16]}]}}');
INSERT INTO "event_row" VALUES(15,384513212265005056,9,384513213502324737,1795742294009,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":4,"attempt":1,"work":{"items":{"first":4,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(16,384513212265005056,10,384513213653319680,1795742294045,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513212265005056","step":"start","run":1,"batch":4},"attempt":1,"worker":"worker-21531","started_ms":1795742294041,"finished_ms":1795742294045,"runs":[{"first":4,"count":1,"kind":"plain","results":[25]}]}}');
INSERT INTO "event_row" VALUES(17,384513212265005056,11,384513213653319681,1795742294045,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":5,"attempt":1,"work":{"items":{"first":5,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(18,384513212265005056,12,384513213837869056,1795742294089,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513212265005056","step":"start","run":1,"batch":5},"attempt":1,"worker":"worker-21531","started_ms":1795742294049,"finished_ms":1795742294089,"runs":[{"first":5,"count":1,"kind":"plain","results":[36]}]}}');
INSERT INTO "event_row" VALUES(19,384513212265005056,13,384513213955309568,1795742294117,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513212265005056","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-21531","started_ms":1795742293738,"finished_ms":1795742294117,"runs":[{"first":0,"count":1,"kind":"plain","results":[1]}]}}');
INSERT INTO "event_row" VALUES(20,384513212265005056,14,384513213972086784,1795742294121,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513212265005056","step":"start","run":1,"batch":1},"attempt":1,"worker":"worker-21531","started_ms":1795742293741,"finished_ms":1795742294120,"runs":[{"first":1,"count":1,"kind":"plain","results":[4]}]}}');
INSERT INTO "event_row" VALUES(21,384513212265005056,15,384513214269882368,1795742294191,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513212265005056","step":"start","run":1,"batch":2},"attempt":1,"worker":"worker-21531","started_ms":1795742293745,"finished_ms":1795742294191,"runs":[{"first":2,"count":1,"kind":"plain","results":[9]}]}}');
INSERT INTO "event_row" VALUES(22,384513212265005056,16,384513214269882369,1795742294191,'loop.done','start','{"type":"loop.done","data":{"step":"start","run":1,"stats":{"total":6,"success":6,"failed":0}}}');
INSERT INTO "event_row" VALUES(23,384513212265005056,17,384513214269882370,1795742294191,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"end"}]}}');
INSERT INTO "event_row" VALUES(24,384513212265005056,18,384513214269882371,1795742294191,'step.enter','end','{"type":"step.enter","data":{"step":"end","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(25,384513212265005056,19,384513214269882372,1795742294191,'step.exit','end','{"type":"step.exit","data":{"step":"end","run":1,"status":"COMPLETED","result":{"squares":[1,4,9,16,25,36],"count":6},"routes":[]}}');
INSERT INTO "event_row" VALUES(26,384513212265005056,20,384513214269882373,1795742294191,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"end"}}');
INSERT INTO "event_row" VALUES(27,384513242560462848,1,384513242564657152,1795742300938,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/sub_playbook","version":1,"catalog_id":"384513242526908416","workload":{"order":[{"unit":5,"count":3},{"unit":10,"count":3}]},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(28,384513242560462848,2,384513242564657153,1795742300938,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(29,384513242560462848,3,384513242564657154,1795742300938,'loop.started','start','{"type":"loop.started","data":{"step":"start","run":1,"items":{"list":[{"unit":5,"count":3},{"unit":10,"count":3}]},"concurrency":2}}');
INSERT INTO "event_row" VALUES(30,384513242560462848,4,384513242564657155,1795742300938,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":{"items":{"first":0,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(31,384513242560462848,5,384513242564657156,1795742300938,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":1,"attempt":1,"work":{"items":{"first":1,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(32,384513242560462848,6,384513242577240064,1795742300941,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":1},"attempt":1,"worker":"worker-22197","started_ms":1795742300940,"finished_ms":1795742300941,"items":[{"index":1,"outcome":{"parked":{"on":{"child":{"path":"examples/parts/price","version":null,"payload":{"unit":10,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}},"state":{"task":0,"attempt":1,"results":{},"iter":{},"step":{},"ctx":{},"ran":1,"extra":{"awaiting":{"child":"examples/parts/price"}}}}}}]}}');
INSERT INTO "event_row" VALUES(33,384513242577240065,1,384513242581434368,1795742300942,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/parts/price","version":1,"catalog_id":"384513242250084352","workload":{"unit":10,"count":3},"payload":{"unit":10,"count":3},"parent":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":1},"index":1,"return_step":"priced"},"root":"384513242560462848","entry":[{"to":"priced"}],"trigger":"playbook","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(34,384513242577240065,2,384513242581434369,1795742300942,'step.enter','priced','{"type":"step.enter","data":{"step":"priced","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(35,384513242577240065,3,384513242581434370,1795742300942,'command.issued','priced','{"type":"command.issued","data":{"step":"priced","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(36,384513242560462848,7,384513242581434371,1795742300942,'child.started','start','{"type":"child.started","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":1},"index":1,"child":"384513242577240065","request":{"path":"examples/parts/price","version":null,"payload":{"unit":10,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}}}');
INSERT INTO "event_row" VALUES(37,384513242560462848,8,384513242581434372,1795742300942,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-22197","started_ms":1795742300941,"finished_ms":1795742300941,"items":[{"index":0,"outcome":{"parked":{"on":{"child":{"path":"examples/parts/price","version":null,"payload":{"unit":5,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}},"state":{"task":0,"attempt":1,"results":{},"iter":{},"step":{},"ctx":{},"ran":1,"extra":{"awaiting":{"child":"examples/parts/price"}}}}}}]}}');
INSERT INTO "event_row" VALUES(38,384513242581434373,1,384513242581434374,1795742300942,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/parts/price","version":1,"catalog_id":"384513242250084352","workload":{"unit":5,"count":3},"payload":{"unit":5,"count":3},"parent":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":0},"index":0,"return_step":"priced"},"root":"384513242560462848","entry":[{"to":"priced"}],"trigger":"playbook","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(39,384513242581434373,2,384513242581434375,1795742300942,'step.enter','priced','{"type":"step.enter","data":{"step":"priced","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(40,384513242581434373,3,384513242581434376,1795742300942,'command.issued','priced','{"type":"command.issued","data":{"step":"priced","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(41,384513242560462848,9,384513242581434377,1795742300942,'child.started','start','{"type":"child.started","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":0},"index":0,"child":"384513242581434373","request":{"path":"examples/parts/price","version":null,"payload":{"unit":5,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}}}');
INSERT INTO "event_row" VALUES(42,384513242581434373,4,384513242627571712,1795742300953,'call.done','priced','{"type":"call.done","data":{"id":{"execution":"384513242581434373","step":"priced","run":1,"batch":0},"attempt":1,"worker":"worker-22197","started_ms":1795742300944,"finished_ms":1795742300953,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"price":15}}}}]}}');
INSERT INTO "event_row" VALUES(43,384513242581434373,5,384513242627571713,1795742300953,'step.exit','priced','{"type":"step.exit","data":{"step":"priced","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(44,384513242581434373,6,384513242627571714,1795742300953,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"priced"}}');
INSERT INTO "event_row" VALUES(45,384513242560462848,10,384513242627571715,1795742300953,'child.finished','start','{"type":"child.finished","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":0},"index":0,"child":"384513242581434373","status":"COMPLETED","result":{"kind":"plain","status":"COMPLETED","value":{"price":15}}}}');
INSERT INTO "event_row" VALUES(46,384513242560462848,11,384513242627571716,1795742300953,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":2,"attempt":1,"work":{"items":{"first":0,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(47,384513242560462848,12,384513242635960320,1795742300955,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":2},"attempt":1,"worker":"worker-22197","started_ms":1795742300955,"finished_ms":1795742300955,"runs":[{"first":0,"count":1,"kind":"plain","results":[{"price":15,"_execution":{"execution_id":"384513242581434373","status":"COMPLETED"}}]}]}}');
INSERT INTO "event_row" VALUES(48,384513242577240065,4,384513243801976832,1795742301233,'call.done','priced','{"type":"call.done","data":{"id":{"execution":"384513242577240065","step":"priced","run":1,"batch":0},"attempt":1,"worker":"worker-22197","started_ms":1795742300944,"finished_ms":1795742301233,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"price":30}}}}]}}');
INSERT INTO "event_row" VALUES(49,384513242577240065,5,384513243801976833,1795742301233,'step.exit','priced','{"type":"step.exit","data":{"step":"priced","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(50,384513242577240065,6,384513243801976834,1795742301233,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"priced"}}');
INSERT INTO "event_row" VALUES(51,384513242560462848,13,384513243801976835,1795742301233,'child.finished','start','{"type":"child.finished","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":1},"index":1,"child":"384513242577240065","status":"COMPLETED","result":{"kind":"plain","status":"COMPLETED","value":{"price":30}}}}');
INSERT INTO "event_row" VALUES(52,384513242560462848,14,384513243801976836,1795742301233,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":3,"attempt":1,"work":{"items":{"first":1,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(53,384513242560462848,15,384513243869085696,1795742301249,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513242560462848","step":"start","run":1,"batch":3},"attempt":1,"worker":"worker-22197","started_ms":1795742301248,"finished_ms":1795742301249,"runs":[{"first":1,"count":1,"kind":"plain","results":[{"price":30,"_execution":{"execution_id":"384513242577240065","status":"COMPLETED"}}]}]}}');
INSERT INTO "event_row" VALUES(54,384513242560462848,16,384513243869085697,1795742301249,'loop.done','start','{"type":"loop.done","data":{"step":"start","run":1,"stats":{"total":2,"success":2,"failed":0}}}');
INSERT INTO "event_row" VALUES(55,384513242560462848,17,384513243869085698,1795742301249,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"end"}]}}');
INSERT INTO "event_row" VALUES(56,384513242560462848,18,384513243869085699,1795742301249,'step.enter','end','{"type":"step.enter","data":{"step":"end","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(57,384513242560462848,19,384513243869085700,1795742301249,'command.issued','end','{"type":"command.issued","data":{"step":"end","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(58,384513242560462848,20,384513243890057216,1795742301254,'call.done','end','{"type":"call.done","data":{"id":{"execution":"384513242560462848","step":"end","run":1,"batch":0},"attempt":1,"worker":"worker-22197","started_ms":1795742301253,"finished_ms":1795742301254,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"total":45}}}}]}}');
INSERT INTO "event_row" VALUES(59,384513242560462848,21,384513243890057217,1795742301254,'step.exit','end','{"type":"step.exit","data":{"step":"end","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(60,384513242560462848,22,384513243890057218,1795742301254,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"end"}}');
INSERT INTO "event_row" VALUES(61,384513244896690176,1,384513244896690177,1795742301494,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/shell","version":1,"catalog_id":"384513244724723712","workload":{},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(62,384513244896690176,2,384513244896690178,1795742301494,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(63,384513244896690176,3,384513244896690179,1795742301494,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(64,384513244896690176,4,384513245060268032,1795742301533,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384513244896690176","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-22267","started_ms":1795742301505,"finished_ms":1795742301529,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"status":"success","exit_code":0,"stdout":"one\ntwo\nthree\n","stderr":""}}}}]}}');
INSERT INTO "event_row" VALUES(65,384513244896690176,5,384513245060268033,1795742301533,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"end"}]}}');
INSERT INTO "event_row" VALUES(66,384513244896690176,6,384513245060268034,1795742301533,'step.enter','end','{"type":"step.enter","data":{"step":"end","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(67,384513244896690176,7,384513245060268035,1795742301533,'command.issued','end','{"type":"command.issued","data":{"step":"end","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(68,384513244896690176,8,384513245332897792,1795742301598,'call.done','end','{"type":"call.done","data":{"id":{"execution":"384513244896690176","step":"end","run":1,"batch":0},"attempt":1,"worker":"worker-22267","started_ms":1795742301535,"finished_ms":1795742301598,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"lines":3,"first":"one"}}}}]}}');
INSERT INTO "event_row" VALUES(69,384513244896690176,9,384513245332897793,1795742301598,'step.exit','end','{"type":"step.exit","data":{"step":"end","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(70,384513244896690176,10,384513245332897794,1795742301598,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"end"}}');
INSERT INTO "event_row" VALUES(71,384513246675075072,1,384513246679269376,1795742301918,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/schedule","version":1,"catalog_id":"384513246406639617","workload":{},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(72,384513246675075072,2,384513246679269377,1795742301918,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(73,384513246675075072,3,384513246679269378,1795742301918,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","result":{"tick":true},"routes":[]}}');
INSERT INTO "event_row" VALUES(74,384513246675075072,4,384513246679269379,1795742301918,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"start"}}');
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
INSERT INTO "execution_row" VALUES(384513211539390464,'examples/hello',1,'384513211505836032','COMPLETED',NULL,NULL,'cli',1795742293542,1795742293579,'start',1,1,0,0,6,'{"message":"Hello, World!"}',NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384513212265005056,'examples/parallel_loop',1,'384513212210479104','COMPLETED',NULL,NULL,'cli',1795742293714,1795742294191,'end',2,2,0,0,20,'{"squares":[1,4,9,16,25,36],"count":6}',NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384513242560462848,'examples/sub_playbook',1,'384513242526908416','COMPLETED',NULL,NULL,'cli',1795742300938,1795742301254,'end',2,2,0,0,22,'{"total":45}',NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384513242577240065,'examples/parts/price',1,'384513242250084352','COMPLETED',384513242560462848,384513242560462848,'playbook',1795742300942,1795742301233,'priced',1,1,0,0,6,'{"price":30}',NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384513242581434373,'examples/parts/price',1,'384513242250084352','COMPLETED',384513242560462848,384513242560462848,'playbook',1795742300942,1795742300953,'priced',1,1,0,0,6,'{"price":15}',NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384513244896690176,'examples/shell',1,'384513244724723712','COMPLETED',NULL,NULL,'cli',1795742301494,1795742301598,'end',2,2,0,0,10,'{"lines":3,"first":"one"}',NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384513246675075072,'examples/schedule',1,'384513246406639617','COMPLETED',NULL,NULL,'cli',1795742301918,1795742301918,'start',1,1,0,0,4,'{"tick":true}',NULL,NULL,NULL);
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
INSERT INTO "log_row" VALUES(1,384513211539390464,'start',1,NULL,1795742293577,'stdout','info','about to greet World',NULL);
INSERT INTO "log_row" VALUES(2,384513244896690176,'start',1,NULL,1795742301513,'stdout','info','one',NULL);
INSERT INTO "log_row" VALUES(3,384513244896690176,'start',1,NULL,1795742301528,'stdout','info','two',NULL);
INSERT INTO "log_row" VALUES(4,384513244896690176,'start',1,NULL,1795742301529,'stdout','info','three',NULL);
CREATE TABLE outbox_row (
    command TEXT PRIMARY KEY,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    attempt INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE purge_row (execution_id INTEGER PRIMARY KEY);
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
INSERT INTO "schedule_row" VALUES(384513246406639616,'examples/schedule',NULL,'* * * * *',NULL,'UTC','{}','latest',0,'playbook',1795742301853,NULL,1795742340000,NULL);
CREATE TABLE timer_row (
    timer TEXT PRIMARY KEY,
    due_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX event_row_log ON event_row (execution_id, seq);
CREATE INDEX event_row_id ON event_row (event_id);
CREATE INDEX execution_row_running ON execution_row (execution_id) WHERE status = 'RUNNING';
CREATE INDEX execution_row_finished ON execution_row (finished_ms) WHERE finished_ms IS NOT NULL;
CREATE INDEX execution_row_path ON execution_row (path, execution_id);
CREATE INDEX execution_row_parent ON execution_row (parent_execution_id) WHERE parent_execution_id IS NOT NULL;
CREATE INDEX execution_row_root ON execution_row (root_execution_id) WHERE root_execution_id IS NOT NULL;
CREATE INDEX execution_row_dedup ON execution_row (dedup_key, started_ms) WHERE dedup_key IS NOT NULL;
CREATE INDEX log_row_execution ON log_row (execution_id, id);
CREATE INDEX schedule_row_due ON schedule_row (next_due_ms) WHERE enabled = 1 AND next_due_ms IS NOT NULL;
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
CREATE VIEW event_log AS SELECT * FROM event;
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
CREATE VIEW workload AS
SELECT execution_id, data -> '$.data.workload' AS data,
    strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS created_at
FROM event_row WHERE event_type = 'playbook.initialized' AND seq = 1;
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
CREATE VIEW queue AS
SELECT command_id AS queue_id, execution_id, node_name AS node_id, node_name, status, attempt AS attempts, created_at
FROM command;
CREATE VIEW transition AS
SELECT
    exited.execution_id,
    exited.node_name AS from_step,
    route.value ->> '$.to' AS to_step,
    route.value -> '$.inputs' AS with_params,
    strftime('%Y-%m-%dT%H:%M:%fZ', exited.at_ms / 1000.0, 'unixepoch') AS created_at
FROM event_row AS exited, json_each(exited.data, '$.data.routes') AS route
WHERE exited.event_type = 'step.exit';
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
CREATE VIEW log AS
SELECT id, execution_id, step AS node_name, run, item AS current_index,
    strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS created_at, stream, level, text, fields
FROM log_row;
CREATE VIEW catalog AS
SELECT catalog_id, path, version, kind, name, description, content, payload, meta,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', archived_ms / 1000.0, 'unixepoch') AS archived_at
FROM catalog_row;
CREATE VIEW credential AS
SELECT id, name, type, meta, tags, description, schema,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_ms / 1000.0, 'unixepoch') AS updated_at
FROM credential_row;
CREATE VIEW schedule AS
SELECT schedule_id, path AS playbook_path, version AS playbook_version, cron, interval_ms / 1000.0 AS interval_seconds,
    timezone, payload, catch_up, enabled, source,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_due_ms / 1000.0, 'unixepoch') AS last_run_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', next_due_ms / 1000.0, 'unixepoch') AS next_run_at,
    last_execution_id
FROM schedule_row;
CREATE VIEW runtime AS
SELECT runtime_id, name, kind, uri, status, labels, capabilities, capacity, runtime,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ms / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_ms / 1000.0, 'unixepoch') AS heartbeat
FROM runtime_row;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event_row',74);
INSERT INTO "sqlite_sequence" VALUES('log_row',4);
COMMIT;
PRAGMA user_version = 1;
