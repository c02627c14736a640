apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: chain }
workload: { n: 3 }
workflow:
  - step: start
    next: { arcs: [ { step: double } ] }
  - step: double
    tool: { kind: python, input: { n: "{{ workload.n }}" }, code: "result = {'n': n * 2}" }
    set: { ctx.n: "{{ output.data.n }}" }
    next: { arcs: [ { step: end } ] }
  - step: end
=== answers
{"double": {"n": 6}}
=== then
requested {"n":3}
enter start #1
exit start done -> double
enter double #1
  command double
  report double
exit double done, ctx {"n":6} -> end
enter end #1
exit end done
COMPLETED with double: {"n":6}
