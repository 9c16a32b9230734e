//! A warehouse that a test makes from a few words, and one with all that exports can do beyond Pallet Jack's.

use super::data;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// A warehouse that is being made.
pub(crate) struct Site(pub(crate) TempDir);

impl Site {
    /// With the transforms of Pallet Jack's example.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(data("inputs/example/transforms.yaml"), dir.path().join("transforms.yaml")).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file: `system/web/role.yaml`.
    pub(crate) fn file(&self, path: &str, text: &str) -> &Self {
        let at = self.path().join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
        self
    }

    /// A pallet with links by the kind that they lead to: `kind/name`.
    pub(crate) fn pallet(&self, path: &str, links: &[&str]) -> &Self {
        for target in links {
            self.link(path, target.split('/').next().unwrap(), target);
        }
        std::fs::create_dir_all(self.path().join(path)).unwrap();
        self
    }

    /// A link of a pallet.
    pub(crate) fn link(&self, path: &str, name: &str, target: &str) -> &Self {
        let at = self.path().join(path);
        std::fs::create_dir_all(&at).unwrap();
        let up = "../".repeat(path.split('/').count());
        symlink(format!("{up}{target}"), at.join(name)).unwrap();
        self
    }

    /// A domain with its name servers.
    pub(crate) fn domain(&self, name: &str, servers: &str) -> &Self {
        let text = format!(
            "net:\n  dns:\n    soa-ns: ns.a.example.\n    soa-contact: jo.doe@a.example\n    ns: [{servers}]\n"
        );
        self.file(&format!("domain/{name}/dns.yaml"), &text)
    }

    /// A host with one address: a system, a card and an interface.
    pub(crate) fn host(&self, name: &str, domain: &str, address: &str, network: &str, mac: &str) -> &Self {
        let family = if address.contains(':') { "ipv6" } else { "ipv4" };
        let (system, domain) = (format!("system/{name}"), format!("domain/{domain}"));
        if !self.path().join(&system).exists() {
            self.pallet(&system, &[&domain]);
        }
        let card = format!("phy_nic/{mac}");
        self.file(&format!("{card}/identity.yaml"), "net:\n  layer2:\n    name: eth0\n");
        let network = format!("{family}_network/{network}");
        self.pallet(&format!("{family}_interface/{address}"), &[&domain, &network, &card, &system])
    }
}

/// Networks of both families, nested, off the borders of octets, smaller than a /24, several for one domain.
pub(crate) fn rich() -> Site {
    let site = Site::new();
    let kea = "# pj: allow octal\nservice:\n  kea_v4:\n    interfaces-config: {interfaces: []}\n    lease-database: {type: memfile}\n    \
               boot-file-name: 0042\n    match-client-id: false\n  kea_v6:\n    interfaces-config: {interfaces: []}\n    lease-database: {type: memfile}\n    \
               preferred-lifetime: 3000\n";
    site.file("service/dhcp-server/main/kea.yaml", kea);
    let unbound = "service:\n  unbound:\n    server:\n    - interface: 127.0.0.1\n    - do-ip6: false\n";
    site.file("service/dns-resolver/main/unbound.yaml", unbound);
    site.domain("a.example", "ns, ns.elsewhere.test.")
        .domain("b.example", "ns.a.example.")
        .domain("c.example", "ns.a.example.");
    let more = "net:\n  dns:\n    ttl: 1h\n    txt:\n    - text: 'say \"x\" \\ ; $INCLUDE'\n    mx:\n    - server: mail\n    cname:\n      \
                www: mail\n      '*.any': mail\n";
    site.file("domain/a.example/more.yaml", more);
    for (domain, network) in [
        ("a.example", "ipv4_network/10.0.0.0_16"),
        ("a.example", "ipv4_network/10.0.1.0_24"),
        ("a.example", "ipv4_network/10.9.0.0_22"),
        ("a.example", "ipv4_network/192.0.2.0_24"),
        ("b.example", "ipv4_network/192.0.2.64_26"),
        ("c.example", "ipv4_network/198.51.100.8_29"),
        ("a.example", "ipv6_network/2001:db8:1::_64"),
        ("b.example", "ipv6_network/2001:db8:2::_47"),
    ] {
        site.pallet(network, &["service/dhcp-server/main"]).link(
            network,
            "domain",
            &format!("domain/{domain}"),
        );
    }
    for network in ["2001:db8:1::_64", "2001:db8:2::_47"] {
        site.file(
            &format!("ipv6_network/{network}/dns.yaml"),
            "net:\n  dns:\n    resolver: ['2001:db8:1::5']\n",
        );
    }
    site.file("ipv4_network/10.0.1.0_24/dhcp.yaml", "net:\n  ipv4: {gateway: 10.0.1.1}\n  dhcp: {boot-file: 'a,b', tftp-server: tftp.a.example, subnet-id: 7}\n  dns: {resolver: [10.0.0.5, '2001:db8:1::5']}\n");
    site.host("ns", "a.example", "10.0.0.5", "10.0.0.0_16", "52:54:00:00:00:01");
    site.host("ns", "a.example", "2001:db8:1::5", "2001:db8:1::_64", "52:54:00:00:00:01");
    site.host("mail", "a.example", "10.0.1.9", "10.0.1.0_24", "52:54:00:00:00:02");
    site.host("far", "a.example", "10.9.3.7", "10.9.0.0_22", "52:54:00:00:00:03");
    site.host("dmz", "a.example", "192.0.2.9", "192.0.2.0_24", "52:54:00:00:00:04");
    site.host("small", "b.example", "192.0.2.65", "192.0.2.64_26", "52:54:00:00:00:05");
    site.host("six", "b.example", "2001:db8:3::1", "2001:db8:2::_47", "52:54:00:00:00:06");
    site.host("tiny", "c.example", "198.51.100.9", "198.51.100.8_29", "52:54:00:00:00:07");
    site
}
