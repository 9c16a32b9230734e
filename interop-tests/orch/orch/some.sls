one of them:
  salt.function:
    - name: test.ping
    - tgt: m1
    - subset: 1
in turn:
  salt.state:
    - tgt: m1
    - sls: work.top
    - batch: 1
in parts:
  salt.function:
    - name: test.echo
    - tgt: m1
    - arg: [x]
    - batch: 50%
failing in turn:
  salt.state:
    - tgt: m1
    - sls: work.bad
    - batch: 1
    - failhard: true
