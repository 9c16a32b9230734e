//! Rules as `iptables-save` prints them, taken apart.

use crate::python::shlex;
use brine_core::call::{CallError, Result};
use brine_core::{Map, Value, map};

/// The options that are known, each by the name it has in the result, with its other names behind it.
const OPTIONS: &str = "\
    append|-A delete|-D insert|-I replace|-R list|-L flush|-F zero|-Z new-chain|-N delete-chain|-X policy|-P \
    rename-chain|-E protocol|-p source|-s destination|-d jump|-j goto|-g in-interface|-i out-interface|-o \
    fragment|-f set-counters|-c match|-m src-type dst-type limit-iface-in limit-iface-out ahspi ahlen ahres bytecode \
    cgroup cluster-total-nodes cluster-local-node cluster-local-nodemask cluster-hash-seed h-length mangle-mac-s \
    mangle-mac-d comment connbytes connbytes-dir connbytes-mode label connlimit-upto connlimit-above connlimit-mask \
    connlimit-saddr connlimit-daddr mark ctstate ctproto ctorigsrc ctorigdst ctreplsrc ctrepldst ctorigsrcport \
    ctorigdstport ctreplsrcport ctrepldstport ctstatus ctexpire ctdir cpu source_port|--sport|--source-port \
    destination_port|--dport|--destination-port dccp-types dccp-option src-group dst-group dscp dscp-class dst-len \
    dst-opts ecn-tcp-cwr ecn-tcp-ece ecn-ip-ect espspi fragid fraglen fragres fragfirst fragmore fraglast \
    hashlimit-upto hashlimit-above hashlimit-burst hashlimit-mode hashlimit-srcmask hashlimit-dstmask hashlimit-name \
    hashlimit-htable-size hashlimit-htable-max hashlimit-htable-expire hashlimit-htable-gcinterval hbh-len hbh-opts \
    helper hl-eq hl-lt hl-gt icmp-type icmpv6-type src-range dst-range soft header ipvs vproto vaddr vport vdir \
    vmethod vportctl length limit limit-burst mac-source mh-type source-ports|--sports destination-ports|--dports \
    ports nfacct-name genre ttl log uid-owner gid-owner socket-exists physdev-in physdev-out physdev-is-in \
    physdev-is-out physdev-is-bridged pkt-type dir pol strict reqid spi proto mode tunnel-src tunnel-dst next quota \
    rateest rateest1 rateest2 rateest-delta rateest-bps rateest-bps1 rateest-bps2 rateest-pps rateest-pps1 \
    rateest-pps2 rateest-lt rateest-gt rateest-eq rateest-name rateest-interval rateest-ewma realm name set rsource \
    rdest mask rcheck update remove seconds reap hitcount rttl loose validmark accept-local invert rt-type \
    rt-segsleft rt-len rt-0-res rt-0-addrs rt-0-not-strict chunk-types match-set return-nomatch update-counters \
    update-subcounters packets-eq packets-lt packets-gt bytes-eq bytes-lt bytes-gt transparent nowildcard state \
    probability every packet algo from to string hex-string tcp-flags syn tcp-option mss datestart datestop \
    timestart timestop monthdays weekdays contiguous kerneltz utc localtz tos ttl-eq ttl-gt ttl-lt u32 condition mac \
    lower-limit upper-limit source-country|--src-cc destination-country|--dst-cc enabled disabled iface dev-in \
    dev-out up down broadcast loopback pointtopoint running noarp arp promisc multicast dynamic lower-up dormant edk \
    kazaa gnu dc bit apple soul winmx ares debug flags any layer3 layer4 layer5 stealth synscan cnscan grscan \
    psd-weight-threshold psd-delay-threshold psd-lo-ports-weight psd-hi-ports-weight grow no-change packets \
    knockports time autoclose checkip type checksum-fill set-class new hashmode clustermac total-nodes local-node \
    hash-init set-xmark save-mark restore-mark and-mark or-mark xor-mark set-mark nfmask ctmask save restore notrack \
    ctevents expevents zone timeout to-destination random persistent src-pfx dst-pfx set-dscp set-dscp-class \
    ecn-tcp-remove hl-set hl-dec hl-inc hmark-tuple hmark-mod hmark-offset hmark-src-prefix hmark-dst-prefix \
    hmark-sport-mask hmark-dport-mask hmark-spi-mask hmark-proto-mask hmark-rnd led-trigger-id led-delay \
    led-always-blink log-level log-prefix log-tcp-sequence log-tcp-options log-ip-options log-uid to-ports \
    nflog-group nflog-prefix nflog-range nflog-threshold queue-num queue-balance queue-bypass queue-cpu-fanout \
    rateest-ewmalog reject-with nodst selctx add-set del-set exist to-source set-mss clamp-mss-to-pmtu strip-options \
    gateway set-tos and-tos or-tos xor-tos on-port on-ip tproxy-mark ttl-set ttl-dec ttl-inc ulog-nlgroup \
    ulog-prefix ulog-cprange ulog-qthreshold addr tname delude tarpit set-mac prefix reuse static and-mask or-mask \
    shift honeypot reset";

/// The name in the result, if the word is an option: by any of its names, or by a beginning that only one has.
fn option(word: &str) -> Option<&'static str> {
    let long = word.strip_prefix("--");
    let mut begun: Option<&'static str> = None;
    let mut several = false;
    for entry in OPTIONS.split_whitespace() {
        let mut names = entry.split('|');
        let name = names.next().unwrap_or_default();
        if long == Some(name) || names.clone().any(|other| other == word) {
            return Some(name);
        }
        let begins = long.is_some_and(|long| !long.is_empty() && name.starts_with(long))
            || (long.is_some() && names.any(|other| other.starts_with("--") && other.starts_with(word)));
        if begins {
            several |= begun.is_some();
            begun = Some(name);
        }
    }
    begun.filter(|_| !several)
}

/// Gives each option one value: several words are one, none is empty text, and a `!` belongs to the value.
fn paired(mut words: Vec<String>) -> Vec<String> {
    let mut at = 0;
    while at + 1 < words.len() {
        let swap = words[at] == "!" && words[at + 1].starts_with('-');
        if swap {
            words.swap(at, at + 1);
        }
        if words[at].starts_with('-') {
            at += 1;
            if words[at].starts_with('-') || (words[at] == "!" && !swap) {
                words.insert(at, String::new());
            } else {
                while at + 1 < words.len() && words[at + 1] != "!" && !words[at + 1].starts_with('-') {
                    let more = words.remove(at + 1);
                    words[at] = format!("{} {more}", words[at]);
                }
            }
        }
        at += 1;
    }
    if words.last().is_some_and(|last| last.starts_with('-')) {
        words.push(String::new());
    }
    words
}

/// What a line `-A CHAIN ..` says: the chain, and each option with its values.
fn rule(line: &str) -> Result<(Option<String>, Map)> {
    let words = paired(shlex::split(line)?);
    let mut found = Map::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let Some(name) = option(&word).filter(|_| word.starts_with('-')) else { continue };
        let Some(value) = words.next() else { break };
        if let Value::List(all) = found.entry_or(name, || Value::List(Vec::new())) {
            all.push(value.into());
        }
    }
    let chain = found.remove("append").and_then(|all| all.as_list()?.first()?.as_str().map(str::to_owned));
    Ok((chain, found))
}

fn index_error() -> CallError {
    CallError::exception("IndexError", "list index out of range")
}

/// Tables, their chains, and what each chain holds.
pub(super) fn rules(text: &str) -> Result<Map> {
    let mut all = Map::new();
    let mut table = String::new();
    for line in brine_core::text::splitlines(text, false) {
        if line.starts_with('*') {
            table = line.replace('*', "");
            all.insert(table.as_str(), Map::new());
        } else if line.starts_with(':') {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [chain, policy, counters, ..] = words[..] else { return Err(index_error()) };
            let counters = counters.replace(['[', ']'], "");
            let (packets, bytes) = counters.split_once(':').ok_or_else(index_error)?;
            let what = map! {
                "policy" => policy,
                "packet count" => packets,
                "byte count" => bytes,
                "rules" => Value::List(Vec::new()),
                "rules_comment" => Map::new(),
            };
            if let Some(chains) = all.get_mut(&table).and_then(Value::as_map_mut) {
                chains.insert(chain.replace(':', ""), what);
            }
        } else if line.starts_with("-A") {
            let (chain, rule) = rule(line)?;
            let chain = chain.unwrap_or_default();
            let place = all.get_mut(&table).and_then(Value::as_map_mut).and_then(|chains| chains.get_mut(&chain));
            let Some(place) = place.and_then(Value::as_map_mut) else {
                return Err(CallError::exception("KeyError", format!("'{chain}'")));
            };
            let comment = rule.get("comment").and_then(Value::as_list).and_then(|all| all.first()).cloned();
            if let (Some(comment), Some(Value::Map(comments))) = (comment, place.get_mut("rules_comment")) {
                let comment = brine_core::text::python_str(&comment);
                comments.insert(comment.trim_matches('"'), rule.clone());
            }
            if let Some(Value::List(rules)) = place.get_mut("rules") {
                rules.push(rule.into());
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_by_their_names() {
        assert_eq!((option("-p"), option("--dport"), option("--to-dest")), (Some("protocol"), Some("destination_port"), Some("to-destination")));
        assert_eq!((option("--nothing"), option("--rate")), (None, None));
    }

    #[test]
    fn each_option_has_one_value() {
        let words = |line: &str| paired(shlex::split(line).unwrap());
        assert_eq!(words("-A I ! -s 1.2.3.4 -j X"), ["-A", "I", "-s", "! 1.2.3.4", "-j", "X"]);
        assert_eq!(words("-A I --syn -j X --random"), ["-A", "I", "--syn", "", "-j", "X", "--random", ""]);
        assert_eq!(words("-m tcp --tcp-flags A B"), ["-m", "tcp", "--tcp-flags", "A B"]);
    }
}
