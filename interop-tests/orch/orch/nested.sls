inner:
  salt.runner:
    - name: state.orchestrate
    - mods: orch.inner
    - pillar: {text: from outside}
inner fails:
  salt.runner:
    - name: state.orch
    - arg: [orch.inner_bad]
not there:
  salt.runner:
    - name: state.orchestrate
    - mods: orch.not_there
