//! Two network namespaces joined by a cable: one for the master, one for the minion. The cable
//! can be cut in the ways real ones are. Needs root, `iproute2` and `nftables`.

use std::io::Write;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::failure::{Failure, Result};

/// Address of the master's end.
pub const MASTER: &str = "10.77.0.1";
/// First address of the minion's end.
pub const MINION: &str = "10.77.0.2";
/// Another address for the minion's end.
pub const MINION_MOVED: &str = "10.77.0.3";

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// The two namespaces; they are removed when dropped.
#[derive(Debug)]
pub struct Cable {
    /// Namespace of the master.
    pub master: String,
    /// Namespace of the minion.
    pub minion: String,
}

/// Runs a system program.
///
/// # Errors
/// When it is missing or fails; the message shows what it said.
pub fn sys(args: &[&str]) -> Result<String> {
    let (program, rest) = args.split_first().ok_or("no program")?;
    let out = Command::new(program)
        .args(rest)
        .output()
        .map_err(|e| Failure(format!("{program}: {e}; these tests need iproute2, nftables and openvpn")))?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(Failure(format!("{}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim())))
    }
}

/// Runs a system program inside a namespace.
///
/// # Errors
/// As [`sys`].
pub fn inside(ns: &str, args: &[&str]) -> Result<String> {
    let mut all = vec!["ip", "netns", "exec", ns];
    all.extend(args);
    sys(&all)
}

/// Loads nftables rules inside a namespace.
///
/// # Errors
/// When `nft` refuses them.
pub fn nft(ns: &str, rules: &str) -> Result {
    let mut child = Command::new("ip")
        .args(["netns", "exec", ns, "nft", "-f", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(rules.as_bytes())?;
    }
    let out = child.wait_with_output()?;
    if out.status.success() {
        Ok(())
    } else {
        Err(Failure(format!("nft: {}", String::from_utf8_lossy(&out.stderr).trim())))
    }
}

impl Cable {
    /// Makes both namespaces and the cable between them.
    ///
    /// # Errors
    /// When this process is not root or the kernel has no namespaces.
    pub fn lay() -> Result<Cable> {
        if !nix::unistd::geteuid().is_root() {
            return Err(Failure("network namespaces need root; run this test as root".into()));
        }
        let tag = format!("{}-{}", process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
        let cable = Cable { master: format!("brine-a-{tag}"), minion: format!("brine-b-{tag}") };
        for ns in [&cable.master, &cable.minion] {
            sys(&["ip", "netns", "add", ns])?;
            sys(&["ip", "-n", ns, "link", "set", "lo", "up"])?;
        }
        let peer = ["type", "veth", "peer", "name", "eth0", "netns", &cable.minion];
        let mut add = vec!["ip", "-n", &cable.master, "link", "add", "eth0"];
        add.extend(peer);
        sys(&add)?;
        for (ns, address) in [(&cable.master, MASTER), (&cable.minion, MINION)] {
            sys(&["ip", "-n", ns, "addr", "add", &format!("{address}/24"), "dev", "eth0"])?;
            sys(&["ip", "-n", ns, "link", "set", "eth0", "up"])?;
        }
        Ok(cable)
    }

    /// Drops every packet between the two silently, in both directions.
    ///
    /// # Errors
    /// When `nft` refuses.
    pub fn drop_packets(&self) -> Result {
        let rules = "table inet cut {\n chain i { type filter hook input priority 0; iifname eth0 drop; }\n \
                     chain o { type filter hook output priority 0; oifname eth0 drop; }\n}\n";
        nft(&self.minion, rules)
    }

    /// Lets packets pass again.
    ///
    /// # Errors
    /// When `nft` refuses.
    pub fn pass_packets(&self) -> Result {
        nft(&self.minion, "delete table inet cut\n")
    }

    /// Takes the minion's end down or up.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn set_link(&self, up: bool) -> Result {
        let word = if up { "up" } else { "down" };
        sys(&["ip", "-n", &self.minion, "link", "set", "eth0", word]).map(drop)
    }

    /// Gives the minion's end the address `to` in place of what it has.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn move_minion(&self, to: &str) -> Result {
        sys(&["ip", "-n", &self.minion, "addr", "flush", "dev", "eth0"])?;
        sys(&["ip", "-n", &self.minion, "addr", "add", &format!("{to}/24"), "dev", "eth0"]).map(drop)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for ns in [&self.master, &self.minion] {
            let _ = sys(&["ip", "netns", "del", ns]);
        }
    }
}
