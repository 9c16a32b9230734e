{% set to = pillar.get('text', 'one') %}
apply:
  salt.state:
    - tgt: m1
    - sls: work.file
    - pillar: {text: {{ to }}, to: {{ pillar.tmp }}}
several:
  salt.state:
    - tgt: m1
    - sls: [work.quiet, work.file]
    - pillar: {text: {{ to }}, to: {{ pillar.tmp }}}
    - require:
      - salt: apply
highstate:
  salt.state:
    - tgt: 'role:web'
    - tgt_type: grain
    - highstate: true
top:
  salt.state:
    - tgt: [m1]
    - tgt_type: list
    - top: other_top.sls
without broken:
  salt.state:
    - tgt: m1
    - sls: [work.quiet, work.bad]
    - exclude: work.bad
    - saltenv: base
    - pillarenv: base
    - queue: true
    - concurrent: true
