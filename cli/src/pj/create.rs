//! `pj create`: the skeletons of a domain, a system or an interface. Nothing that is there is changed: boxes stay as they are, and
//! so do links; what would have to be changed is told, and the command fails.

use super::{Told, print};
use crate::exit::{CliError, GENERIC, Result};
use brine_inventory::export::Cidr;
use serde_json::json;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const NETWORK_IDENTITY: &str = "---\nnet:\n  ipv4:\n    gateway: ''\n  dns:\n    resolver:\n    - ''\n";
const NETWORK_IDENTITY_6: &str = "---\nnet:\n  dns:\n    resolver:\n    - ''\n";
const NETWORK_DHCP: &str = "---\nnet:\n  dhcp:\n    tftp-server: ''\n    boot-file: ''\n";
const DOMAIN_DNS: &str = "---\nnet:\n  dns:\n    ns:\n    - ''\n    soa-ns: ''\n    soa-contact: ''\n";
const DOMAIN_SERVICES: &str =
    "---\nnet:\n  service:\n    syslog:\n    - address: ''\n      port: '514'\n      protocol: udp\n";
const SYSTEM_ROLE: &str = "---\nsystem:\n  role:\n  - ''\n";
const CARD_IDENTITY: &str = "---\nnet:\n  layer2:\n    name: ''\n";

pub(super) fn run(told: &Told) -> Result {
    told.no_arguments()?;
    let root = PathBuf::from(told.get("warehouse").unwrap_or("."));
    if !root.join("transforms.yaml").is_file() {
        let shown = root.display();
        return Err(CliError::Config(format!("{shown} is no warehouse: it has no transforms.yaml")));
    }
    let mut work = Work { told, root, made: Vec::new(), left: Vec::new(), other: Vec::new() };
    match told.program.name {
        "pj create domain" => work.domain()?,
        "pj create system" => work.system()?,
        _ => work.interface()?,
    }
    work.report()
}

/// What is being made. Paths are relative to the warehouse.
struct Work<'a> {
    told: &'a Told,
    root: PathBuf,
    made: Vec<String>,
    /// There already.
    left: Vec<String>,
    /// There, and not as it was asked for.
    other: Vec<String>,
}

impl Work<'_> {
    fn domain(&mut self) -> Result {
        let (_, network) = self.network()?;
        let domain = format!("domain/{}", self.name("domain", "-d")?);
        let v6 = network.starts_with("ipv6");
        self.put(&network, "identity.yaml", if v6 { NETWORK_IDENTITY_6 } else { NETWORK_IDENTITY })?;
        if !v6 {
            self.put(&network, "dhcp.yaml", NETWORK_DHCP)?;
        }
        self.put(&domain, "dns.yaml", DOMAIN_DNS)?;
        self.put(&domain, "services.yaml", DOMAIN_SERVICES)?;
        self.link(&domain, if v6 { "ipv6_network" } else { "ipv4_network" }, &network)
    }

    fn system(&mut self) -> Result {
        let system = format!("system/{}", self.name("system", "-s")?);
        let domain = self.there("domain", self.name("domain", "-d")?)?;
        let (kind, other, target) = match (self.told.get("os"), self.told.get("netinstall")) {
            (Some(os), None) => ("os", "netinstall", self.there("os", os)?),
            (None, Some(way)) => ("netinstall", "os", self.there("netinstall", way)?),
            _ => return Err(self.told.usage("either option -o or option -n is needed")),
        };
        let second = self.root.join(&system).join(other);
        if fs::symlink_metadata(&second).is_ok() {
            let message = format!("{system} has a link {other}, and can have only one of os and netinstall");
            return Err(CliError::Config(message));
        }
        self.put(&system, "role.yaml", SYSTEM_ROLE)?;
        self.link(&system, "domain", &domain)?;
        self.link(&system, kind, &target)
    }

    fn interface(&mut self) -> Result {
        let address = self.told.needed("ip", "-i")?;
        let parsed: Option<IpAddr> = address.parse().ok();
        let parsed = parsed.ok_or_else(|| self.told.usage(&format!("{address:?} is no address")))?;
        let (cidr, network) = self.network()?;
        if !cidr.contains(parsed) {
            return Err(self.told.usage(&format!("{parsed} is no address of {cidr}")));
        }
        let mac = self.told.needed("mac", "-m")?.to_ascii_lowercase();
        let octets: Vec<&str> = mac.split(':').collect();
        let octet = |o: &&str| o.len() == 2 && o.bytes().all(|b| b.is_ascii_hexdigit());
        if octets.len() != 6 || !octets.iter().all(octet) {
            return Err(self.told.usage(&format!("{mac:?} is no MAC address")));
        }
        let system = self.there("system", self.name("system", "-s")?)?;
        let domain = self.there("domain", self.name("domain", "-d")?)?;
        let (kind, name) = network.split_once('/').unwrap_or_default();
        let network = self.there(kind, name)?;
        let interface = format!("{}/{parsed}", kind.replace("network", "interface"));
        let card = format!("phy_nic/{mac}");
        self.put(&card, "identity.yaml", CARD_IDENTITY)?;
        for (link, target) in [(kind, &network), ("domain", &domain), ("phy_nic", &card), ("system", &system)]
        {
            self.link(&interface, link, target)?;
        }
        Ok(())
    }

    /// The network of `-n`, and its pallet.
    fn network(&self) -> Result<(Cidr, String)> {
        let text = self.told.needed("network", "-n")?;
        let cidr = Cidr::parse(text).ok_or_else(|| {
            self.told
                .usage(&format!("{text:?} is no network: address/length, with no bits set behind the length"))
        })?;
        let kind = if cidr.first().is_ipv4() { "ipv4_network" } else { "ipv6_network" };
        Ok((cidr, format!("{kind}/{}", cidr.to_string().replace('/', "_"))))
    }

    /// A name for a pallet.
    fn name(&self, key: &str, option: &str) -> Result<&str> {
        let name = self.told.needed(key, option)?;
        if is_pallet_name(name) {
            Ok(name)
        } else {
            Err(self.told.usage(&format!("{name:?} is no name for a pallet")))
        }
    }

    /// The path of a pallet that must be there.
    fn there(&self, kind: &str, full_name: &str) -> Result<String> {
        let path = format!("{kind}/{full_name}");
        let inside = full_name.split('/').all(is_pallet_name);
        if inside && self.root.join(&path).is_dir() {
            Ok(path)
        } else {
            Err(CliError::Config(format!("there is no {kind} {full_name:?}")))
        }
    }

    /// Makes a box, unless it is there.
    fn put(&mut self, pallet: &str, name: &str, text: &str) -> Result {
        let path = format!("{pallet}/{name}");
        let at = self.root.join(&path);
        let failed = |e| CliError::io(&at, e);
        fs::create_dir_all(self.root.join(pallet)).map_err(failed)?;
        match fs::OpenOptions::new().write(true).create_new(true).open(&at) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(failed)?;
                self.made.push(path);
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => self.left.push(path),
            Err(e) => return Err(failed(e)),
        }
        Ok(())
    }

    /// Makes a link from a pallet to another, unless it is there.
    fn link(&mut self, pallet: &str, name: &str, target: &str) -> Result {
        let path = format!("{pallet}/{name}");
        let at = self.root.join(&path);
        let up = "../".repeat(pallet.split('/').count());
        let wanted = format!("{up}{target}");
        let failed = |e| CliError::io(&at, e);
        fs::create_dir_all(self.root.join(pallet)).map_err(failed)?;
        match symlink(&wanted, &at) {
            Ok(()) => self.made.push(format!("{path} -> {target}")),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let real = |p: &Path| fs::canonicalize(p).ok();
                let there = real(&at);
                if there.is_some() && there == real(&self.root.join(target)) {
                    self.left.push(format!("{path} -> {target}"));
                } else {
                    self.other.push(format!("{path} (it was to be a link to {target})"));
                }
            }
            Err(e) => return Err(failed(e)),
        }
        Ok(())
    }

    fn report(self) -> Result {
        if self.told.has("json") {
            print::json_text(&json!({"made": self.made, "left": self.left, "in_the_way": self.other}))?;
        } else {
            let all = [("made", &self.made), ("left", &self.left), ("in the way", &self.other)];
            let lines =
                all.into_iter().flat_map(|(what, paths)| paths.iter().map(move |p| format!("{what} {p}\n")));
            print::text(&lines.collect::<String>())?;
        }
        if self.other.is_empty() { Ok(()) } else { Err(CliError::Code(GENERIC)) }
    }
}

/// One folder's name that the program itself may make.
fn is_pallet_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['.', '-']) && !name.contains(|c: char| c == '/' || c.is_control())
}
