apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: nothing }
workflow:
  - step: start
    loop: { in: "{{ workload.missing }}", iterator: x }
    tool: { kind: python, code: "result = x" }
=== then
requested {}
enter start #1
exit start failed
FAILED because: the loop's collection is null, which is nothing to loop over
