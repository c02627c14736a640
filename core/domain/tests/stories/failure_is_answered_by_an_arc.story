apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: answered }
workflow:
  - step: start
    tool: { kind: http, url: "http://x" }
    next:
      spec: { mode: exclusive }
      arcs:
        - { step: repair, when: "{{ event.name == 'call.error' }}" }
        - { step: end }
  - step: repair
    tool: { kind: python, code: "result = 1" }
    next: { arcs: [ { step: end } ] }
  - step: end
=== answers
{"start": {"!error": "503"}}
=== then
requested {}
enter start #1
  command start
  report start failed: 503
exit start failed, and that is answered -> repair
enter repair #1
  command repair
  report repair
exit repair done -> end
enter end #1
exit end done
COMPLETED with repair: {"status":"ok"}
