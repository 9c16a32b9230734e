//! Where apt and systemctl run while the minion is a service: in a scope of their own, so that a package may stop the very
//! minion that installs it.

use brine_interop_tests::failure::hold;
use brine_interop_tests::roots::{Init, Root};
use brine_interop_tests::{Result, Side};
use serde_json::json;

/// A package that says where its script runs, and stops the service that the minion is.
const PACKAGE: &str = r#"
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d/* /var/lib/apt/lists/*
mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists/partial /srv/repo /srv/deb/DEBIAN /srv/four/states /srv/four/conf
printf 'Package: zz-minion\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: A tiny package\n' \
  > /srv/deb/DEBIAN/control
cat > /srv/deb/DEBIAN/postinst <<'END'
#!/bin/sh
sed -n 's/run-[^.]*/run/; s/^0:://p' /proc/self/cgroup > /srv/began
systemctl stop four.service
echo stopped > /srv/ended
END
chmod 755 /srv/deb/DEBIAN/postinst
dpkg-deb --root-owner-group -b /srv/deb /srv/repo/zz-minion_1.0_all.deb >/dev/null
cd /srv/repo
{ cat /srv/deb/DEBIAN/control; echo "Filename: ./zz-minion_1.0_all.deb"; echo "Size: $(stat -c %s zz-minion_1.0_all.deb)"
  echo "SHA256: $(sha256sum < zz-minion_1.0_all.deb | cut -d' ' -f1)"; } > Packages
echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list
apt-get -qq update
printf 'zz-minion:\n  pkg.installed: []\n' > /srv/four/states/case.sls
"#;

/// What became of it: where the script ran, whether it came to its end, and whether the package is installed.
fn installed(side: Side, scope: bool) -> Result<String> {
    let mut root = Root::new(Init::Systemd, PACKAGE)?;
    let options = json!({
        "file_client": "local", "id": "four", "root_dir": "/srv/four/root", "pki_dir": "/srv/four/root/pki",
        "file_roots": {"base": ["/srv/four/states"]}, "systemd.scope": scope, "enable_fqdns_grains": false,
    });
    let unit = format!(
        "[Service]\nEnvironment=LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin\nExecStart={} -c \
         /srv/four/conf --local state.sls case\nTimeoutStopSec=5\n",
        side.program("salt-call")?.display()
    );
    let files =
        json!({"/srv/four/conf/minion": options.to_string(), "/etc/systemd/system/four.service": unit});
    root.ask(&json!({"do": "write", "files": files}))?;
    let script = "systemctl daemon-reload; systemctl start four.service\n\
        for i in $(seq 3000); do systemctl -q is-active four.service || break; sleep 0.1; done\n\
        for i in $(seq 600); do pgrep -x dpkg >/dev/null || break; sleep 0.1; done\n\
        cat /srv/began; cat /srv/ended 2>&1 || true; dpkg-query -Wf '${Status}' zz-minion";
    root.sh("/", script)
}

#[test]
fn a_package_may_stop_its_minion() -> Result {
    let ours = installed(Side::Ours, true)?;
    hold(ours == "/system.slice/run.scope\nstopped\ninstall ok installed", || {
        format!("in a scope of its own: {ours}")
    })?;
    let without = installed(Side::Ours, false)?;
    hold(without.starts_with("/system.slice/four.service\n"), || format!("in no scope: {without}"))?;
    hold(!without.contains("stopped"), || format!("stopped by itself: {without}"))
}

#[test]
fn so_it_is_with_stock() -> Result {
    let stock = installed(Side::Stock("3006.28"), true)?;
    hold(stock == "/system.slice/run.scope\nstopped\ninstall ok installed", || stock)
}
