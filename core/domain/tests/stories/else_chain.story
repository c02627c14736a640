apiVersion: noetl.io/v1
kind: Playbook
metadata: { name: chain_else }
workload: { hot: false }
workflow:
  - step: start
    next:
      - when: "{{ workload.hot }}"
        then: [ { step: a }, { step: b } ]
      - else: [ { step: c } ]
  - step: a
    tool: python
    code: "result = 1"
  - step: b
    tool: python
    code: "result = 1"
  - step: c
    tool: python
    code: "result = 1"
=== then
requested {"hot":false}
enter start #1
exit start done -> c
enter c #1
  command c
  report c
exit c done
COMPLETED with c: {"status":"ok"}
