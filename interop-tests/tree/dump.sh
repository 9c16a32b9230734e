# What is compared beside the files, after each step.
set +e
getent passwd; getent group; cut -d: -f1,2,4- /etc/shadow
dpkg-query -W; apt-mark showhold; ls /var/cache/apt/archives
for user in root zzcron; do crontab -u $user -l; done
systemctl list-unit-files --no-legend --no-pager
for unit in zz-web zz-dead zz-enabled zz-disabled zz-watched zz-masked zz-unmasked; do systemctl is-active $unit; done
for n in install auto set remove; do update-alternatives --query zz-$n; done
iptables-save | grep -v '^[#:]'
debconf-get-selections | grep '^zz'
grep -E ' (/t|/mnt)/' /proc/mounts | cut -d' ' -f2- | sort
getfacl -pR /t/acl
for d in /opt/zz-latest /opt/zz-detached /opt/zz-cloned; do git -C $d rev-parse HEAD; git -C $d status -sb; git -C $d for-each-ref; git -C $d config --local --list | sort; done
ls /opt/zz-present.git; git config -f /srv/git/conf/.git/config --list
for d in /srv/venv /opt/zz-venv; do $d/bin/pip list --format=freeze; done
sysctl net.ipv4.conf.lo.log_martians; readlink /etc/localtime; ls /srv/mods
cat /srv/four/conf/grains; find /srv/four/root -path '*extmods*' -name '*.py' | sort
true
