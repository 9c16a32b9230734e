# What is in both roots before the tree is applied. There is a network, and systemd does not run.
apt-get -qq update >/dev/null
apt-get -qq -y install acl cron iptables debconf-utils openssh-client patch git gnupg python3-venv >/dev/null
update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null || true
update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy >/dev/null || true

# A repository of packages, and no other from now on.
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/preferences.d /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
mkdir -p /etc/apt/sources.list.d /srv/repo /srv/other /var/lib/apt/lists/partial
make() {
  d=$(mktemp -d)
  mkdir -p $d/DEBIAN $d/usr/share/$1 $d/etc
  echo "$1 $2" > $d/usr/share/$1/version
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: N <n@example.com>\nDescription: tiny\n' $1 $2 > $d/DEBIAN/control
  if [ $1 = zz-purged ]; then echo x > $d/etc/$1.conf; echo /etc/$1.conf > $d/DEBIAN/conffiles; fi
  dpkg-deb --root-owner-group -b $d /srv/repo/$1_$2_all.deb >/dev/null
  rm -r $d
}
for p in one two three four removed purged held free down old; do make zz-$p 1.0; make zz-$p 1.1; done
make zz-file 1.0; mv /srv/repo/zz-file_1.0_all.deb /srv/
(cd /srv/repo && dpkg-scanpackages -m . > Packages 2>/dev/null)
cp /srv/repo/zz-one_1.0_all.deb /srv/other/; (cd /srv/other && dpkg-scanpackages -m . > Packages 2>/dev/null)
echo 'deb [trusted=yes] copy:/srv/repo ./' > /etc/apt/sources.list
echo 'deb [trusted=yes] file:/srv/none ./' > /etc/apt/sources.list.d/zz-gone.list
cd /srv/repo
dpkg -i zz-removed_1.0_all.deb zz-purged_1.0_all.deb zz-held_1.0_all.deb zz-free_1.0_all.deb zz-two_1.0_all.deb zz-old_1.0_all.deb >/dev/null
cd /
apt-mark hold zz-free >/dev/null

# Wheels, and an environment to put them in.
mkdir -p /srv/wheels
cat > /srv/wheel.py <<'P'
import sys, zipfile
name, version = sys.argv[1:]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(f"/srv/wheels/{name}-{version}-py3-none-any.whl", "w") as z:
    z.writestr(f"{name}.py", f"version = '{version}'\n")
    z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
P
for w in "zzone 1.0" "zzone 1.1" "zztwo 1.0" "zzold 1.0" "zzold 1.1"; do python3 /srv/wheel.py $w; done
printf '[global]\nno-index = true\nfind-links = /srv/wheels\ndisable-pip-version-check = true\n' > /etc/pip.conf
unset ${!PIP_*}
/usr/bin/python3 -m venv /srv/venv
/srv/venv/bin/pip -q install zzold==1.0 zztwo

# A repository of git's.
export HOME=/root GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
mkdir /srv/git; cd /srv/git
git init -q -b main src; cd src
echo 1 > a; git add a; git commit -qm one; git tag v1
git checkout -qb side; echo 2 > b; git add b; git commit -qm side; git checkout -q main
cd ..; git clone -q --bare src origin.git; rm -r src
git init -q -b main conf; git -C conf config --add user.nickname old; git -C conf config --add user.nickname new

# Programs that pretend to be those of the kernel's modules, which are this machine's.
mkdir -p /usr/local/sbin /srv/mods /lib/modules/$(uname -r)/kernel
touch /lib/modules/$(uname -r)/kernel/{zz-here,zz-gone}.ko /srv/mods/zz_gone
printf '#!/bin/sh\necho "Module Size Used by"\nfor m in $(ls /srv/mods); do echo "$m 16384 0"; done\n' > /usr/local/sbin/lsmod
printf '#!/bin/sh\ntouch /srv/mods/$1\n' > /usr/local/sbin/modprobe
printf '#!/bin/sh\nrm /srv/mods/$1\n' > /usr/local/sbin/rmmod
chmod 755 /usr/local/sbin/{lsmod,modprobe,rmmod}

# Services that do nothing.
for unit in zz-dead zz-enabled zz-disabled zz-watched; do
  printf '[Service]\nExecStart=/bin/sleep 10000\nExecReload=/bin/true\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/$unit.service
done
for unit in zz-dead zz-disabled; do
  ln -s /etc/systemd/system/$unit.service /etc/systemd/system/multi-user.target.wants/$unit.service
done
printf '[Service]\nExecStart=/bin/sleep 10000\n' > /lib/systemd/system/zz-masked.service
ln -s /dev/null /etc/systemd/system/zz-unmasked.service
printf '[Service]\nExecStart=/bin/sleep 10000\n' > /lib/systemd/system/zz-unmasked.service
rm -f /etc/systemd/system/cron.service /usr/bin/timedatectl
ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC > /etc/timezone

# Accounts, and what goes.
groupadd -g 5201 zzold; useradd -u 5202 -m zzleaver; useradd -u 5203 -m zzkeys
mkdir -m 700 /home/zzkeys/.ssh; printf 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB gone\n' > /home/zzkeys/.ssh/authorized_keys
printf 'gone.example.com ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB\n' > /home/zzkeys/.ssh/known_hosts; chown -R zzkeys: /home/zzkeys/.ssh
printf 'root: me\nzzgone: x\n' > /etc/aliases
mkdir -p /srv/four/conf; printf 'zz_appended: [first]\n' > /srv/four/conf/grains
printf '127.0.0.1\tlocalhost\n10.9.0.9\tgone.example.com stays.example.com\n10.9.0.8\tc d\n' > /etc/hosts
printf 'LANG="C"\n' > /etc/default/locale
printf '# Lines below here are managed by Salt, do not edit\nGONE=1\n# SALT_CRON_IDENTIFIER:gone\n3 * * * * echo gone\n' | crontab -
printf 'MAILTO=me\n7 * * * * echo of a file\n' > /srv/crontab; useradd -u 5204 -m zzcron
for n in 1 2 3; do printf '#!/bin/sh\n' > /usr/bin/zzalt$n; chmod 755 /usr/bin/zzalt$n; done
for n in auto set remove; do for i in 1 2; do update-alternatives --install /usr/bin/zz-$n zz-$n /usr/bin/zzalt$i $i >/dev/null; done; done
update-alternatives --set zz-auto /usr/bin/zzalt1 >/dev/null

# Files.
mkdir -p /t/acl/d /t/tidy/old /t/prune/empty/deep /t/keep /t/edit /t/gone/below /t/ini /srv/web /mnt/gone
cd /t
touch acl/f acl/g; setfacl -m u:zzkeys:r,u:zzcron:r acl/f; setfacl -m u:zzkeys:r acl/g
echo fine > /srv/web/index.html; echo x > gone/below/x; echo here > here; echo renamed > before; echo copied > original
touch -d '2020-01-01' tidy/old/log; for d in 2024-01-01 2024-01-02 2024-02-01 2025-01-01; do echo $d > keep/backup-$d; done
printf 'alpha\nbeta\n' > edit/line; printf 'Port 22\n' > edit/replace; printf '1\n#-- start managed zone --\nold\n#-- end managed zone --\n' > edit/block
printf 'one\ntwo\n' > edit/comment; printf '#one\ntwo\n' > edit/uncomment; printf 'a=1\n#b=2\n' > edit/keys; printf 'one\n' > edit/append
printf 'one\n' > edit/prepend; printf 'one\ntwo\nthree\n' > edit/patch
printf '[one]\na = 1\nb = 2\n[two]\nc = 3\n' > ini/absent; printf '[one]\na = 1\n[gone]\nb = 2\n' > ini/sections
mkdir packed; echo in the archive > packed/a; tar -cf /srv/packed.tar packed; rm -r packed
printf '/dev/zz-gone /mnt/gone ext4 ro 0 0\n' > /srv/fstab
