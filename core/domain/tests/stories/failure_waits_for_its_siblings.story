apiVersion: noetl.io/v1
kind: Playbook
metadata: { name: siblings }
workflow:
  - step: start
    next: [ bad, good ]
  - step: bad
    tool: python
    code: "raise 1"
    next: [ end ]
  - step: good
    tool: python
    code: "result = 1"
    next: [ end ]
  - step: end
=== answers
{"bad": {"!error": "boom"}}
=== then
requested {}
enter start #1
exit start done -> bad -> good
enter bad #1
  command bad
enter good #1
  command good
  report bad failed: boom
exit bad failed
  report good
exit good done -> end
FAILED because: boom
