{% for name, user in salt['pillar.get']('users', {}).items() %}
{{ name }}:
  group.present:
    - gid: {{ user.uid }}
  user.present:
    - uid: {{ user.uid }}
    - gid: {{ user.uid }}
    - shell: {{ user.shell }}
    - groups: [zzteam]
    - fullname: {{ name | upper }}
    - require:
      - group: {{ name }}
      - group: zzteam
{% endfor %}

zzteam:
  group.present: [{gid: 5300}]

zzold:
  group.absent: []
zzleaver:
  user.absent: [{purge: true}]

keys of zzkeys:
  ssh_auth.present:
    - user: zzkeys
    - names:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 one
      - ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB two
AAAAB3NzaC1yc2EAAAADAQAB:
  ssh_auth.absent: [{user: zzkeys}]
only these of zzcron:
  ssh_auth.manage:
    - user: zzcron
    - ssh_keys: [ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAC three]

example.com:
  ssh_known_hosts.present: [{user: zzkeys}, {enc: ssh-rsa}, {key: AAAAB3NzaC1yc2EAAAADAQABAAAB}, {hash_known_hosts: false}]
gone.example.com:
  ssh_known_hosts.absent: [{user: zzkeys}]

postmaster:
  alias.present: [{target: root}]
zzgone:
  alias.absent: []

/t/acl/f:
  acl.present: [{acl_type: user}, {acl_name: zzann}, {perms: rw}, {require: [{user: zzann}]}]
several may:
  acl.list_present: [{name: /t/acl/d}, {acl_type: user}, {acl_names: [zzkeys, zzcron]}, {perms: rx}]
one may not:
  acl.absent: [{name: /t/acl/f}, {acl_type: user}, {acl_name: zzkeys}, {perms: r}]
several may not:
  acl.list_absent: [{name: /t/acl/g}, {acl_type: user}, {acl_names: [zzkeys]}]
