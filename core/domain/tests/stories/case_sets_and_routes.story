apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: cases }
workflow:
  - step: start
    tool: { kind: python, code: "result = {'n': 7}" }
    vars: { n: "{{ result.n }}" }
    case:
      - when: "{{ event.name == 'step.exit' and result.n > 5 }}"
        then:
          set: { size: big }
          next: [ { step: large, args: { n: "{{ vars.n }}" } } ]
      - when: "{{ event.name == 'step.exit' }}"
        then: { next: [ { step: small } ] }
  - step: large
    tool: { kind: python, code: "result = 1" }
  - step: small
    tool: { kind: python, code: "result = 2" }
=== answers
{"start": {"n": 7}}
=== then
requested {}
enter start #1
  command start
  report start
exit start done, ctx {"n":7,"size":"big"} -> large {"n":7}
enter large #1 with {"n":7}
  command large
  report large
exit large done
COMPLETED with large: {"status":"ok"}
