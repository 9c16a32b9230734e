//! The names of this machine that could serve as its id, best first.

use super::FoundId;
use std::fs;
use std::net::{IpAddr, ToSocketAddrs};

/// Candidate names.
pub struct Names(Vec<String>);

impl Names {
    /// Asks the system: host name and its full form, the name files, `/etc/hosts`, and addresses.
    pub fn of_this_machine() -> Self {
        let host = nix::unistd::gethostname().ok().and_then(|n| n.into_string().ok()).unwrap_or_default();
        let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
        let full = full_name(&host, &hosts);
        let files: String = ["/etc/hostname", "/etc/nodename"]
            .iter()
            .filter_map(|f| fs::read_to_string(f).ok())
            .chain([hosts])
            .map(|text| text + "\n")
            .collect();
        Self::of(&[&full, &host], &files, &own_addresses())
    }

    /// Candidates from host names, the text of the name files, and addresses.
    pub fn of(hosts: &[&str], files: &str, addresses: &[IpAddr]) -> Self {
        let mut names = Self(Vec::new());
        for host in hosts {
            names.add(host);
        }
        for line in files.lines() {
            let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().collect();
            match words.first() {
                // Of `/etc/hosts` the loopback lines; a line of one word is a whole name file.
                Some(first) if words.len() == 1 || first.starts_with("127.") || *first == "::1" => {
                    words.iter().for_each(|w| names.add(w));
                }
                _ => {}
            }
        }
        for address in addresses.iter().filter(|a| !a.is_loopback()) {
            names.add(&address.to_string());
        }
        names
    }

    fn add(&mut self, name: &str) {
        if !name.is_empty() && !is_local(name) && !self.0.iter().any(|n| n == name) {
            self.0.push(name.to_owned());
        }
    }

    /// The id of this machine where none is configured: the best name.
    pub fn id(&self) -> FoundId {
        let id = self.best().to_owned();
        FoundId { is_address: id.parse::<IpAddr>().is_ok(), id }
    }

    /// The best one; `localhost` if there is none.
    pub fn best(&self) -> &str {
        self.0.first().map_or("localhost", String::as_str)
    }
}

/// Names that mean this machine on every machine.
fn is_local(name: &str) -> bool {
    let loopback =
        name.strip_prefix("127.").and_then(|r| r.chars().next()).is_some_and(|c| c.is_ascii_digit());
    loopback
        || ["localhost", "ip6-", "0.0.0.0", "::1", "ipv6-", "fe00::", "fe02::"]
            .iter()
            .any(|p| name.starts_with(p))
        || (name.starts_with("1.0.0") && name.contains(".ip6.arpa"))
}

/// Python's `socket.getfqdn`, as far as `/etc/hosts` answers it: the first name with a dot among those of the
/// host's address. A name that only the reverse DNS knows is not found.
fn full_name(host: &str, hosts: &str) -> String {
    let address = (host, 0).to_socket_addrs().ok().and_then(|mut a| a.next()).map(|a| a.ip());
    let names = address.and_then(|address| {
        hosts.lines().find_map(|line| {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let ours = words.next()?.parse() == Ok(address);
            ours.then(|| words.map(str::to_owned).collect::<Vec<_>>())
        })
    });
    let dotted = names.and_then(|names| names.into_iter().find(|n| n.contains('.')));
    dotted.unwrap_or_else(|| host.to_owned())
}

fn own_addresses() -> Vec<IpAddr> {
    let Ok(list) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    list.filter_map(|i| i.address?.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_are_skipped() {
        let files = "localhost\n127.0.0.1 localhost ip6-localhost\n127.0.1.1 box.example.com box # comment\n\
                     192.0.2.1 other\n";
        assert_eq!(Names::of(&["localhost.localdomain"], files, &[]).0, ["box.example.com", "box"]);
        assert_eq!(
            Names::of(&[], "", &["127.0.0.2".parse().unwrap(), "192.0.2.7".parse().unwrap()]).best(),
            "192.0.2.7"
        );
        assert_eq!(Names::of(&["localhost"], "", &[]).best(), "localhost");
    }

    #[test]
    fn a_full_name_comes_from_the_hosts_file() {
        let hosts = "127.0.0.1 localhost\n127.0.0.1 x\n::1 localhost.v6.example localhost\n";
        assert_eq!(full_name("no-such-host.invalid", hosts), "no-such-host.invalid");
        let full = full_name("127.0.0.1", "127.0.0.1 short box.example.com\n");
        assert_eq!(full, "box.example.com");
    }
}
