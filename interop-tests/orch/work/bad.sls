fine:
  test.succeed_with_changes: []
broken:
  test.fail_without_changes:
    - comment: it is broken
after:
  test.nop:
    - require:
      - test: broken
