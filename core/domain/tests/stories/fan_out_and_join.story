apiVersion: noetl.io/v1
kind: Playbook
metadata: { name: fan, path: fan }
workflow:
  - step: start
    next: [ a, b, c ]
  - step: a
    tool: python
    code: "result = 1"
    next: [ { step: meet, args: { a: "{{ a.n }}" } } ]
  - step: b
    tool: python
    code: "result = 2"
    next: [ { step: meet, args: { b: "{{ b.n }}" } } ]
  - step: c
    tool: python
    code: "result = 3"
    next: [ { step: more } ]
  - step: more
    tool: python
    code: "result = 4"
    next: [ { step: meet } ]
  - step: meet
    tool: python
    code: "result = 5"
    next: [ end ]
  - step: end
=== answers
{"a": {"n": 1}, "b": {"n": 2}}
=== then
requested {}
enter start #1
exit start done -> a -> b -> c
enter a #1
  command a
enter b #1
  command b
enter c #1
  command c
  report a
exit a done -> meet {"a":1}
  report b
exit b done -> meet {"b":2}
  report c
exit c done -> more
enter more #1
  command more
  report more
exit more done -> meet
enter meet #1 with {"a":1,"b":2}
  command meet
  report meet
exit meet done -> end
enter end #1
exit end done
COMPLETED with meet: {"status":"ok"}
