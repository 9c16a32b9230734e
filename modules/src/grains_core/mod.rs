//! The minion's core grains: what stock Salt's built-in grain functions say about a machine, read from `/proc`,
//! `/sys`, netlink and a few small files. Merged in stock's order. No program is run unless nothing else can know.

mod distro;
mod dmi;
mod environment;
pub(crate) mod filter;
mod hardware;
mod init;
pub(crate) mod names;
mod os;
mod pci;
pub(crate) mod read;
mod static_file;
mod storage;
mod versions;
mod virt;

pub(crate) use static_file::{grains_path, read_grains_file};

use crate::network::{addresses, interfaces, routes};
use brine_core::{Map, Opts, Value, map};

/// Collects all grains for these options, afresh.
///
/// Later sources win: core, then the optional ones, the grains file beside the configuration, the minion process,
/// and last the `grains` option. Never fails: what cannot be read is left out. Takes at most a second, and only if
/// the resolver does not answer.
pub fn load(opts: &Opts) -> Map {
    if opts.flag("skip_grains") {
        return Map::new();
    }
    let links = interfaces::all();
    let lookups = names::start(&links, opts);
    let mut grains = Collected::new(opts);
    if opts.map().contains("append_domain") {
        grains.add(map! {"append_domain" => opts.get("append_domain").cloned()});
    }
    grains.add(environment::cwd());
    grains.add(routes::gateway_grains());
    grains.add(names::resolver());
    let late = grains.len();
    grains.add(environment::machine_id());
    grains.add(map! {"master" => opts.get("master").cloned().unwrap_or_else(|| "".into())});
    grains.add(map! {"server_id" => environment::server_id(opts.str("id"))});
    let system = os::collect(opts);
    let environment = environment::collect();
    let optional = storage::collect(opts);
    let looked_up = lookups.finish();
    grains.insert_at(late, map! {"fqdns" => looked_up.fqdns.clone()});
    grains.add(looked_up.host_grains());
    grains.add(map! {"hwaddr_interfaces" => interfaces::hardware_addresses(&links)});
    grains.add(map! {"id" => opts.str("id")});
    grains.add(map! {"ip4_interfaces" => interfaces::addresses_by_name(&links, Some("inet"))});
    grains.add(map! {"ip6_interfaces" => interfaces::addresses_by_name(&links, Some("inet6"))});
    grains.add(map! {
        "ipv4" => addresses::of(&links, "inet", true),
        "ipv6" => addresses::of(&links, "inet6", true),
        "fqdn_ip4" => looked_up.ip4,
        "fqdn_ip6" => looked_up.ip6,
    });
    grains.add(map! {"ip_interfaces" => interfaces::addresses_by_name(&links, None)});
    grains.add(environment::kernel_parameters());
    grains.add(environment::locale());
    grains.add(system);
    grains.add(environment);
    grains.add(versions::collect());
    grains.add(optional.before_extra);
    grains.add(static_file::load(opts));
    grains.add(environment::shell());
    grains.add(environment::transactional());
    grains.add(environment::efi());
    grains.add(optional.after_extra);
    grains.add(environment::process());
    if opts.flag("grain_opts") {
        grains.add(map! {"opts" => opts.map().clone()});
    }
    grains.add(storage::zfs());
    let mut all = grains.all;
    if let Some(Value::Map(own)) = opts.get("grains") {
        all.update(own.clone());
    }
    all
}

/// Grains merged so far, with `grains_blacklist` and `grains_deep_merge` applied to each addition.
struct Collected {
    all: Map,
    blacklist: filter::Blacklist,
    deep: bool,
}

impl Collected {
    fn new(opts: &Opts) -> Self {
        Self {
            all: Map::new(),
            blacklist: filter::Blacklist::new(opts.get("grains_blacklist")),
            deep: opts.get("grains_deep_merge") == Some(&Value::Bool(true)),
        }
    }

    fn add(&mut self, mut more: Map) {
        more.retain(|key, _| !self.blacklist.matches(key));
        if self.deep {
            filter::deep_update(&mut self.all, more);
        } else {
            self.all.update(more);
        }
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds what was slow to find at the place where stock has it.
    fn insert_at(&mut self, index: usize, more: Map) {
        let mut entries: Vec<(Value, Value)> = std::mem::take(&mut self.all).into_iter().collect();
        let tail = entries.split_off(index.min(entries.len()));
        self.all = entries.into_iter().collect();
        self.add(more);
        self.all.update(tail.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opts(values: Map) -> Opts {
        Opts::new(values)
    }

    #[test]
    fn options_add_and_withhold_grains() {
        let grains = load(&opts(map! {
            "id" => "m1",
            "enable_fqdns_grains" => false,
            "grains" => map! {"role" => "web", "shell" => "/bin/fish"},
            "grains_blacklist" => vec!["cpu*", "ip[46]_interfaces"],
        }));
        assert_eq!(grains.get_str("role"), Some("web"));
        assert_eq!(grains.get_str("shell"), Some("/bin/fish"));
        assert!(!grains.contains("cpu_flags") && !grains.contains("ip4_interfaces"));
        assert!(grains.contains("ip_interfaces"));
        assert_eq!(grains.get("fqdns"), Some(&Value::List(vec![])));
        assert!(load(&opts(map! {"skip_grains" => true})).is_empty());
    }

    #[test]
    fn options_become_grains_and_nested_ones_are_merged() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("grains"), "beside: true\n").unwrap();
        let conf_file = dir.path().join("minion").to_str().unwrap().to_owned();
        let given = opts(map! {
            "id" => "m1", "grain_opts" => true, "append_domain" => "x.org", "conf_file" => conf_file,
        });
        let grains = load(&given);
        assert_eq!(grains.get("opts").and_then(|o| o.get("id")), Some(&"m1".into()));
        assert_eq!(grains.get_str("append_domain"), Some("x.org"));
        assert_eq!(grains.get("beside"), Some(&true.into()));
        for (deep, want) in [(true, map! {"a" => 1, "b" => 2}), (false, map! {"b" => 2})] {
            let mut all = Collected::new(&opts(map! {"grains_deep_merge" => deep}));
            all.add(map! {"nest" => map! {"a" => 1}});
            all.add(map! {"nest" => map! {"b" => 2}});
            assert_eq!(all.all.get("nest"), Some(&want.into()), "{deep}");
        }
    }

    #[test]
    fn what_every_linux_has_is_there() {
        let grains = load(&opts(map! {"id" => "m1", "master" => "salt", "enable_fqdns_grains" => false}));
        for key in [
            "kernel",
            "kernelrelease",
            "cpuarch",
            "os",
            "os_family",
            "osfullname",
            "osfinger",
            "num_cpus",
            "cpu_model",
            "mem_total",
            "virtual",
            "ps",
            "path",
            "host",
            "fqdn",
            "ipv4",
            "ip_interfaces",
            "saltversion",
            "uid",
            "pid",
            "init",
            "disks",
            "efi",
            "zfs_support",
            "locale_info",
            "brine_version",
        ] {
            assert!(grains.contains(key), "{key} is missing");
        }
        assert_eq!(grains.get_str("kernel"), Some("Linux"));
        assert_eq!(grains.get("server_id"), Some(&Value::Int(890_885_657)));
    }
}
