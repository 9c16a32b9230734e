broken states:
  salt.state:
    - tgt: m1
    - sls: work.bad
no render:
  salt.state:
    - tgt: m1
    - sls: work.no_render
none there:
  salt.state:
    - tgt: m1
    - sls: work.not_there
may fail:
  salt.state:
    - tgt: m1
    - sls: work.bad
    - allow_fail: 1
this one may fail:
  salt.state:
    - tgt: m1
    - sls: work.bad
    - fail_minions: m1, m7
no list:
  salt.state:
    - tgt: m1
    - sls: work.quiet
    - fail_minions: {a: b}
what:
  salt.state:
    - tgt: m1
how many:
  salt.state:
    - tgt: m1
    - sls: work.quiet
    - allow_fail: many
concurrent:
  salt.state:
    - tgt: m1
    - sls: work.quiet
    - concurrent: 'yes'
without target:
  salt.state:
    - sls: work.quiet
no such function:
  salt.nothing:
    - tgt: m1
