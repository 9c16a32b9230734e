one:
  salt.state:
    - tgt: m1
    - sls: work.bad
    - require_in:
      - salt: two
two:
  salt.function:
    - name: test.ping
    - tgt: m1
instead:
  salt.function:
    - name: test.echo
    - tgt: m1
    - arg: [instead]
    - onfail:
      - salt: one
changed:
  salt.function:
    - name: test.ping
    - tgt: m1
    - onchanges:
      - salt: instead
heard:
  salt.function:
    - name: test.ping
    - tgt: m1
    - listen:
      - salt: instead
before:
  test.succeed_with_changes:
    - prereq:
      - salt: would
would:
  salt.state:
    - tgt: m1
    - sls: work.top
again and again:
  salt.function:
    - name: test.false
    - tgt: m1
    - retry: {attempts: 2, interval: 1, splay: 0}
not if:
  salt.function:
    - name: test.ping
    - tgt: m1
    - onlyif: 'false'
hard:
  salt.state:
    - tgt: m1
    - sls: work.bad
    - failhard: true
never:
  salt.function:
    - name: test.ping
    - tgt: m1
