include:
  - .edit
  - .clean

/t/managed:
  file.managed:
    - source: salt://files/motd.jinja
    - template: jinja
    - mode: '0640'
    - user: root
    - group: zzteam
    - context: {greeting: Hello}
    - defaults: {greeting: Hi, end: Bye}
    - require:
      - sls: accounts

/t/contents/below/it:
  file.managed:
    - contents_pillar: site:text
    - makedirs: true
    - dir_mode: '0750'
    - check_cmd: grep -q another

/t/dir:
  file.directory: [{mode: '0751'}, {user: zzann}, {recurse: [user]}]
/t/recursed:
  file.recurse:
    - source: salt://files/tree
    - file_mode: keep
    - dir_mode: '0755'
    - template: jinja
    - exclude_pat: '*.skip'
    - clean: true
/t/link:
  file.symlink: [{target: /t/managed}]
/t/hard:
  file.hardlink: [{target: /t/here}]
/t/here:
  file.exists: []
/t/nowhere:
  file.missing: []
/t/touched:
  file.touch: []
/t/pipe:
  file.mknod: [{ntype: p}, {mode: '0620'}]
/t/copied:
  file.copy: [{source: /t/original}, {mode: '0604'}]
/t/after:
  file.rename: [{source: /t/before}]
/t/serialized.json:
  file.serialize: [{dataset_pillar: site:data}, {serializer: json}]
/t/serialized.yaml:
  file.serialize: [{dataset: {b: [1, x], a: {c: true}}}, {formatter: yaml}]
/t/decoded:
  file.decode: [{contents_pillar: site:encoded}]

salt://files/motd.jinja:
  file.cached: []
salt://files/tree/a:
  file.not_cached: [{require: [{file: /t/recursed}]}]

/t/extracted:
  archive.extracted: [{source: /srv/packed.tar}]
