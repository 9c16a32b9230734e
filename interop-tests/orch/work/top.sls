of the highstate:
  test.succeed_with_changes: []
