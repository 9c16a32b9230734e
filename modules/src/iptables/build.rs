//! A rule as text, made of what it is about.

use brine_core::state::is_internal;
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// What stands behind the target.
const AFTER_JUMP: &str = "\
    j jump add-set and-mark and-tos checksum-fill clamp-mss-to-pmtu clustermac ctevents ctmask del-set \
    ecn-tcp-remove exist expevents gateway hash-init hashmode helper label local-node log-ip-options log-level \
    log-prefix log-tcp-options log-tcp-sequence log-uid map-set mask mss new nfmask nflog-group nflog-prefix \
    nflog-range nflog-threshold nodst notrack on-ip on-port or-mark or-tos persistent queue-balance queue-bypass \
    queue-num random random-fully rateest-ewmalog rateest-interval rateest-name reject-with restore restore-mark \
    sack-perm save-mark selctx set-class set-dscp set-dscp-class set-mark set-mss set-tos set-xmark strip-options \
    timeout timestamp to to-destination to-ports to-source total-nodes tproxy-mark ttl-dec ttl-inc ttl-set type \
    ulog-cprange ulog-nlgroup ulog-prefix ulog-qthreshold wscale xor-mark xor-tos zone zone-orig zone-reply dst-pfx \
    hl-dec hl-inc hl-set hmark-dport-mask hmark-dst-prefix hmark-mod hmark-offset hmark-proto-mask hmark-rnd \
    hmark-spi-mask hmark-sport-mask hmark-src-prefix hmark-tuple led-always-blink led-delay led-trigger-id \
    queue-cpu-fanout src-pfx to-port addr and-mask delude honeypot or-mask prefix reset reuse set-mac shift static \
    tarpit tname ttl";

/// Words that are not of a rule, beside those that are for the runner of states.
const FOREIGN: [&str; 4] = ["chain", "save", "table", "name"];

/// Whether a value says `not`.
fn negated(value: &str) -> bool {
    value.starts_with('!') || value.starts_with("not")
}

/// The value without it.
fn bare(value: &str) -> String {
    let (mut out, mut rest) = (String::new(), value);
    while let Some(c) = rest.chars().next() {
        match rest.strip_prefix('!').or_else(|| rest.strip_prefix("not")) {
            Some(after) => {
                let space = after.chars().next().filter(|c| c.is_whitespace());
                rest = &after[space.map_or(0, char::len_utf8)..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// A value, and `! ` before it if it says `not`.
fn split(value: &Value) -> (&'static str, String) {
    let text = python_str(value);
    if negated(&text) { ("! ", bare(&text)) } else { ("", text) }
}

fn is_empty(value: &Value) -> bool {
    value.is_nil() || value.as_str() == Some("")
}

/// The rule of these words. An error is text, as in stock.
pub(super) fn rule(mut words: Map) -> Result<String, &'static str> {
    if let Some(target) = words.remove("target") {
        words.insert("jump", target);
    }
    words.retain(|key, _| key.as_str().is_none_or(|key| !FOREIGN.contains(&key) && !is_internal(key)));
    let mut rule: Vec<String> = Vec::new();
    let mut protocol = false;
    let flagged = |words: &mut Map, rule: &mut Vec<String>, key: &str, flag: &str| match words.remove(key) {
        Some(value) => {
            let (not, value) = split(&value);
            rule.push(format!("{not}{flag} {value}"));
            true
        }
        None => false,
    };
    flagged(&mut words, &mut rule, "if", "-i");
    flagged(&mut words, &mut rule, "of", "-o");
    let policy = words.get_str("match") == Some("policy");
    if !policy && let Some(proto) = words.remove("proto") {
        words.insert("protocol", proto);
    }
    protocol |= flagged(&mut words, &mut rule, "protocol", "-p");
    if let Some(matches) = words.remove("match") {
        let matches: Vec<String> = match &matches {
            Value::List(all) => all.iter().map(python_str).collect(),
            one => python_str(one).split(',').map(str::to_owned).collect(),
        };
        for one in matches {
            rule.push(format!("-m {one}"));
            if ["pknock", "quota2", "recent"].contains(&one.trim())
                && let Some(name) = words.remove("name_")
            {
                rule.push(format!("--name {}", python_str(&name)));
            }
        }
        if policy {
            flagged(&mut words, &mut rule, "proto", "--proto");
        }
    }
    if let Some(sets) = words.remove("match-set") {
        let sets = match sets {
            Value::List(all) => all,
            one => vec![one],
        };
        for (not, set) in sets.iter().map(split) {
            rule.push(format!("-m set {not}--match-set {set}"));
        }
    }
    let has = |rule: &[String], word: &str| rule.iter().any(|known| known == word);
    if words.contains("connstate") {
        if !has(&rule, "-m state") {
            rule.push("-m state".to_owned());
        }
        flagged(&mut words, &mut rule, "connstate", "--state");
    }
    flagged(&mut words, &mut rule, "dport", "--dport");
    flagged(&mut words, &mut rule, "sport", "--sport");
    for key in ["dports", "sports"] {
        let Some(ports) = words.remove(key) else { continue };
        if !has(&rule, "-m multiport") {
            rule.push("-m multiport".to_owned());
            if !protocol {
                return Err("Error: protocol must be specified");
            }
        }
        let (not, ports) = match &ports {
            Value::List(all) => {
                let all: Vec<String> = all.iter().map(python_str).collect();
                let not = all.iter().any(|port| negated(port));
                let all: Vec<String> = if not { all.iter().map(|port| bare(port)).collect() } else { all };
                (not, all.join(","))
            }
            one => {
                let (not, ports) = split(one);
                (!not.is_empty(), ports)
            }
        };
        if not {
            rule.push("!".to_owned());
        }
        rule.push(format!("--{key} {ports}"));
    }
    if let Some(comment) = words.remove("comment") {
        if !has(&rule, "-m comment") {
            rule.push("-m comment".to_owned());
        }
        rule.push(format!("--comment \"{}\"", python_str(&comment)));
    }
    if words.get("set").is_some_and(Value::truthy) {
        flagged(&mut words, &mut rule, "set", "--match-set");
    }
    let mut after = Vec::new();
    for key in AFTER_JUMP.split_whitespace() {
        let Some(value) = words.remove(key) else { continue };
        let text = python_str(&value);
        after.push(if is_empty(&value) {
            format!("--{key}")
        } else if text.contains([' ', '\t', '\n', '\r', '\x0b', '\x0c']) {
            format!("--{key} \"{text}\"")
        } else {
            format!("--{key} {text}")
        });
    }
    for (key, value) in &words {
        let key = python_str(key);
        let (not, text) = split(value);
        let flag = if key.chars().count() == 1 { "-" } else { "--" };
        let text = if is_empty(value) || (text.is_empty() && !not.is_empty()) { String::new() } else { format!(" {text}") };
        rule.push(format!("{not}{flag}{key}{text}"));
    }
    rule.append(&mut after);
    Ok(rule.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn rules_are_put_together() {
        let words = map! {"source" => "! 10.0.0.1", "dport" => 22, "proto" => "tcp", "jump" => "LOG", "log-prefix" => "a b"};
        assert_eq!(rule(words).unwrap(), "-p tcp --dport 22 ! --source 10.0.0.1 --jump LOG --log-prefix \"a b\"");
        assert_eq!(rule(map! {"dports" => vec![1, 2]}), Err("Error: protocol must be specified"));
        assert_eq!(bare("not 1,! 2"), "1,2");
    }
}
