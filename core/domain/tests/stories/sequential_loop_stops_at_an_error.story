apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: seq }
workflow:
  - step: start
    loop: { in: [a, b, c], iterator: x }
    tool: { kind: python, code: "result = x" }
    next: { arcs: [ { step: end } ] }
  - step: end
=== answers
{"start": [{"v": 1}, {"!error": "boom"}, {"v": 3}]}
=== then
requested {}
enter start #1
  loop start (1 at once)
  command start items 0..1 (1 at once)
  report start
  command start items 1..3 (1 at once)
  report start failed: boom
  loop start done: 1 ok, 1 failed of 3
exit start failed
FAILED because: 1 of 3 iterations failed, the first one with: boom
