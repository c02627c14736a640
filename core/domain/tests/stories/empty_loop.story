apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: empty }
workload: { items: [] }
workflow:
  - step: start
    loop: { in: "{{ workload.items }}", iterator: x }
    tool: { kind: python, code: "result = x" }
    next: { arcs: [ { step: end } ] }
  - step: end
=== then
requested {"items":[]}
enter start #1
  loop start (1 at once)
  loop start done: 0 ok, 0 failed of 0
exit start done -> end
enter end #1
exit end done
COMPLETED with start: {"results":[],"stats":{"total":0,"success":0,"failed":0}}
