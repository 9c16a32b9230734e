unknown:
  salt.state:
    - tgt: [m1, m9]
    - tgt_type: list
    - sls: work.quiet
    - timeout: 2
away:
  salt.state:
    - tgt: m3
    - sls: work.quiet
    - timeout: 2
away and not waited for:
  salt.state:
    - tgt: m3
    - sls: work.quiet
    - timeout: 2
    - expect_minions: false
away for a function:
  salt.function:
    - name: test.ping
    - tgt: m3
    - timeout: 2
    - expect_minions: true
