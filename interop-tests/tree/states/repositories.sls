file:///srv/git/origin.git:
  git.latest: [{target: /opt/zz-latest}, {rev: main}]
a commit:
  git.detached: [{name: 'file:///srv/git/origin.git'}, {target: /opt/zz-detached}, {rev: v1}]
a clone:
  git.cloned: [{name: 'file:///srv/git/origin.git'}, {target: /opt/zz-cloned}, {branch: side}]
/opt/zz-present.git:
  git.present: []
user.name:
  git.config_set: [{value: Joe}, {repo: /srv/git/conf}]
user.nickname:
  git.config_unset: [{value_regex: old}, {repo: /srv/git/conf}]

/opt/zz-venv:
  virtualenv.managed: [{venv_bin: /usr/bin/python3}]
the environment that is there:
  virtualenv.manage: [{name: /srv/venv}, {venv_bin: /usr/bin/python3}]
zzone==1.0:
  pip.installed: [{bin_env: /opt/zz-venv}, {require: [{virtualenv: /opt/zz-venv}]}]
zztwo:
  pip.removed: [{bin_env: /srv/venv}]
wheels are up to date:
  pip.uptodate: [{bin_env: /srv/venv}]
