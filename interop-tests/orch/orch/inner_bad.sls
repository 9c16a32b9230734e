bad:
  salt.state:
    - tgt: m1
    - sls: work.bad
