in {{ pillar.get('text') }}:
  salt.function:
    - name: test.echo
    - tgt: m1
    - arg: ['{{ pillar.get("text") }}']
deeper:
  salt.state:
    - tgt: m1
    - sls: work.top
