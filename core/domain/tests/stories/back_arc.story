apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: pages }
workflow:
  - step: start
    next: { arcs: [ { step: fetch } ] }
  - step: fetch
    tool: { kind: http, url: "http://x/{{ ctx.offset | default(0) }}" }
    set:
      ctx.offset: "{{ (ctx.offset | default(0) | int) + 10 }}"
      ctx.more: "{{ output.data.more }}"
    next:
      spec: { mode: exclusive }
      arcs:
        - { step: fetch, when: "{{ ctx.more }}" }
        - { step: check }
  - step: check
    tool: { kind: python, code: "result = 1" }
=== answers
{"fetch": [{"more": true}, {"more": true}, {"more": false}]}
=== then
requested {}
enter start #1
exit start done -> fetch
enter fetch #1
  command fetch
  report fetch
exit fetch done, ctx {"offset":10,"more":true} -> fetch
enter fetch #2
  command fetch
  report fetch
exit fetch done, ctx {"offset":20,"more":true} -> fetch
enter fetch #3
  command fetch
  report fetch
exit fetch done, ctx {"offset":30,"more":false} -> check
enter check #1
  command check
  report check
exit check done
COMPLETED with check: {"status":"ok"}
