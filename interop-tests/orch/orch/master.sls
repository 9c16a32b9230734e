test.arg:
  salt.runner:
    - arg: [1, two, a=b]
    - kwarg: {c: d}
    - e: f
an error:
  salt.runner:
    - name: error.error
    - kwarg: {name: ValueError, message: as told}
error in it:
  salt.runner:
    - name: salt.cmd
    - arg: [test.echo, {Error: here}]
key.list_all:
  salt.wheel: []
key.finger:
  salt.wheel:
    - match: m7
own work:
  test.succeed_with_changes: []
own file:
  file.managed:
    - name: {{ pillar.tmp }}/own
    - contents: {{ grains.id }} {{ pillar.get('of_master') }} {{ salt['test.echo']('x') }}
