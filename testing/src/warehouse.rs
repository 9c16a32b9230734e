//! Warehouses of any size for measurements and checks: machines in racks, with networks, names and services as a site has them.
//!
//! All that Pallet Jack's tools ask for is there, so every export can be made of one. The same number of machines gives the same files.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How many machines share a rack.
const RACK: usize = 40;
/// How many racks a room has, and rooms a building.
const ROOM: usize = 10;
/// How many machines share a network: each has as many addresses in it as it has interfaces.
const NETWORK: usize = 80;
/// How many interfaces a machine has.
const INTERFACES: usize = 3;

/// The transforms of the example of Pallet Jack's.
const TRANSFORMS: &str = include_str!("../../pillar/inventory/tests/data/inputs/example/transforms.yaml");

/// What installs systems.
const OS: &str = "Debian-12-x86_64";

/// Writes a warehouse into a folder that is empty or not there; gives the number of its objects, which is about nine for each machine.
///
/// # Errors
/// The file system's.
pub fn write(at: &Path, machines: usize) -> io::Result<usize> {
    let mut out = Writer { at: at.into(), objects: 0 };
    fs::create_dir_all(at)?;
    fs::write(at.join("transforms.yaml"), TRANSFORMS)?;
    out.services()?;
    for rack in 0..machines.div_ceil(RACK) {
        out.rack(rack)?;
    }
    for network in 0..machines.div_ceil(NETWORK) {
        out.network(network)?;
    }
    for machine in 0..machines {
        out.machine(machine)?;
    }
    Ok(out.objects)
}

/// The name of the system of a machine, from 0: its host name.
#[must_use]
pub fn system(machine: usize) -> String {
    format!("host{machine:05}")
}

/// The domain of a machine: the fully qualified name of its system is in that.
#[must_use]
pub fn domain(machine: usize) -> String {
    format!("net{}.example.com", machine / NETWORK)
}

struct Writer {
    at: PathBuf,
    objects: usize,
}

impl Writer {
    fn pallet(
        &mut self,
        kind: &str,
        name: &str,
        boxes: &[(&str, &str)],
        links: &[(&str, &str)],
    ) -> io::Result<()> {
        let folder = self.at.join(kind).join(name);
        fs::create_dir_all(&folder)?;
        for (name, text) in boxes {
            fs::write(folder.join(format!("{name}.yaml")), text)?;
        }
        let up = "../".repeat(2 + name.matches('/').count());
        for (name, target) in links {
            symlink(format!("{up}{target}"), folder.join(name))?;
        }
        self.objects += 1;
        Ok(())
    }

    fn services(&mut self) -> io::Result<()> {
        let kea = "service:\n  kea_v4:\n    interfaces-config:\n      interfaces: []\n    lease-database:\n      type: memfile\n";
        self.pallet("service", "dhcp-server", &[("kea", kea)], &[])?;
        let lifetime = "service:\n  kea_v4:\n    valid-lifetime: 4000\n";
        self.pallet("service", "dhcp-server/main", &[("kea", lifetime)], &[])?;
        let unbound = "service:\n  unbound:\n    server:\n      - interface: 127.0.0.1\n      - access-control: 10.0.0.0/8 allow\n";
        self.pallet("service", "dns-resolver/main", &[("unbound", unbound)], &[])?;
        self.pallet("service", "dns-resolver", &[], &[])?;
        let mirror = "host:\n  kickstart:\n    baseurl: http://mirror.example.com/debian/\n";
        self.pallet("os", OS, &[("kickstart", mirror)], &[])?;
        self.pallet("netinstall", OS, &[], &[("os", &format!("os/{OS}"))])?;
        let disk = "host:\n  kickstart:\n    label: single disk\n    use_disk: vda\n";
        self.pallet("netinstall", &format!("{OS}/single"), &[("kickstart", disk)], &[])?;
        let global = "pillar:\n  global:\n    each-pallet:\n      os: os\n    each-leaf-pallet:\n      netinstall: netinstall\n";
        let minion =
            "pillar:\n  per-minion:\n    each-subtree:\n      system: system\n      service: net.service\n";
        self.pallet("_config", "PalletJack2Salt", &[("global", global), ("per-minion", minion)], &[])
    }

    fn rack(&mut self, rack: usize) -> io::Result<()> {
        let (room, building) = (rack / ROOM, rack / ROOM / ROOM);
        if rack.is_multiple_of(ROOM * ROOM) {
            let text = format!("location:\n  building:\n    description: Building {building}\n");
            self.pallet("building", &format!("b{building}"), &[("location", &text)], &[])?;
        }
        if rack.is_multiple_of(ROOM) {
            let text = format!("location:\n  room:\n    floor: {}\n    number: {}\n", room % 4, 1000 + room);
            let link = format!("building/b{building}");
            self.pallet("room", &format!("room-{room}"), &[("location", &text)], &[("building", &link)])?;
        }
        let text = format!("location:\n  rack:\n    aisle: A{}\n    rack: {rack}\n", rack % ROOM);
        let link = format!("room/room-{room}");
        self.pallet("rack", &format!("r{rack}"), &[("location", &text)], &[("room", &link)])
    }

    fn network(&mut self, n: usize) -> io::Result<()> {
        let prefix = format!("10.{}.{}", n / 256, n % 256);
        let name = format!("{prefix}.0_24");
        let identity =
            format!("net:\n  ipv4:\n    gateway: {prefix}.1\n  dns:\n    resolver:\n      - {prefix}.1\n");
        let boot = format!("net:\n  dhcp:\n    tftp-server: {prefix}.1\n    boot-file: pxelinux.0\n");
        let boxes = [("identity", &*identity), ("netboot", &*boot)];
        self.pallet("ipv4_network", &name, &boxes, &[("dhcp", "service/dhcp-server/main")])?;
        let domain = domain(n * NETWORK);
        let ns = format!("{}.{domain}.", system(n * NETWORK));
        let dns = format!(
            "net:\n  dns:\n    ns:\n      - {ns}\n    soa-ns: {ns}\n    soa-contact: hostmaster@example.com\n    mx:\n      - priority: 10\n        server: {ns}\n    txt:\n      - text: \"v=spf1 mx\"\n"
        );
        let services = "net:\n  service:\n    syslog:\n      - address: syslog.example.com\n        port: 514\n        protocol: udp\n";
        let boxes = [("dns", &*dns), ("services", services)];
        self.pallet("domain", &domain, &boxes, &[("ipv4_network", &format!("ipv4_network/{name}"))])
    }

    fn machine(&mut self, n: usize) -> io::Result<()> {
        let (name, domain, network) = (system(n), domain(n), n / NETWORK);
        let chassis = format!("Maker:Server-{}:S{n:06}", 100 + n % 5);
        let slot = format!("location:\n  position:\n    slot: {}\n    height: 1\n", n % RACK + 1);
        let rack = format!("rack/r{}", n / RACK);
        self.pallet("chassis", &chassis, &[("location", &slot)], &[("rack", &rack)])?;
        let chassis = format!("chassis/{chassis}");
        let machine = [("type", "host:\n  type: physical\n")];
        self.pallet("machine", &name, &machine, &[("chassis", &chassis)])?;
        let role = ["web-server", "db-server", "kvm-server", "file-server"][n % 4];
        let role = format!("system:\n  role:\n    - {role}\n    - ssh-server\n");
        let boxes = [("architecture", "system:\n  architecture: x86_64\n"), ("role", &*role)];
        let domain = format!("domain/{domain}");
        let (machine, install) = (format!("machine/{name}"), format!("netinstall/{OS}/single"));
        let links = [("domain", &*domain), ("machine", &*machine), ("netinstall", &*install)];
        self.pallet("system", &name, &boxes, &links)?;
        for port in 0..INTERFACES {
            let mac = format!("02:00:{:02x}:{:02x}:{:02x}:{port:02x}", n >> 16, n >> 8 & 255, n & 255);
            let text = format!("chassis:\n  nic:\n    port: {}\n", port + 1);
            self.pallet("phy_nic", &mac, &[("location", &text)], &[("chassis", &chassis)])?;
            let last = 2 + n % NETWORK * INTERFACES + port;
            let prefix = format!("10.{}.{}", network / 256, network % 256);
            let other = format!("net:\n  dns:\n    name: {name}-{port}\n");
            let alias = format!("net:\n  dns:\n    alias:\n      - www{n}\n");
            let boxes: &[(&str, &str)] = match port {
                0 if n.is_multiple_of(10) => &[("dns", &alias)],
                0 => &[],
                _ => &[("dns", &other)],
            };
            let (net, nic, system) =
                (format!("ipv4_network/{prefix}.0_24"), format!("phy_nic/{mac}"), format!("system/{name}"));
            let links =
                [("domain", &*domain), ("ipv4_network", &*net), ("phy_nic", &*nic), ("system", &*system)];
            self.pallet("ipv4_interface", &format!("{prefix}.{last}"), boxes, &links)?;
        }
        Ok(())
    }
}
