test.ping:
  salt.function:
    - tgt: m1
