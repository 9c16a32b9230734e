nobody:
  salt.state:
    - tgt: 'nobody*'
    - sls: work.quiet
nobody is fine:
  salt.state:
    - tgt: 'nobody*'
    - sls: work.quiet
    - expect_minions: false
nobody runs:
  salt.function:
    - name: test.ping
    - tgt: 'nobody*'
