runs:
  salt.parallel_runners:
    - runners:
        first:
          - name: state.orchestrate
          - kwarg: {mods: orch.only_function}
        second:
          - name: state.orchestrate
          - kwarg: {mods: orch.inner_bad}
others:
  salt.parallel_runners:
    - runners:
        test.arg: []
        b:
          - name: test.arg
          - kwarg: {x: y}
wrong word:
  salt.parallel_runners:
    - runners:
        jobs.lookup_jid:
          - kwarg: {nothing: known}
