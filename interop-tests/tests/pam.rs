//! Stock's `salt -a pam` on our master, with the real PAM and accounts that exist only for this test: the network
//! namespace it runs in has files of its own in the place of `passwd`, `shadow`, `group` and `pam.d`. Needs root.

use std::fs;
use std::path::PathBuf;
use std::process;

use brine_interop_tests::failure::same;
use brine_interop_tests::netns::sys;
use brine_interop_tests::{Fleet, Result, Side};

/// `openssl passwd -6 -salt brinebrine right`
const RIGHT: &str =
    "$6$brinebrine$e11wtGj.uKs3NHIZwVBwiW.xSlJwgHslxTRME4AeCn8uzSQJ8Vqip5pmaGCm/lfPBasgEwKtivd8ovNF0CFGU0";

/// A namespace with accounts of its own; it is removed when dropped.
struct Accounts {
    name: String,
    etc: PathBuf,
}

impl Accounts {
    fn make() -> Result<Accounts> {
        let name = format!("brine-pam-{}", process::id());
        let etc = PathBuf::from("/etc/netns").join(&name);
        let accounts = Accounts { name, etc };
        let etc = &accounts.etc;
        fs::create_dir_all(etc.join("pam.d"))?;
        sys(&["ip", "netns", "add", &accounts.name])?;
        sys(&["ip", "-n", &accounts.name, "link", "set", "lo", "up"])?;
        let (mut passwd, mut shadow) =
            (fs::read_to_string("/etc/passwd")?, fs::read_to_string("/etc/shadow")?);
        for (uid, (user, expires)) in [("pamgood", ""), ("pamover", "1")].into_iter().enumerate() {
            passwd += &format!("{user}:x:{}:100::/:/bin/sh\n", 3900 + uid);
            shadow += &format!("{user}:{RIGHT}:19000:0:99999:7::{expires}:\n");
        }
        fs::write(etc.join("passwd"), passwd)?;
        fs::write(etc.join("shadow"), shadow)?;
        fs::write(etc.join("group"), fs::read_to_string("/etc/group")? + "pamops:x:3900:pamgood\n")?;
        fs::write(etc.join("pam.d/brine"), "auth required pam_unix.so\naccount required pam_unix.so\n")?;
        Ok(accounts)
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        let _ = sys(&["ip", "netns", "del", &self.name]);
        let _ = fs::remove_dir_all(&self.etc);
    }
}

#[test]
fn accounts_of_the_host_get_in_unless_they_are_expired() -> Result {
    let accounts = Accounts::make()?;
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    fleet.master_netns = Some(accounts.name.clone());
    fleet.minion_netns = Some(accounts.name.clone());
    fleet.settings.master_lines.push(
        "auth.pam.service: brine\nexternal_auth:\n  pam:\n    pamgood: [test.ping]\n    pamover: ['.*']\n    \
         pamops%: [grains.get]"
            .into(),
    );
    let fleet = fleet.start_accepted()?;
    for (user, password, words, want) in [
        ("pamgood", "right", &["m1", "test.ping"][..], "{\"m1\": true}"),
        // By the group.
        ("pamgood", "right", &["m1", "grains.get", "id"], "{\"m1\": \"m1\"}"),
        ("pamgood", "right", &["m1", "cmd.run", "id"], "\"Authorization error occurred.\""),
        ("pamgood", "wrong", &["m1", "test.ping"], "\"Authentication error occurred.\""),
        ("pamover", "right", &["m1", "test.ping"], "\"Authentication error occurred.\""),
        ("nobody-here", "right", &["m1", "test.ping"], "\"Authentication error occurred.\""),
    ] {
        let creds = ["-a", "pam", "--username", user, "--password", password];
        let ran = fleet.salt(&[&creds[..], words].concat())?;
        let got: serde_json::Value = serde_json::from_str(&ran.out)?;
        same(&format!("{user} {password} {words:?}"), got, serde_json::from_str::<serde_json::Value>(want)?)?;
    }
    Ok(())
}
