always changes:
  test.succeed_with_changes: []
never changes:
  test.succeed_without_changes: []

ZZ_WORD:
  environ.setenv: [{value: in the environment}]
echo "$ZZ_WORD"; umask; pwd:
  cmd.run: [{cwd: /t}, {umask: '027'}, {require: [{environ: ZZ_WORD}]}]
id -un:
  cmd.run: [{runas: zzcron}, {cwd: /}]
touch /t/created:
  cmd.run: [{creates: /t/created}]
a script:
  cmd.script: [{source: 'salt://script.sh'}, {args: "one 'two three'"}, {cwd: /t}, {stateful: true}]
echo waited:
  cmd.wait: [{watch: [{test: always changes}]}]
echo never:
  cmd.wait: [{watch: [{test: never changes}]}]
echo watched:
  cmd.watch: [{watch: [{test: always changes}]}]
a script that waits:
  cmd.wait_script: [{source: 'salt://script.sh'}, {cwd: /t}, {watch: [{test: always changes}]}]
cmd.mod_watch:
  cmd.run: [{name: echo mod_watch}, {stateful: true}, {watch: [{test: always changes}]}]

functions in one:
  module.run: [{test.echo: [hello]}, {test.arg: [1, {a: 2}]}, {file.basename: [/a/b]}]
test.ping:
  module.wait: [{watch: [{test: always changes}]}]
a function that is watched:
  module.watch: [{name: test.ping}, {watch: [{test: always changes}]}]
module.mod_watch:
  module.run: [{test.echo: [again]}, {watch: [{test: always changes}]}]

zz/sent:
  event.send: [{data: {a: 1}}, {with_grains: [kernel]}]
zz/fired:
  event.fire_master: [{data: {a: 1}}, {show_changed: false}]
zz/waited:
  event.wait: [{watch: [{test: always changes}]}]
event.mod_watch:
  event.wait: [{name: zz/watched}, {watch: [{test: always changes}]}]

nothing:
  test.nop: []
a notice:
  test.show_notification: [{text: seen}]
as configured:
  test.configurable_test_state: [{changes: true}, {result: true}, {comment: as told}, {warnings: [beware]}]
test.mod_watch:
  test.configurable_test_state: [{changes: false}, {watch: [{test: always changes}]}]
the pillar:
  test.check_pillar: [{present: [site]}, {integer: ['site:number']}, {dictionary: ['site:data']}, {listing: ['site:data:list']}]
