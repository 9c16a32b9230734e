# From the repository in the root.
zz-one:
  pkg.installed: [{version: '1.1'}]
from a file:
  pkg.installed: [{sources: [zz-file: /srv/zz-file_1.0_all.deb]}]
zz-two:
  pkg.latest: []
zz-removed:
  pkg.removed: []
zz-purged:
  pkg.purged: []
zz-held:
  pkg.held: []
zz-free:
  pkg.unheld: []
zz-down:
  pkg.downloaded: [{version: '1.0'}]
some are up to date:
  pkg.uptodate: [{pkgs: [zz-old]}]

deb [trusted=yes] file:/srv/other ./:
  pkgrepo.managed: [{file: /etc/apt/sources.list.d/zz-other.list}, {require: [{pkg: some are up to date}]}]
deb [trusted=yes] file:/srv/none ./:
  pkgrepo.absent: [{require_in: [{pkg: zz-one}, {pkg: from a file}]}]

pkg.mod_watch:
  pkg.installed:
    - name: zz-four
    - watch: [{test: always changes}]

questions:
  debconf.set: [{name: zz-one}, {data: {zz-one/text: {type: string, value: new}, zz-one/flag: {type: boolean, value: true}}}]
questions of a file:
  debconf.set_file: [{source: salt://answers.txt}]
