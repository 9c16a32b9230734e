//! An OpenVPN tunnel over TCP port 443 between the two ends of a [`Cable`], on which the minion's
//! end lets nothing else out. Both ends know each other by certificate fingerprint.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::daemon::{Daemon, command};
use crate::failure::{Failure, Result};
use crate::netns::{Cable, MASTER, inside, nft, sys};
use crate::wait;

/// The master's address in the tunnel.
pub const TUNNEL_MASTER: &str = "10.99.0.1";

/// How long the tunnel may take to come up.
const UP: Duration = Duration::from_secs(30);

/// Only the tunnel may use the cable.
const ONLY_443: &str = "table inet fence {
 chain o { type filter hook output priority 0; policy drop;
  oifname { lo, tun0 } accept
  oifname eth0 tcp dport 443 accept
 }
 chain i { type filter hook input priority 0; policy drop;
  iifname { lo, tun0 } accept
  iifname eth0 tcp sport 443 accept
 }
}
";

/// The tunnel's files and its two processes.
#[derive(Debug)]
pub struct Tunnel {
    dir: PathBuf,
    client: Option<Daemon>,
    _server: Daemon,
}

fn certificate(dir: &Path, name: &str) -> Result<String> {
    let file = |ext: &str| dir.join(format!("{name}.{ext}")).display().to_string();
    let (key, crt) = (file("key"), file("crt"));
    sys(&[
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        &format!("/CN={name}"),
        "-keyout",
        &key,
        "-out",
        &crt,
    ])?;
    let shown = sys(&["openssl", "x509", "-in", &crt, "-noout", "-fingerprint", "-sha256"])?;
    shown
        .trim()
        .split_once('=')
        .map(|(_, f)| f.to_owned())
        .ok_or_else(|| Failure(format!("fingerprint: {shown}")))
}

impl Tunnel {
    /// Closes the cable to everything but port 443 and opens the tunnel; the minion's end gets
    /// the address `minion` in it.
    ///
    /// # Errors
    /// When OpenVPN is missing or the tunnel does not come up.
    pub fn open(cable: &Cable, dir: &Path, minion: &str) -> Result<Tunnel> {
        fs::create_dir_all(dir.join("ccd"))?;
        let server_print = certificate(dir, "server")?;
        let client_print = certificate(dir, "client")?;
        nft(&cable.minion, ONLY_443)?;
        let d = dir.display();
        let server = format!(
            "dev tun0\ndev-type tun\nproto tcp-server\nport 443\nserver 10.99.0.0 255.255.255.0\ntopology subnet\n\
             dh none\ncert {d}/server.crt\nkey {d}/server.key\n\
             <peer-fingerprint>\n{client_print}\n</peer-fingerprint>\nclient-config-dir {d}/ccd\nkeepalive 1 4\n\
             tmp-dir {d}\nverb 3\n"
        );
        let client = format!(
            "client\ndev tun0\ndev-type tun\nproto tcp-client\nremote {MASTER} 443\nnobind\nconnect-retry 1 2\n\
             cert {d}/client.crt\nkey {d}/client.key\n\
             <peer-fingerprint>\n{server_print}\n</peer-fingerprint>\nverb 3\n"
        );
        fs::write(dir.join("server.conf"), server)?;
        fs::write(dir.join("client.conf"), client)?;
        let server = Tunnel::end(&cable.master, dir, "server")?;
        let mut tunnel = Tunnel { dir: dir.to_owned(), client: None, _server: server };
        tunnel.connect(cable, minion)?;
        Ok(tunnel)
    }

    fn end(ns: &str, dir: &Path, name: &str) -> Result<Daemon> {
        let mut cmd = command(Some(ns), Path::new("openvpn"));
        cmd.arg("--config").arg(dir.join(format!("{name}.conf")));
        Daemon::start(&format!("openvpn {name}"), cmd, &dir.join(format!("{name}.log")))
    }

    /// Starts the minion's end with the address `minion` and waits until packets pass.
    ///
    /// # Errors
    /// When they do not.
    pub fn connect(&mut self, cable: &Cable, minion: &str) -> Result {
        fs::write(self.dir.join("ccd/client"), format!("ifconfig-push {minion} 255.255.255.0\n"))?;
        let client = Tunnel::end(&cable.minion, &self.dir, "client")?;
        let up = wait::until("the tunnel to come up", UP, || {
            Ok(inside(&cable.minion, &["ping", "-c", "1", "-W", "1", "-I", minion, TUNNEL_MASTER]).ok())
        });
        if let Err(e) = up {
            return Err(Failure(format!("{e}\n{}", client.tail(30))));
        }
        self.client = Some(client);
        Ok(())
    }

    /// Kills the minion's end of the tunnel.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&mut self) -> Result {
        match self.client.take() {
            Some(mut client) => client.kill(),
            None => Ok(()),
        }
    }
}
