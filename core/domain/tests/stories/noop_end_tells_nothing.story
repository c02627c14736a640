apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: noop_end }
workflow:
  - step: start
    tool: { kind: noop }
    next: { arcs: [ { step: work } ] }
  - step: work
    tool: { kind: python, code: "return {'n': 7}" }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: noop }
=== answers
{"work": {"n": 7}}
=== then
requested {}
enter start #1
exit start done -> work
enter work #1
  command work
  report work
exit work done -> end
enter end #1
exit end done
COMPLETED with work: {"n":7}
