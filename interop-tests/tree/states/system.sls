echo of the crontab:
  cron.present: [{minute: 5}, {hour: '*/2'}, {identifier: present}, {comment: of the tree}]
echo gone:
  cron.absent: [{identifier: gone}]
MAILTO:
  cron.env_present: [{value: me@example.com}]
GONE:
  cron.env_absent: []
/srv/crontab:
  cron.file: [{user: zzcron}]

zz-install:
  alternatives.install: [{link: /usr/bin/zz-install}, {path: /usr/bin/zzalt1}, {priority: 10}]
zz-auto:
  alternatives.auto: []
zz-set:
  alternatives.set: [{path: /usr/bin/zzalt1}]
zz-remove:
  alternatives.remove: [{path: /usr/bin/zzalt2}]

a.example.com:
  host.present: [{ip: 10.9.0.1}, {names: [a.example.com, a]}]
gone from the hosts:
  host.absent: [{name: gone.example.com}, {ip: 10.9.0.9}]
10.9.0.8:
  host.only: [{hostnames: [c]}]

net.ipv4.conf.lo.log_martians:
  sysctl.present: [{value: 1}]
Europe/Berlin:
  timezone.system: []
en_IE.UTF-8:
  locale.present: []
C.UTF-8:
  locale.system: []
zz_here:
  kmod.present: [{persist: true}]
zz_gone:
  kmod.absent: []

/t/mounted:
  mount.mounted: [{device: tmpfs}, {fstype: tmpfs}, {mkmnt: true}, {opts: 'size=1m,mode=755'}, {config: /srv/fstab}]
/t/unmounted:
  mount.unmounted: []
/dev/zz-new:
  mount.fstab_present: [{fs_file: /mnt/new}, {fs_vfstype: ext4}, {config: /srv/fstab}]
/dev/zz-gone:
  mount.fstab_absent: [{fs_file: /mnt/gone}, {config: /srv/fstab}]
mount.mod_watch:
  mount.mounted:
    - name: /t/remounted
    - device: tmpfs
    - fstype: tmpfs
    - mkmnt: true
    - opts: size=1m
    - persist: false
    - watch: [{test: always changes}]

zz-chain:
  iptables.chain_present: []
zz-no-chain:
  iptables.chain_absent: []
a rule at the end:
  iptables.append: [{chain: zz-chain}, {proto: tcp}, {dport: 22}, {jump: ACCEPT}, {require: [{iptables: zz-chain}]}]
a rule at the start:
  iptables.insert: [{chain: zz-chain}, {position: 1}, {proto: udp}, {jump: DROP}, {require: [{iptables: a rule at the end}]}]
a rule that goes:
  iptables.delete: [{chain: zz-chain}, {proto: icmp}, {jump: DROP}, {require: [{iptables: zz-chain}]}]
a policy:
  iptables.set_policy: [{chain: FORWARD}, {policy: DROP}]
zz-empty:
  iptables.chain_present: []
an empty chain:
  iptables.flush: [{chain: zz-empty}, {require: [{iptables: zz-empty}]}]

zz_word:
  grains.present: [{value: one}]
zz_list:
  grains.list_present: [{value: [a, b]}]
zz_appended:
  grains.append: [{value: last}]
not in the list:
  grains.list_absent: [{name: zz_list}, {value: c}, {require: [{grains: zz_list}]}]
zz_none:
  grains.absent: []
kernel:
  grains.exists: []

zz-job:
  schedule.present: [{function: test.ping}, {seconds: 3600}, {offline: true}]
zz-no-job:
  schedule.absent: [{offline: true}]
zz-enabled-job:
  schedule.enabled: []
zz-disabled-job:
  schedule.disabled: [{offline: true}]
