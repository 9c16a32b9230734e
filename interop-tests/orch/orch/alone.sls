changing:
  salt.state:
    - tgt: nobody at all
    - sls: [work.quiet, work.top]
quiet:
  salt.state:
    - tgt: '*'
    - sls: work.quiet
highstate:
  salt.state:
    - tgt: '*'
    - highstate: true
top:
  salt.state:
    - tgt: '*'
    - top: other_top.sls
not fine:
  salt.state:
    - tgt: '*'
    - sls: work.bad
    - require:
      - salt: top
