base changes:
  test.succeed_with_changes: []
base same:
  test.succeed_without_changes: []
base fails:
  test.fail_without_changes: []
base fails too:
  test.fail_with_changes: []
base changes last:
  test.succeed_with_changes: [{order: 9000}]
base used:
  test.configurable_test_state: [{changes: false}, {result: true}, {comment: used}]
base target:
  test.configurable_test_state: [{changes: false}]
base listener:
  test.configurable_test_state: [{changes: false}]
base user:
  test.configurable_test_state: []
base saviour:
  test.nop: []
