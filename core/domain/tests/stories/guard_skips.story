apiVersion: noetl.io/v10
kind: Playbook
metadata: { name: guard }
workload: { enabled: false }
workflow:
  - step: start
    next: { arcs: [ { step: maybe } ] }
  - step: maybe
    spec: { policy: { admit: { rules: [ { when: "{{ workload.enabled }}", then: { allow: true } }, { else: { then: { allow: false } } } ] } } }
    tool: { kind: python, code: "result = 1" }
    next: { arcs: [ { step: end } ] }
  - step: end
=== then
requested {"enabled":false}
enter start #1
exit start done -> maybe
exit maybe skipped -> end
enter end #1
exit end done
COMPLETED
