apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: naps }
workflow:
  - step: start
    tool: { kind: sleep, seconds: 60 }
    next: { arcs: [ { step: end } ] }
  - step: end
=== answers
{"start": [{"!park": 60}, {"slept": 60}]}
=== then
requested {}
enter start #1
  command start
  report start
  timer
  command start
  report start
exit start done -> end
enter end #1
exit end done
COMPLETED with start: {"slept":60}
