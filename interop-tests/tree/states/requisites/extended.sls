#!jinja|yaml
to be extended:
  test.nop: []
extended by another:
  test.configurable_test_state: [{changes: false}]
