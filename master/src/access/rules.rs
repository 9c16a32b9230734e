//! What a list of access rules allows: functions, on which minions, with which arguments.
//!
//! A text rule is a regular expression for the beginning of a function's name and holds for all minions. A map rule
//! `{target: functions}` holds for the minions that the compound target means; its functions are such texts, or
//! `{function: {args: [..], kwargs: {..}}}`. Unlike stock, every function of a job must be allowed, not any one of them.

use brine_core::target::{Anchor, Fleet, Regex, validate_tgt};
use brine_core::text::python_str;
use brine_protocol::{Map, Value};

/// Always allowed: every client asks it whether a job still runs.
const ALWAYS: &str = "saltutil.find_job";

/// One function of a job with its arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// The function.
    pub(crate) fun: &'a str,
    /// Its arguments, keywords among them as a marked map.
    pub(crate) args: &'a [Value],
}

/// Whether the rules allow every part of a job on these minions.
pub(super) fn allow(fleet: &dyn Fleet, rules: &[Value], parts: &[Part<'_>], minions: &[String]) -> bool {
    !parts.is_empty()
        && parts.iter().all(|part| {
            part.fun == ALWAYS || rules.iter().any(|rule| allows_one(fleet, rule, *part, minions))
        })
}

fn allows_one(fleet: &dyn Fleet, rule: &Value, part: Part<'_>, minions: &[String]) -> bool {
    match rule {
        Value::Str(pattern) => starts(pattern, part.fun),
        Value::Map(map) => match only(map) {
            Some((target, functions)) => {
                target.as_str().is_some_and(|target| validate_tgt(fleet, target, minions))
                    && functions_allow(functions, part)
            }
            None => false,
        },
        _ => false,
    }
}

fn only(map: &Map) -> Option<(&Value, &Value)> {
    map.iter().next().filter(|_| map.len() == 1)
}

fn functions_allow(functions: &Value, part: Part<'_>) -> bool {
    let one = |condition: &Value| match condition {
        Value::Str(pattern) => starts(pattern, part.fun),
        Value::Map(map) => only(map).is_some_and(|(pattern, args)| {
            pattern.as_str().is_some_and(|pattern| starts(pattern, part.fun)) && arguments_allow(args, part)
        }),
        _ => false,
    };
    match functions {
        Value::List(list) => list.iter().any(one),
        single => one(single),
    }
}

fn arguments_allow(conditions: &Value, part: Part<'_>) -> bool {
    let keyword = part.args.last().and_then(Value::as_map).filter(|m| m.contains("__kwarg__"));
    let positional = &part.args[..part.args.len() - usize::from(keyword.is_some())];
    // No condition on a value allows any value, but it must be there.
    let fits = |pattern: &Value, value: Option<&Value>| match (pattern, value) {
        (_, None) => false,
        (Value::Nil, Some(_)) => true,
        (Value::Str(pattern), Some(value)) => starts(pattern, &python_str(value)),
        _ => false,
    };
    let one = |condition: &Value| {
        let Some(condition) = condition.as_map() else { return false };
        let args = match condition.get("args") {
            None => true,
            Some(Value::List(list)) => list.iter().enumerate().all(|(n, p)| fits(p, positional.get(n))),
            Some(_) => false,
        };
        let kwargs = match condition.get("kwargs") {
            None => true,
            Some(Value::Map(map)) => map.iter().all(|(key, p)| fits(p, keyword.and_then(|k| k.get_key(key)))),
            Some(_) => false,
        };
        args && kwargs
    };
    match conditions {
        Value::List(list) => list.iter().any(one),
        single => one(single),
    }
}

/// Python's `re.match`; what is no regular expression matches nothing.
fn starts(pattern: &str, text: &str) -> bool {
    Regex::new(pattern, Anchor::Match).is_ok_and(|re| re.is_match(text).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::target::FleetData;
    use brine_protocol::map;

    struct Two;

    impl Fleet for Two {
        fn accepted(&self) -> Vec<String> {
            vec!["db1".into(), "web1".into()]
        }
        fn cached(&self) -> Vec<String> {
            self.accepted()
        }
        fn data(&self, _: &str) -> Option<FleetData> {
            None
        }
        fn nodegroups(&self) -> &Map {
            static NONE: std::sync::OnceLock<Map> = std::sync::OnceLock::new();
            NONE.get_or_init(Map::new)
        }
        fn minion_data_cache(&self) -> bool {
            true
        }
    }

    fn check(rules: &[Value], funs: &[&str], args: &[Value], minions: &[&str]) -> bool {
        let parts: Vec<_> = funs.iter().map(|fun| Part { fun, args }).collect();
        let minions: Vec<_> = minions.iter().map(|m| (*m).to_owned()).collect();
        allow(&Two, rules, &parts, &minions)
    }

    #[test]
    fn every_function_must_be_allowed() {
        let rules = ["test.ping".into()];
        assert!(check(&rules, &["test.ping"], &[], &["web1"]));
        assert!(check(&rules, &["test.pingx"], &[], &["web1"]), "stock: the beginning counts");
        assert!(!check(&rules, &["cmd.run"], &[], &["web1"]));
        assert!(!check(&rules, &["test.ping", "cmd.run"], &[], &["web1"]));
        assert!(!check(&rules, &["saltutil.find_job", "cmd.run"], &[], &["web1"]));
        assert!(check(&[], &["saltutil.find_job"], &[], &["web1"]));
        assert!(!check(&rules, &[], &[], &["web1"]));
    }

    #[test]
    fn targets_bound_what_a_rule_allows() {
        let rules = [map! {"web*" => Value::List(vec!["cmd.*".into()])}.into()];
        assert!(check(&rules, &["cmd.run"], &[], &["web1"]));
        assert!(!check(&rules, &["cmd.run"], &[], &["web1", "db1"]));
        assert!(!check(&rules, &["test.ping"], &[], &["web1"]));
        let two = [map! {"web*" => "cmd.*", "db*" => "cmd.*"}.into()];
        assert!(!check(&two, &["cmd.run"], &[], &["web1"]), "stock takes maps of one entry only");
    }

    #[test]
    fn arguments_are_checked() {
        let condition = map! {"args" => vec!["ls", "-l.*"], "kwargs" => map! {"cwd" => "/tmp"}};
        let rules = [map! {"*" => map! {"cmd.run" => condition}}.into()];
        let kwargs = |cwd: &str| Value::from(map! {"cwd" => cwd, "__kwarg__" => true});
        let run = |args: &[Value]| check(&rules, &["cmd.run"], args, &["web1"]);
        assert!(run(&["ls".into(), "-la".into(), kwargs("/tmp")]));
        assert!(!run(&["ls".into(), "-la".into(), kwargs("/root")]));
        assert!(!run(&["rm".into(), "-la".into(), kwargs("/tmp")]));
        assert!(!run(&["ls".into(), "-la".into()]));
        assert!(!run(&["ls".into(), kwargs("/tmp")]));
    }
}
