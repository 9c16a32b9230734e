# Each kind of requisite, each way to name what is required, and what else the runner does with a state.
include:
  - .base
  - requisites.extended

exclude:
  - id: is left out

extend:
  to be extended:
    test:
      - require:
        - test: req first
  extended by another:
    test.configurable_test_state:
      - comment: extended

req first:
  test.nop: [{order: first}]
req last:
  test.nop: [{order: last}]
req numbered:
  test.nop: [{order: 5}]
is left out:
  test.fail_without_changes: []

req require:
  test.nop: [{require: [{test: base changes}, {id: base same}, {sls: requisites.extended}]}]
req glob:
  test.nop: [{require: [{test: 'base sa*'}]}]
req require_any:
  test.nop: [{require_any: [{test: base fails}, {test: base changes}]}]
req unmet:
  test.nop: [{require: [{test: base fails}]}]
req watch:
  test.configurable_test_state: [{changes: false}, {watch: [{test: base changes}]}]
req watch_any:
  test.configurable_test_state: [{changes: false}, {watch_any: [{test: base same}, {test: base changes}]}]
req onchanges:
  test.nop: [{onchanges: [{test: base changes}]}]
req no onchanges:
  test.nop: [{onchanges: [{test: base same}]}]
req onchanges_any:
  test.nop: [{onchanges_any: [{test: base same}, {test: base changes}]}]
req onfail:
  test.nop: [{onfail: [{test: base fails}]}]
req no onfail:
  test.nop: [{onfail: [{test: base changes}]}]
req onfail_any:
  test.nop: [{onfail_any: [{test: base fails}, {test: base changes}]}]
req onfail_all:
  test.nop: [{onfail_all: [{test: base fails}, {test: base fails too}]}]
req onfail_stop:
  test.fail_without_changes: [{onfail: [{test: base fails}]}, {onfail_stop: false}]
req after onfail_stop:
  test.nop: [{require: [{test: req onfail_stop}]}]
req prereq:
  test.succeed_with_changes: [{prereq: [{test: base changes last}]}]
req no prereq:
  test.succeed_with_changes: [{prereq: [{test: base same}]}]
req listen:
  test.configurable_test_state: [{changes: false}, {listen: [{test: base changes}]}]
req use:
  test.configurable_test_state: [{use: [{test: base used}]}]

req ins:
  test.configurable_test_state:
    - require_in: [{test: base target}]
    - watch_in: [{test: base target}]
    - onchanges_in: [{test: base target}]
    - listen_in: [{test: base listener}]
    - use_in: [{test: base user}]
    - comment: given away
req prereq_in:
  test.succeed_with_changes: [{prereq_in: [{test: req prereq in's}]}]
req prereq in's:
  test.succeed_with_changes: []
req onfail_in:
  test.fail_without_changes: [{onfail_in: [{test: base saviour}]}]

req onlyif:
  test.nop: [{onlyif: [test -d /, {fun: test.true}, {fun: file.file_exists, path: /etc/passwd}]}]
req not onlyif:
  test.nop: [{onlyif: 'false'}]
req unless:
  test.nop: [{unless: [{fun: match.compound, tgt: 'not G@kernel:Linux'}, 'false']}]
req not unless:
  test.nop: [{unless: ['true']}]
req check_cmd:
  test.succeed_with_changes: [{check_cmd: ['true']}]
req not check_cmd:
  test.succeed_with_changes: [{check_cmd: ['false']}]
req retry:
  test.configurable_test_state: [{result: false}, {changes: false}, {retry: {attempts: 2, interval: 1, until: true}}]
req names:
  test.nop: [{names: [req name one, req name two: [{require: [{test: req name one}]}]]}]
req fire_event:
  test.succeed_with_changes: [{fire_event: zz/state}]
req reload:
  test.nop: [{reload_modules: true}, {reload_grains: true}, {reload_pillar: true}]
{% for n in range(4) %}
req parallel {{ n }}:
  cmd.run: [{name: 'sleep 0.2; echo {{ n }}'}, {parallel: true}, {require_in: [{test: req after the parallel}]}]
{% endfor %}
req after the parallel:
  test.nop: []
