test.ping:
  salt.function:
    - tgt: m1
words:
  salt.function:
    - name: test.arg
    - tgt: m1
    - arg: [1, two, {three: 3}]
    - kwarg: {a: 1, b: text}
one text:
  salt.function:
    - name: test.arg
    - tgt: m1
    - arg: one two
test.false:
  salt.function:
    - tgt: m1
false may be:
  salt.function:
    - name: test.false
    - tgt: m1
    - fail_minions: [m1]
return code:
  salt.function:
    - name: cmd.run
    - tgt: m1
    - arg: ['exit 3']
    - kwarg: {python_shell: true}
no such:
  salt.function:
    - name: nothing.here
    - tgt: m1
judged:
  salt.function:
    - name: test.echo
    - tgt: m1
    - arg: [x]
    - fail_function: test.not_loaded_at_all
kinds:
  salt.function:
    - name: test.ping
    - tgt: 'G@role:web and m*'
    - tgt_type: compound
