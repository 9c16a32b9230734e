//! `grains_blacklist` and `grains_deep_merge`.

use brine_core::{Map, Value};

/// Patterns of grains that are withheld: a glob, or a regular expression over the whole name.
pub(super) struct Blacklist {
    patterns: Vec<(String, Option<fancy_regex::Regex>)>,
}

impl Blacklist {
    pub(super) fn new(option: Option<&Value>) -> Self {
        let patterns = option.and_then(Value::as_list).unwrap_or_default();
        Self {
            patterns: patterns
                .iter()
                .filter_map(Value::as_str)
                .map(|p| (p.to_owned(), fancy_regex::Regex::new(&format!(r"\A(?:{p})\z")).ok()))
                .collect(),
        }
    }

    pub(super) fn matches(&self, key: &Value) -> bool {
        let Some(key) = key.as_str() else { return false };
        self.patterns.iter().any(|(glob, regex)| {
            fnmatch(glob, key) || regex.as_ref().is_some_and(|r| r.is_match(key).unwrap_or(false))
        })
    }
}

/// Python's `fnmatch`: `*`, `?`, `[seq]`, `[!seq]` over the whole text.
pub(crate) fn fnmatch(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut pi, mut ti) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while ti < t.len() {
        let step = match p.get(pi) {
            Some('*') => {
                star = Some((pi, ti));
                pi += 1;
                continue;
            }
            Some('?') => Some(pi + 1),
            Some('[') => class(&p, pi, t[ti]),
            Some(c) if *c == t[ti] => Some(pi + 1),
            _ => None,
        };
        match (step, star) {
            (Some(next), _) => {
                pi = next;
                ti += 1;
            }
            (None, Some((at, from))) => {
                star = Some((at, from + 1));
                pi = at + 1;
                ti = from + 1;
            }
            (None, None) => return false,
        }
    }
    p[pi..].iter().all(|c| *c == '*')
}

/// Matches `c` against the class that opens at `start`; the index after it if it does. An unclosed `[` is itself.
fn class(p: &[char], start: usize, c: char) -> Option<usize> {
    let negated = p.get(start + 1) == Some(&'!');
    let first = start + 1 + usize::from(negated);
    let Some(end) = (first + 1..p.len()).find(|i| p[*i] == ']') else {
        return (c == '[').then_some(start + 1);
    };
    let set = &p[first..end];
    let mut hit = false;
    let mut i = 0;
    while i < set.len() {
        if i + 2 < set.len() && set[i + 1] == '-' {
            hit |= (set[i]..=set[i + 2]).contains(&c);
            i += 3;
        } else {
            hit |= set[i] == c;
            i += 1;
        }
    }
    (hit != negated).then_some(end + 1)
}

/// Salt's `dictupdate.update`: maps are merged member by member, everything else is replaced.
pub(crate) fn deep_update(target: &mut Map, more: Map) {
    for (key, value) in more {
        match (target.get_key_mut(&key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => deep_update(old, new),
            (_, value) => {
                target.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn globs_match_as_pythons() {
        for (p, t, want) in [
            ("cpu*", "cpu_flags", true),
            ("ip[46]_*", "ip6_interfaces", true),
            ("ip[!46]_*", "ip6_interfaces", false),
            ("?s", "os", true),
            ("*s*s", "os", false),
            ("a[b", "a[b", true),
            ("[a-c]x", "bx", true),
            ("", "", true),
        ] {
            assert_eq!(fnmatch(p, t), want, "{p} {t}");
        }
    }

    #[test]
    fn a_blacklist_takes_expressions_too() {
        let list = Blacklist::new(Some(&Value::from(vec!["os(release|finger)"])));
        assert!(list.matches(&"osrelease".into()));
        assert!(!list.matches(&"osreleases".into()));
    }

    #[test]
    fn maps_merge_deeply() {
        let mut m = map! {"a" => map! {"x" => 1, "y" => vec!["1"]}};
        deep_update(&mut m, map! {"a" => map! {"y" => vec!["2"], "z" => 3}});
        assert_eq!(m, map! {"a" => map! {"x" => 1, "y" => vec!["2"], "z" => 3}});
    }
}
