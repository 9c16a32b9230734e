nothing to do:
  test.succeed_without_changes: []
