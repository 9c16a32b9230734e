//! Grains of names: `fqdn`, `host`, `domain`, `fqdn_ip4`, `fqdn_ip6`, `fqdns`, and `dns` from the resolver's file.
//!
//! The resolver is the C library's, as in stock, but it is given one second in all: threads ask it while the other
//! grains are read, and an answer that is late is as good as none.

use super::read;
use crate::network::{addresses, interfaces::Link};
use brine_core::{Map, Opts, Value, map};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(1);

/// Most addresses that are looked up at once.
const AT_ONCE: usize = 64;

/// Lookups under way.
pub(super) struct Lookups {
    deadline: Instant,
    hostname: String,
    host: Receiver<Found>,
    reverse: Receiver<Option<String>>,
    expected: usize,
}

/// One answer about the host's own name. Each comes by itself, so that a late one does not take the others with it.
enum Found {
    Fqdn(String),
    Ip4(Vec<String>),
    Ip6(Vec<String>),
}

/// What came back in time.
pub(super) struct LookedUp {
    hostname: String,
    fqdn: String,
    pub(super) ip4: Vec<String>,
    pub(super) ip6: Vec<String>,
    pub(super) fqdns: Vec<String>,
}

/// Starts the lookups for a machine with these links.
pub(super) fn start(links: &[Link], opts: &Opts) -> Lookups {
    let hostname = hostname();
    let (send, host) = channel();
    let name = hostname.clone();
    let (has4, has6) =
        (!addresses::of(links, "inet", true).is_empty(), !addresses::of(links, "inet6", true).is_empty());
    spawn(move || look_up_host(&name, has4, has6, &send));
    let wanted = wants_reverse(opts);
    let (reverse, expected) = if wanted { start_reverse(links) } else { (channel().1, 0) };
    Lookups { deadline: Instant::now() + DEADLINE, hostname, host, reverse, expected }
}

/// Whether the names of all addresses are looked up.
fn wants_reverse(opts: &Opts) -> bool {
    opts.get("enable_fqdns_grains").is_none_or(Value::truthy)
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("grains-dns".into()).stack_size(256 << 10);
    if let Err(e) = thread.spawn(work) {
        tracing::warn!("no thread for a name lookup: {e}");
    }
}

fn start_reverse(links: &[Link]) -> (Receiver<Option<String>>, usize) {
    let (send, receive) = channel();
    let mut all = addresses::of(links, "inet", false);
    all.extend(addresses::of(links, "inet6", false));
    all.truncate(AT_ONCE);
    for address in &all {
        let send = send.clone();
        let ip = address.parse::<IpAddr>();
        spawn(move || {
            send.send(ip.ok().and_then(qualified_name_of)).ok();
        });
    }
    (receive, all.len())
}

impl Lookups {
    /// Waits for the rest, at most until the deadline.
    pub(super) fn finish(self) -> LookedUp {
        let left = || self.deadline.saturating_duration_since(Instant::now());
        let (mut fqdn, mut ip4, mut ip6) = (self.hostname.clone(), Vec::new(), Vec::new());
        // The sender is gone when all have come.
        while let Ok(found) = self.host.recv_timeout(left()) {
            match found {
                Found::Fqdn(name) => fqdn = name,
                Found::Ip4(all) => ip4 = all,
                Found::Ip6(all) => ip6 = all,
            }
        }
        let mut fqdns = BTreeSet::new();
        for _ in 0..self.expected {
            match self.reverse.recv_timeout(left()) {
                Ok(name) => fqdns.extend(name),
                Err(_) => break,
            }
        }
        LookedUp { hostname: self.hostname, fqdn, ip4, ip6, fqdns: fqdns.into_iter().collect() }
    }
}

impl LookedUp {
    /// `localhost`, `fqdn`, `host`, `domain`.
    pub(super) fn host_grains(&self) -> Map {
        let (host, domain) = self.fqdn.split_once('.').unwrap_or((&self.fqdn, ""));
        map! {
            "localhost" => self.hostname.clone(),
            "fqdn" => self.fqdn.clone(),
            "host" => host,
            "domain" => domain,
        }
    }
}

/// The `fqdns` of this machine now, for `network.fqdns`.
pub(crate) fn fqdns_of_this_host(links: &[Link]) -> Vec<String> {
    let (reverse, expected) = start_reverse(links);
    let deadline = Instant::now() + DEADLINE;
    let mut fqdns = BTreeSet::new();
    for _ in 0..expected {
        match reverse.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(name) => fqdns.extend(name),
            Err(_) => break,
        }
    }
    fqdns.into_iter().collect()
}

pub(crate) fn hostname() -> String {
    nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default()
}

fn look_up_host(hostname: &str, has4: bool, has6: bool, send: &Sender<Found>) {
    let fqdn = fqhostname(hostname);
    // Nobody listens any more when an answer came too late.
    send.send(Found::Fqdn(fqdn.clone())).ok();
    let of = |four: bool| forward(&fqdn, four).into_iter().map(|ip| ip.to_string()).collect();
    if has4 {
        send.send(Found::Ip4(of(true))).ok();
    }
    if has6 {
        send.send(Found::Ip6(of(false))).ok();
    }
}

/// The fully qualified name: the resolver's canonical name for the host name, or the host name itself.
pub(crate) fn fqhostname(hostname: &str) -> String {
    let hints = dns_lookup::AddrInfoHints {
        socktype: dns_lookup::SockType::Stream.into(),
        flags: libc::AI_CANONNAME,
        ..Default::default()
    };
    let canonical = dns_lookup::getaddrinfo(Some(hostname), None, Some(hints))
        .ok()
        .and_then(|all| all.flatten().filter_map(|info| info.canonname).find(|n| !n.is_empty()));
    canonical.unwrap_or_else(|| hostname.to_owned())
}

/// The addresses of one family a name resolves to, each once.
fn forward(name: &str, four: bool) -> Vec<IpAddr> {
    let family = if four { libc::AF_INET } else { libc::AF_INET6 };
    let hints =
        dns_lookup::AddrInfoHints { address: family, socktype: libc::SOCK_STREAM, ..Default::default() };
    let mut out: Vec<IpAddr> = Vec::new();
    if let Ok(all) = dns_lookup::getaddrinfo(Some(name), None, Some(hints)) {
        for info in all.flatten() {
            if !out.contains(&info.sockaddr.ip()) {
                out.push(info.sockaddr.ip());
            }
        }
    }
    out
}

/// The name an address resolves to, if it has one.
pub(crate) fn reverse(ip: IpAddr) -> Option<String> {
    let name = dns_lookup::lookup_addr(&ip).ok()?;
    // Without a name the resolver writes the address.
    (name.split('%').next().unwrap_or("").parse::<IpAddr>().is_err()).then_some(name)
}

/// The qualified form of an address' name, if it has a name.
fn qualified_name_of(ip: IpAddr) -> Option<String> {
    reverse(ip).map(|name| getfqdn(&name))
}

/// Python's `socket.getfqdn`: of the names that a name leads back to, the first with a dot.
pub(crate) fn getfqdn(name: &str) -> String {
    let back =
        [true, false].iter().find_map(|four| forward(name, *four).into_iter().next()).and_then(reverse);
    let Some(back) = back else { return name.to_owned() };
    if back.contains('.') {
        return back;
    }
    dotted_alias(&read::text("/etc/hosts").unwrap_or_default(), &back).unwrap_or(back)
}

/// The first alias with a dot that the hosts file gives for a canonical name.
fn dotted_alias(hosts: &str, canonical: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace().skip(1);
        (words.next()? == canonical).then(|| words.find(|w| w.contains('.')).map(str::to_owned))?
    })
}

/// The `dns` grain: what the resolver's configuration says.
pub(super) fn resolver() -> Map {
    const LOCAL: &str = "/run/systemd/resolve/resolv.conf";
    let path = if std::path::Path::new(LOCAL).exists() { LOCAL } else { "/etc/resolv.conf" };
    read::text(path).map(|text| map! {"dns" => parse_resolver(&text)}).unwrap_or_default()
}

fn parse_resolver(text: &str) -> Map {
    let mut servers: Vec<IpAddr> = Vec::new();
    let (mut domain, mut search) = (String::new(), Vec::new());
    let (mut sortlist, mut options): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(directive) = words.next() else { continue };
        let args: Vec<&str> = words.take_while(|w| !w.starts_with(['#', ';'])).collect();
        match (directive.to_lowercase().as_str(), args.first()) {
            ("nameserver", Some(first)) => {
                if let Ok(ip) = first.parse::<IpAddr>()
                    && !servers.contains(&ip)
                {
                    servers.push(ip);
                }
            }
            ("domain", Some(first)) => domain = (*first).to_owned(),
            ("search", _) => search = args.iter().map(|s| (*s).to_owned()).collect(),
            ("sortlist", _) => {
                for net in args.iter().filter_map(|a| addresses::natural_network(a)) {
                    if !sortlist.contains(&net) {
                        sortlist.push(net);
                    }
                }
            }
            ("options", Some(first)) if !options.iter().any(|o| o == first) => {
                options.push((*first).to_owned())
            }
            _ => {}
        }
    }
    let of = |four: bool| -> Vec<String> {
        servers.iter().filter(|s| s.is_ipv4() == four).map(ToString::to_string).collect()
    };
    let all: Vec<String> = servers.iter().map(ToString::to_string).collect();
    map! {
        "nameservers" => all,
        "ip4_nameservers" => of(true),
        "ip6_nameservers" => of(false),
        "sortlist" => sortlist,
        "domain" => domain,
        "search" => search,
        "options" => options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses_are_looked_up_where_that_is_asked_for() {
        for asked in [true, false] {
            assert_eq!(wants_reverse(&Opts::new(map! {"enable_fqdns_grains" => asked})), asked);
        }
    }

    #[test]
    fn the_resolvers_file_is_read() {
        let text = "# c\nnameserver 10.0.0.1\nnameserver ::1 ; x\nnameserver 10.0.0.1\nsearch a.example b.example # c\noptions ndots:2 timeout:1\nsortlist 130.155.160.0/255.255.240.0 130.155.0.0\n";
        let got = parse_resolver(text);
        assert_eq!(got.get("nameservers"), Some(&vec!["10.0.0.1", "::1"].into()));
        assert_eq!(got.get("ip6_nameservers"), Some(&vec!["::1"].into()));
        assert_eq!(got.get("search"), Some(&vec!["a.example", "b.example"].into()));
        assert_eq!(got.get("options"), Some(&vec!["ndots:2"].into()));
        assert_eq!(
            got.get("sortlist"),
            Some(&vec!["130.155.160.0/255.255.240.0", "130.155.0.0/255.255.0.0"].into())
        );
    }

    #[test]
    fn a_late_answer_does_not_take_the_others_with_it() {
        let (send, host) = channel();
        let (_never, reverse) = channel();
        send.send(Found::Fqdn("web.example.com".into())).unwrap();
        send.send(Found::Ip4(vec!["192.0.2.7".into()])).unwrap();
        let deadline = Instant::now() + Duration::from_millis(50);
        let got = Lookups { deadline, hostname: "web".into(), host, reverse, expected: 1 }.finish();
        assert_eq!((got.ip4, got.ip6, got.fqdns.len()), (vec!["192.0.2.7".to_owned()], vec![], 0));
        assert_eq!((got.fqdn.as_str(), got.hostname.as_str()), ("web.example.com", "web"));
        drop(send);
    }

    #[test]
    fn an_alias_with_a_dot_is_preferred() {
        let hosts = "127.0.0.1 localhost\n10.0.0.5 web w web.example.com # note\n";
        assert_eq!(dotted_alias(hosts, "web").as_deref(), Some("web.example.com"));
        assert_eq!(dotted_alias(hosts, "localhost"), None);
    }
}
