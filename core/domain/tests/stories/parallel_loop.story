apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: par }
workflow:
  - step: start
    loop: { in: "{{ range(10) }}", iterator: x, spec: { mode: parallel, max_in_flight: 4 } }
    tool: { kind: python, code: "result = x" }
    next: { arcs: [ { step: end, when: "{{ event.name == 'loop.done' }}" } ] }
  - step: end
    tool: { kind: python, input: { n: "{{ start.stats.success }}" }, code: "result = n" }
=== answers
{"start": "!item", "end": 10}
=== then
requested {}
enter start #1
  loop start (4 at once)
  command start items 0..1 (1 at once)
  command start items 1..2 (1 at once)
  command start items 2..3 (1 at once)
  command start items 3..4 (1 at once)
  report start
  command start items 4..6 (1 at once)
  report start
  command start items 6..7 (1 at once)
  report start
  command start items 7..8 (1 at once)
  report start
  command start items 8..9 (1 at once)
  report start
  command start items 9..10 (1 at once)
  report start
  report start
  report start
  report start
  loop start done: 10 ok, 0 failed of 10
exit start done -> end
enter end #1
  command end
  report end
exit end done
COMPLETED with end: 10
