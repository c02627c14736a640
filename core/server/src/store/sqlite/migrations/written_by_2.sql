-- A database as the second version of the schema wrote it: five examples were run. Never edited.
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
INSERT INTO "catalog_row" VALUES(384638018327150592,'examples/hello',1,'Playbook','hello',NULL,'# One step, one value from the workload.
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
','{"dialect":"C","name":"hello","path":"examples/hello","description":null,"labels":{},"workload":{"name":"World"},"keychain":[],"steps":[{"name":"start","inputs":{"name":"{{ workload.name }}"},"body":[{"name":"start","kind":"python","config":{"code":"print(f\"about to greet {name}\")\nresult = {\"message\": f\"Hello, {name}!\"}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795772049797,NULL);
INSERT INTO "catalog_row" VALUES(384638019287646208,'examples/parallel_loop',1,'Playbook','parallel_loop',NULL,'# A loop that runs up to four items at a time; results come back in the order of the items.
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
','{"dialect":"E","name":"parallel_loop","path":"examples/parallel_loop","description":null,"labels":{},"workload":{"numbers":[1,2,3,4,5,6]},"keychain":[],"steps":[{"name":"start","inputs":{"n":"{{ iter.number }}"},"loop":{"source":{"in":"{{ workload.numbers }}"},"iterator":"number","mode":"parallel","max_in_flight":4,"filter":null,"order_by":null,"limit":null,"chunk":null,"enumerate":false,"until":null,"on_item_failure":"fail_fast"},"body":[{"name":"start","kind":"python","config":{"code":"result = n * n\n"}}],"routes":{"mode":"first","arcs":[{"to":"end"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"end","body":[{"name":"end","kind":"noop","config":{"result":{"squares":"{{ start.results }}","count":"{{ start.stats.success }}"}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795772050027,NULL);
INSERT INTO "catalog_row" VALUES(384638021724536832,'examples/parts/price',1,'Playbook','price',NULL,'# The playbook that sub_playbook.yaml calls.
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
','{"dialect":"C","name":"price","path":"examples/parts/price","description":null,"labels":{},"workload":{"unit":1,"count":1},"keychain":[],"steps":[{"name":"priced","inputs":{"unit":"{{ unit }}","count":"{{ count }}"},"body":[{"name":"priced","kind":"python","config":{"code":"result = {\"price\": unit * count}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"C"}],"entry":[{"step":"priced"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"C"}',1795772050608,NULL);
INSERT INTO "catalog_row" VALUES(384638021837783040,'examples/sub_playbook',1,'Playbook','sub_playbook',NULL,'# A playbook that runs another one for each item and reads what it returned. The parent holds no worker while it waits.
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
','{"dialect":"E","name":"sub_playbook","path":"examples/sub_playbook","description":null,"labels":{},"workload":{"order":[{"unit":5,"count":3},{"unit":10,"count":3}]},"keychain":[],"steps":[{"name":"start","inputs":{"unit":"{{ iter.line.unit }}","count":"{{ iter.line.count }}"},"loop":{"source":{"in":"{{ workload.order }}"},"iterator":"line","mode":"parallel","max_in_flight":2,"filter":null,"order_by":null,"limit":null,"chunk":null,"enumerate":false,"until":null,"on_item_failure":"fail_fast"},"body":[{"name":"start","kind":"playbook","config":{"path":"examples/parts/price","return_step":"priced"}}],"routes":{"mode":"first","arcs":[{"to":"end"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"end","inputs":{"prices":"{{ start.results }}"},"body":[{"name":"end","kind":"python","config":{"code":"result = {\"total\": sum(price[\"price\"] for price in prices)}\n"}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795772050635,NULL);
INSERT INTO "catalog_row" VALUES(384638023565836288,'examples/routing',1,'Playbook','routing',NULL,'# Arcs with conditions: the first true one is followed, and an arc without a condition is the way out.
# Try: noetl run examples/routing.yaml --set temperature=5
# expect: COMPLETED {"advice": "swim"}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: routing
  path: examples/routing
workload:
  temperature: 28
workflow:
  - step: start
    next:
      arcs:
        - { step: swim, when: "{{ temperature > 25 }}" }
        - { step: walk, when: "{{ temperature > 10 }}" }
        - { step: read }
  - step: swim
    tool: { kind: noop, result: { advice: swim } }
  - step: walk
    tool: { kind: noop, result: { advice: walk } }
  - step: read
    tool: { kind: noop, result: { advice: read } }
','{"dialect":"E","name":"routing","path":"examples/routing","description":null,"labels":{},"workload":{"temperature":28},"keychain":[],"steps":[{"name":"start","routes":{"mode":"first","arcs":[{"to":"swim","when":"{{ temperature > 25 }}"},{"to":"walk","when":"{{ temperature > 10 }}"},{"to":"read"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"swim","body":[{"name":"swim","kind":"noop","config":{"result":{"advice":"swim"}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"walk","body":[{"name":"walk","kind":"noop","config":{"result":{"advice":"walk"}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"read","body":[{"name":"read","kind":"noop","config":{"result":{"advice":"read"}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795772051047,NULL);
INSERT INTO "catalog_row" VALUES(384638024765407232,'examples/sleep',1,'Playbook','sleep',NULL,'# Waiting without holding a worker: a million steps may sleep at once, and a restart does not wake them early.
# expect: COMPLETED {"rested": true}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: sleep
  path: examples/sleep
workload:
  seconds: 0.2
workflow:
  - step: start
    tool: { kind: sleep, seconds: "{{ seconds }}" }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: noop, result: { rested: true } }
','{"dialect":"E","name":"sleep","path":"examples/sleep","description":null,"labels":{},"workload":{"seconds":0.2},"keychain":[],"steps":[{"name":"start","body":[{"name":"start","kind":"sleep","config":{"seconds":"{{ seconds }}"}}],"routes":{"mode":"first","arcs":[{"to":"end"}],"on_no_match":"complete"},"join":"barrier","dialect":"E"},{"name":"end","body":[{"name":"end","kind":"noop","config":{"result":{"rested":true}}}],"routes":{"mode":"all","on_no_match":"complete"},"join":"barrier","dialect":"E"}],"entry":[{"step":"start"}],"final_step":null,"no_next_is_error":false,"schedules":[],"timeout_seconds":null,"transitions":{}}','{"dialect":"E"}',1795772051331,NULL);
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
INSERT INTO "event_row" VALUES(1,384638018343927808,1,384638018381676544,1795772049810,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/hello","version":1,"catalog_id":"384638018327150592","workload":{"name":"World"},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(2,384638018343927808,2,384638018381676545,1795772049810,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(3,384638018343927808,3,384638018381676546,1795772049810,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(4,384638018343927808,4,384638018725609472,1795772049893,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638018343927808","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-13045","started_ms":1795772049817,"finished_ms":1795772049890,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"message":"Hello, World!"}}}}],"usage":{"cpu_us":303,"bytes_in":16}}}');
INSERT INTO "event_row" VALUES(5,384638018343927808,5,384638018725609473,1795772049893,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(6,384638018343927808,6,384638018725609474,1795772049893,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"start"}}');
INSERT INTO "event_row" VALUES(7,384638019308617728,1,384638019308617729,1795772050032,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/parallel_loop","version":1,"catalog_id":"384638019287646208","workload":{"numbers":[1,2,3,4,5,6]},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(8,384638019308617728,2,384638019308617730,1795772050032,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(9,384638019308617728,3,384638019308617731,1795772050032,'loop.started','start','{"type":"loop.started","data":{"step":"start","run":1,"items":{"list":[1,2,3,4,5,6]},"concurrency":4}}');
INSERT INTO "event_row" VALUES(10,384638019308617728,4,384638019308617732,1795772050032,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":{"items":{"first":0,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(11,384638019308617728,5,384638019308617733,1795772050032,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":1,"attempt":1,"work":{"items":{"first":1,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(12,384638019308617728,6,384638019308617734,1795772050032,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":2,"attempt":1,"work":{"items":{"first":2,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(13,384638019308617728,7,384638019308617735,1795772050032,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":3,"attempt":1,"work":{"items":{"first":3,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(14,384638019308617728,8,384638019614801920,1795772050105,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638019308617728","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-13067","started_ms":1795772050034,"finished_ms":1795772050105,"runs":[{"first":0,"count":1,"kind":"plain","results":[1]}],"usage":{"cpu_us":200,"bytes_in":7}}}');
INSERT INTO "event_row" VALUES(15,384638019308617728,9,384638019614801921,1795772050105,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":4,"attempt":1,"work":{"items":{"first":4,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(16,384638019308617728,10,384638019635773440,1795772050110,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638019308617728","step":"start","run":1,"batch":4},"attempt":1,"worker":"worker-13067","started_ms":1795772050109,"finished_ms":1795772050110,"runs":[{"first":4,"count":1,"kind":"plain","results":[25]}],"usage":{"cpu_us":155,"bytes_in":7}}}');
INSERT INTO "event_row" VALUES(17,384638019308617728,11,384638019635773441,1795772050110,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":5,"attempt":1,"work":{"items":{"first":5,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(18,384638019308617728,12,384638019648356352,1795772050113,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638019308617728","step":"start","run":1,"batch":5},"attempt":1,"worker":"worker-13067","started_ms":1795772050113,"finished_ms":1795772050113,"runs":[{"first":5,"count":1,"kind":"plain","results":[36]}],"usage":{"cpu_us":137,"bytes_in":7}}}');
INSERT INTO "event_row" VALUES(19,384638019308617728,13,384638019702882304,1795772050126,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638019308617728","step":"start","run":1,"batch":1},"attempt":1,"worker":"worker-13067","started_ms":1795772050035,"finished_ms":1795772050125,"runs":[{"first":1,"count":1,"kind":"plain","results":[4]}],"usage":{"cpu_us":162,"bytes_in":7}}}');
INSERT INTO "event_row" VALUES(20,384638019308617728,14,384638020227170304,1795772050251,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638019308617728","step":"start","run":1,"batch":3},"attempt":1,"worker":"worker-13067","started_ms":1795772050036,"finished_ms":1795772050250,"runs":[{"first":3,"count":1,"kind":"plain","results":[16]}],"usage":{"cpu_us":252,"bytes_in":7}}}');
INSERT INTO "event_row" VALUES(21,384638019308617728,15,384638020231364608,1795772050251,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638019308617728","step":"start","run":1,"batch":2},"attempt":1,"worker":"worker-13067","started_ms":1795772050035,"finished_ms":1795772050251,"runs":[{"first":2,"count":1,"kind":"plain","results":[9]}],"usage":{"cpu_us":359,"bytes_in":7}}}');
INSERT INTO "event_row" VALUES(22,384638019308617728,16,384638020231364609,1795772050251,'loop.done','start','{"type":"loop.done","data":{"step":"start","run":1,"stats":{"total":6,"success":6,"failed":0}}}');
INSERT INTO "event_row" VALUES(23,384638019308617728,17,384638020231364610,1795772050251,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"end"}]}}');
INSERT INTO "event_row" VALUES(24,384638019308617728,18,384638020231364611,1795772050251,'step.enter','end','{"type":"step.enter","data":{"step":"end","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(25,384638019308617728,19,384638020231364612,1795772050251,'step.exit','end','{"type":"step.exit","data":{"step":"end","run":1,"status":"COMPLETED","result":{"squares":[1,4,9,16,25,36],"count":6},"routes":[]}}');
INSERT INTO "event_row" VALUES(26,384638019308617728,20,384638020231364613,1795772050251,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"end"}}');
INSERT INTO "event_row" VALUES(27,384638021854560256,1,384638021858754560,1795772050640,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/sub_playbook","version":1,"catalog_id":"384638021837783040","workload":{"order":[{"unit":5,"count":3},{"unit":10,"count":3}]},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(28,384638021854560256,2,384638021858754561,1795772050640,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(29,384638021854560256,3,384638021858754562,1795772050640,'loop.started','start','{"type":"loop.started","data":{"step":"start","run":1,"items":{"list":[{"unit":5,"count":3},{"unit":10,"count":3}]},"concurrency":2}}');
INSERT INTO "event_row" VALUES(30,384638021854560256,4,384638021858754563,1795772050640,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":{"items":{"first":0,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(31,384638021854560256,5,384638021858754564,1795772050640,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":1,"attempt":1,"work":{"items":{"first":1,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(32,384638021854560256,6,384638021879726080,1795772050645,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":1},"attempt":1,"worker":"worker-13093","started_ms":1795772050644,"finished_ms":1795772050645,"items":[{"index":1,"outcome":{"parked":{"on":{"child":{"path":"examples/parts/price","version":null,"payload":{"unit":10,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}},"state":{"task":0,"attempt":1,"results":{},"iter":{},"step":{},"ctx":{},"ran":1,"extra":{"awaiting":{"child":"examples/parts/price"}}}}}}]}}');
INSERT INTO "event_row" VALUES(33,384638021879726081,1,384638021883920384,1795772050646,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/parts/price","version":1,"catalog_id":"384638021724536832","workload":{"unit":10,"count":3},"payload":{"unit":10,"count":3},"parent":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":1},"index":1,"return_step":"priced"},"root":"384638021854560256","entry":[{"to":"priced"}],"trigger":"playbook","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(34,384638021879726081,2,384638021883920385,1795772050646,'step.enter','priced','{"type":"step.enter","data":{"step":"priced","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(35,384638021879726081,3,384638021883920386,1795772050646,'command.issued','priced','{"type":"command.issued","data":{"step":"priced","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(36,384638021854560256,7,384638021883920387,1795772050646,'child.started','start','{"type":"child.started","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":1},"index":1,"child":"384638021879726081","request":{"path":"examples/parts/price","version":null,"payload":{"unit":10,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}}}');
INSERT INTO "event_row" VALUES(37,384638021854560256,8,384638021883920388,1795772050646,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-13093","started_ms":1795772050645,"finished_ms":1795772050645,"items":[{"index":0,"outcome":{"parked":{"on":{"child":{"path":"examples/parts/price","version":null,"payload":{"unit":5,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}},"state":{"task":0,"attempt":1,"results":{},"iter":{},"step":{},"ctx":{},"ran":1,"extra":{"awaiting":{"child":"examples/parts/price"}}}}}}]}}');
INSERT INTO "event_row" VALUES(38,384638021883920389,1,384638021888114688,1795772050647,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/parts/price","version":1,"catalog_id":"384638021724536832","workload":{"unit":5,"count":3},"payload":{"unit":5,"count":3},"parent":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":0},"index":0,"return_step":"priced"},"root":"384638021854560256","entry":[{"to":"priced"}],"trigger":"playbook","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(39,384638021883920389,2,384638021888114689,1795772050647,'step.enter','priced','{"type":"step.enter","data":{"step":"priced","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(40,384638021883920389,3,384638021888114690,1795772050647,'command.issued','priced','{"type":"command.issued","data":{"step":"priced","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(41,384638021854560256,9,384638021888114691,1795772050647,'child.started','start','{"type":"child.started","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":0},"index":0,"child":"384638021883920389","request":{"path":"examples/parts/price","version":null,"payload":{"unit":5,"count":3},"return_step":"priced","timeout_seconds":null,"detached":false}}}');
INSERT INTO "event_row" VALUES(42,384638021883920389,4,384638021913280512,1795772050653,'call.done','priced','{"type":"call.done","data":{"id":{"execution":"384638021883920389","step":"priced","run":1,"batch":0},"attempt":1,"worker":"worker-13093","started_ms":1795772050650,"finished_ms":1795772050653,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"price":15}}}}],"usage":{"cpu_us":441,"bytes_in":20}}}');
INSERT INTO "event_row" VALUES(43,384638021883920389,5,384638021913280513,1795772050653,'step.exit','priced','{"type":"step.exit","data":{"step":"priced","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(44,384638021883920389,6,384638021913280514,1795772050653,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"priced"}}');
INSERT INTO "event_row" VALUES(45,384638021854560256,10,384638021913280515,1795772050653,'child.finished','start','{"type":"child.finished","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":0},"index":0,"child":"384638021883920389","status":"COMPLETED","result":{"kind":"plain","status":"COMPLETED","value":{"price":15}}}}');
INSERT INTO "event_row" VALUES(46,384638021854560256,11,384638021913280516,1795772050653,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":2,"attempt":1,"work":{"items":{"first":0,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(47,384638021854560256,12,384638021921669120,1795772050655,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":2},"attempt":1,"worker":"worker-13093","started_ms":1795772050654,"finished_ms":1795772050655,"runs":[{"first":0,"count":1,"kind":"plain","results":[{"price":15,"_execution":{"execution_id":"384638021883920389","status":"COMPLETED"}}]}]}}');
INSERT INTO "event_row" VALUES(48,384638021879726081,4,384638022219464704,1795772050726,'call.done','priced','{"type":"call.done","data":{"id":{"execution":"384638021879726081","step":"priced","run":1,"batch":0},"attempt":1,"worker":"worker-13093","started_ms":1795772050650,"finished_ms":1795772050726,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"price":30}}}}],"usage":{"cpu_us":261,"bytes_in":21}}}');
INSERT INTO "event_row" VALUES(49,384638021879726081,5,384638022219464705,1795772050726,'step.exit','priced','{"type":"step.exit","data":{"step":"priced","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(50,384638021879726081,6,384638022219464706,1795772050726,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"priced"}}');
INSERT INTO "event_row" VALUES(51,384638021854560256,13,384638022223659008,1795772050726,'child.finished','start','{"type":"child.finished","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":1},"index":1,"child":"384638021879726081","status":"COMPLETED","result":{"kind":"plain","status":"COMPLETED","value":{"price":30}}}}');
INSERT INTO "event_row" VALUES(52,384638021854560256,14,384638022223659009,1795772050726,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":3,"attempt":1,"work":{"items":{"first":1,"count":1}},"slots":1}}');
INSERT INTO "event_row" VALUES(53,384638021854560256,15,384638022232047616,1795772050729,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638021854560256","step":"start","run":1,"batch":3},"attempt":1,"worker":"worker-13093","started_ms":1795772050728,"finished_ms":1795772050729,"runs":[{"first":1,"count":1,"kind":"plain","results":[{"price":30,"_execution":{"execution_id":"384638021879726081","status":"COMPLETED"}}]}]}}');
INSERT INTO "event_row" VALUES(54,384638021854560256,16,384638022232047617,1795772050729,'loop.done','start','{"type":"loop.done","data":{"step":"start","run":1,"stats":{"total":2,"success":2,"failed":0}}}');
INSERT INTO "event_row" VALUES(55,384638021854560256,17,384638022232047618,1795772050729,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"end"}]}}');
INSERT INTO "event_row" VALUES(56,384638021854560256,18,384638022232047619,1795772050729,'step.enter','end','{"type":"step.enter","data":{"step":"end","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(57,384638021854560256,19,384638022232047620,1795772050729,'command.issued','end','{"type":"command.issued","data":{"step":"end","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(58,384638021854560256,20,384638022253019136,1795772050734,'call.done','end','{"type":"call.done","data":{"id":{"execution":"384638021854560256","step":"end","run":1,"batch":0},"attempt":1,"worker":"worker-13093","started_ms":1795772050733,"finished_ms":1795772050733,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{"total":45}}}}],"usage":{"cpu_us":304,"bytes_in":182}}}');
INSERT INTO "event_row" VALUES(59,384638021854560256,21,384638022253019137,1795772050734,'step.exit','end','{"type":"step.exit","data":{"step":"end","run":1,"status":"COMPLETED","routes":[]}}');
INSERT INTO "event_row" VALUES(60,384638021854560256,22,384638022253019138,1795772050734,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"end"}}');
INSERT INTO "event_row" VALUES(61,384638023674888192,1,384638023679082496,1795772051073,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/routing","version":1,"catalog_id":"384638023565836288","workload":{"temperature":28},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(62,384638023674888192,2,384638023679082497,1795772051073,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(63,384638023674888192,3,384638023679082498,1795772051073,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"swim"}],"not_taken":["walk","read"]}}');
INSERT INTO "event_row" VALUES(64,384638023674888192,4,384638023679082499,1795772051073,'step.enter','swim','{"type":"step.enter","data":{"step":"swim","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(65,384638023674888192,5,384638023679082500,1795772051073,'step.exit','swim','{"type":"step.exit","data":{"step":"swim","run":1,"status":"COMPLETED","result":{"advice":"swim"},"routes":[]}}');
INSERT INTO "event_row" VALUES(66,384638023674888192,6,384638023679082501,1795772051073,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"swim"}}');
INSERT INTO "event_row" VALUES(67,384638024836710400,1,384638024836710401,1795772051350,'playbook.initialized',NULL,'{"type":"playbook.initialized","data":{"path":"examples/sleep","version":1,"catalog_id":"384638024765407232","workload":{"seconds":0.2},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"cli","trace":null,"target":null}}');
INSERT INTO "event_row" VALUES(68,384638024836710400,2,384638024836710402,1795772051350,'step.enter','start','{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(69,384638024836710400,3,384638024836710403,1795772051350,'command.issued','start','{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}');
INSERT INTO "event_row" VALUES(70,384638024836710400,4,384638025721708544,1795772051561,'call.done','start','{"type":"call.done","data":{"id":{"execution":"384638024836710400","step":"start","run":1,"batch":0},"attempt":1,"worker":"worker-13145","started_ms":1795772051354,"finished_ms":1795772051561,"items":[{"index":0,"outcome":{"ok":{"kind":"plain","result":{}}}}]}}');
INSERT INTO "event_row" VALUES(71,384638024836710400,5,384638025721708545,1795772051561,'step.exit','start','{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[{"to":"end"}]}}');
INSERT INTO "event_row" VALUES(72,384638024836710400,6,384638025721708546,1795772051561,'step.enter','end','{"type":"step.enter","data":{"step":"end","run":1,"tokens":1}}');
INSERT INTO "event_row" VALUES(73,384638024836710400,7,384638025721708547,1795772051561,'step.exit','end','{"type":"step.exit","data":{"step":"end","run":1,"status":"COMPLETED","result":{"rested":true},"routes":[]}}');
INSERT INTO "event_row" VALUES(74,384638024836710400,8,384638025721708548,1795772051561,'playbook.completed',NULL,'{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"end"}}');
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
, rollout_id INTEGER);
INSERT INTO "execution_row" VALUES(384638018343927808,'examples/hello',1,'384638018327150592','COMPLETED',NULL,NULL,'cli',1795772049810,1795772049893,'start',1,1,0,0,6,'{"message":"Hello, World!"}',NULL,NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384638019308617728,'examples/parallel_loop',1,'384638019287646208','COMPLETED',NULL,NULL,'cli',1795772050032,1795772050251,'end',2,2,0,0,20,'{"squares":[1,4,9,16,25,36],"count":6}',NULL,NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384638021854560256,'examples/sub_playbook',1,'384638021837783040','COMPLETED',NULL,NULL,'cli',1795772050640,1795772050734,'end',2,2,0,0,22,'{"total":45}',NULL,NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384638021879726081,'examples/parts/price',1,'384638021724536832','COMPLETED',384638021854560256,384638021854560256,'playbook',1795772050646,1795772050726,'priced',1,1,0,0,6,'{"price":30}',NULL,NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384638021883920389,'examples/parts/price',1,'384638021724536832','COMPLETED',384638021854560256,384638021854560256,'playbook',1795772050647,1795772050653,'priced',1,1,0,0,6,'{"price":15}',NULL,NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384638023674888192,'examples/routing',1,'384638023565836288','COMPLETED',NULL,NULL,'cli',1795772051073,1795772051073,'swim',4,2,0,0,6,'{"advice":"swim"}',NULL,NULL,NULL,NULL);
INSERT INTO "execution_row" VALUES(384638024836710400,'examples/sleep',1,'384638024765407232','COMPLETED',NULL,NULL,'cli',1795772051350,1795772051561,'end',2,2,0,0,8,'{"rested":true}',NULL,NULL,NULL,NULL);
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
INSERT INTO "log_row" VALUES(1,384638018343927808,'start',1,NULL,1795772049887,'stdout','info','about to greet World',NULL);
CREATE TABLE outbox_row (
    command TEXT PRIMARY KEY,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    attempt INTEGER NOT NULL
) WITHOUT ROWID;
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
CREATE TABLE purge_row (execution_id INTEGER PRIMARY KEY);
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
CREATE INDEX execution_row_rollout ON execution_row (rollout_id, version) WHERE rollout_id IS NOT NULL;
CREATE INDEX proposal_row_key ON proposal_row (key, state);
CREATE INDEX proposal_row_open ON proposal_row (state, expires_ms) WHERE state IN ('proposed', 'canary', 'promoted');
CREATE INDEX proposal_row_playbook ON proposal_row (playbook, proposal_id);
CREATE UNIQUE INDEX rollout_row_open ON rollout_row (playbook) WHERE state IN ('running', 'paused');
CREATE INDEX rollout_row_playbook ON rollout_row (playbook, rollout_id);
CREATE INDEX control_event_row_proposal ON control_event_row (proposal_id, seq) WHERE proposal_id IS NOT NULL;
CREATE INDEX control_event_row_rollout ON control_event_row (rollout_id, seq) WHERE rollout_id IS NOT NULL;
CREATE TRIGGER control_event_row_is_never_edited BEFORE UPDATE ON control_event_row
BEGIN SELECT raise(ABORT, 'events are never edited'); END;
CREATE TRIGGER control_event_row_is_never_deleted BEFORE DELETE ON control_event_row
BEGIN SELECT raise(ABORT, 'events are never deleted'); END;
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
INSERT INTO "sqlite_sequence" VALUES('log_row',1);
COMMIT;
PRAGMA user_version = 2;
