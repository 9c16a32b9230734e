//! Who may run what: the one place that reads the rules of `publisher_acl`, `external_auth` and tokens.
//!
//! Everything is denied unless a rule allows it. Every function of a call must be allowed (in stock one is enough
//! for all). A rule that is a regular expression must match the whole name (in stock a beginning is enough). Whoever
//! asks has been authenticated before; nothing here knows passwords or keys.

use crate::target::{
    Anchor, DEFAULT_TARGET_DELIM, Fleet, Regex, check_minions, expr_match, fnmatch, validate_tgt,
};
use crate::text::python_str;
use brine_protocol::{Map, Value};

/// One function of a job, with its arguments as published.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The function's name.
    pub fun: &'a str,
    /// Its `arg`, marked map of keyword arguments included.
    pub arg: &'a [Value],
}

/// The functions of a publish: `fun` and `arg` as text and list, or as list and list of lists. None if they do not
/// fit each other, which is to be denied.
pub fn calls<'a>(fun: &'a Value, arg: &'a Value) -> Option<Vec<Call<'a>>> {
    match fun {
        Value::Str(fun) => Some(vec![Call { fun, arg: arg.as_list()? }]),
        Value::List(funs) => {
            let args = arg.as_list()?;
            if funs.is_empty() || funs.len() != args.len() {
                return None;
            }
            funs.iter().zip(args).map(|(f, a)| Some(Call { fun: f.as_str()?, arg: a.as_list()? })).collect()
        }
        _ => None,
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
pub enum Ask<'a> {
    /// To run functions on minions.
    Publish {
        /// The functions.
        calls: &'a [Call<'a>],
        /// The minions they would run on.
        minions: &'a [String],
        /// What the minions' names in rules are held against.
        fleet: &'a dyn Fleet,
    },
    /// To run a runner on the master.
    Runner {
        /// The function's name.
        fun: &'a str,
        /// Its positional arguments.
        arg: &'a [Value],
        /// Its keyword arguments.
        kwarg: &'a Map,
    },
    /// To run a wheel function on the master.
    Wheel {
        /// The function's name.
        fun: &'a str,
        /// Its positional arguments.
        arg: &'a [Value],
        /// Its keyword arguments.
        kwarg: &'a Map,
    },
}

/// Functions that every authenticated user may run: commands ask with it how their own jobs are doing.
const ALWAYS: [&str; 1] = ["saltutil.find_job"];

/// Whether a user's rules allow what is asked for.
///
/// A rule is text, a regular expression of functions for all minions; or a map with one key. The key is a compound
/// target of minions, or `@runner`, `@wheel`, `@<module>`. Its value is a regular expression of functions, or a map
/// `{function: {args: [..], kwargs: {..}}}`, or a list of such. A map rule allows nothing where no minion is known
/// to match: such a job could only reach minions that the rule does not name.
pub fn authorised(rules: &[Value], ask: Ask<'_>) -> bool {
    match ask {
        Ask::Publish { calls, minions, fleet } => {
            !calls.is_empty()
                && calls.iter().all(|call| {
                    ALWAYS.contains(&call.fun)
                        || rules.iter().any(|rule| publish_rule(rule, *call, minions, fleet))
                })
        }
        Ask::Runner { fun, arg, kwarg } => special(rules, "runner", fun, arg, kwarg),
        Ask::Wheel { fun, arg, kwarg } => special(rules, "wheel", fun, arg, kwarg),
    }
}

/// As [`authorised`] for a publish, with rules that name minions taken together: each minion must be named by some rule
/// that allows the function, not all of them by the same one (`auth.enable_expanded_auth_matching`).
pub fn authorised_together(
    rules: &[Value],
    calls: &[Call<'_>],
    minions: &[String],
    fleet: &dyn Fleet,
) -> bool {
    let allowed = |call: &Call<'_>| {
        if ALWAYS.contains(&call.fun) {
            return true;
        }
        let mut left: Vec<&String> = minions.iter().collect();
        for rule in rules {
            match rule {
                Value::Str(_) if publish_rule(rule, *call, minions, fleet) => return true,
                Value::Map(map) => {
                    let Some((target, functions)) = single(map) else { continue };
                    if !target.starts_with('@')
                        && functions_allow(functions, call.fun, &Given::published(call.arg))
                    {
                        let target = Value::from(target);
                        let found =
                            check_minions(fleet, &target, "compound", DEFAULT_TARGET_DELIM, true).minions;
                        left.retain(|id| !found.contains(*id));
                    }
                }
                _ => {}
            }
        }
        !minions.is_empty() && left.is_empty()
    };
    !calls.is_empty() && calls.iter().all(allowed)
}

fn publish_rule(rule: &Value, call: Call<'_>, minions: &[String], fleet: &dyn Fleet) -> bool {
    match rule {
        Value::Str(pattern) => !pattern.starts_with('@') && full_match(pattern, call.fun),
        Value::Map(map) => {
            let Some((target, functions)) = single(map) else { return false };
            let given = Given::published(call.arg);
            // The cheap question first.
            !target.starts_with('@')
                && !minions.is_empty()
                && functions_allow(functions, call.fun, &given)
                && validate_tgt(fleet, target, minions)
        }
        _ => false,
    }
}

/// Rules for what runs on the master itself.
fn special(rules: &[Value], form: &str, fun: &str, arg: &[Value], kwarg: &Map) -> bool {
    let Some((module, function)) = fun.split_once('.').filter(|(_, f)| !f.contains('.')) else {
        return false;
    };
    let kwargs = kwarg.iter().map(|(k, v)| (python_str(k), v)).collect();
    let given = Given { args: arg.iter().collect(), kwargs };
    let whole_form = |name: &str| name == form || name.strip_suffix('s') == Some(form);
    rules.iter().any(|rule| match rule {
        Value::Str(text) => text.strip_prefix('@').is_some_and(|name| name == module || whole_form(name)),
        Value::Map(map) => single(map).is_some_and(|(key, functions)| {
            key.strip_prefix('@').is_some_and(|name| {
                (name == module && functions_allow(functions, function, &given))
                    || (whole_form(name) && functions_allow(functions, fun, &given))
            })
        }),
        _ => false,
    })
}

/// Arguments as a rule looks at them.
struct Given<'a> {
    args: Vec<&'a Value>,
    kwargs: Vec<(String, &'a Value)>,
}

impl<'a> Given<'a> {
    /// A minion takes marked maps wherever they stand for keyword arguments, and text `name=value` too.
    fn published(arg: &'a [Value]) -> Self {
        let mut given = Self { args: Vec::new(), kwargs: Vec::new() };
        for value in arg {
            match value {
                Value::Map(map) if map.get("__kwarg__") == Some(&Value::Bool(true)) => {
                    given.kwargs.extend(
                        map.iter()
                            .filter(|(k, _)| k.as_str() != Some("__kwarg__"))
                            .map(|(k, v)| (python_str(k), v)),
                    );
                }
                _ => given.args.push(value),
            }
        }
        given
    }
}

/// `fun`, or `{fun: conditions}`, or a list of such.
fn functions_allow(functions: &Value, fun: &str, given: &Given<'_>) -> bool {
    one_or_list(functions).iter().any(|condition| match condition {
        Value::Str(pattern) => full_match(pattern, fun),
        Value::Map(map) => single(map).is_some_and(|(pattern, conditions)| {
            full_match(pattern, fun) && arguments_allow(conditions, given)
        }),
        _ => false,
    })
}

/// `{args: [regex or null], kwargs: {name: regex or null}}`, or a list of such. What a condition names must be
/// given; what it does not name may be.
fn arguments_allow(conditions: &Value, given: &Given<'_>) -> bool {
    let fits = |condition: &Value, value: &Value| match condition {
        Value::Nil => true,
        Value::Str(pattern) => full_match(pattern, &python_str(value)),
        other => python_str(other) == python_str(value),
    };
    one_or_list(conditions).iter().any(|condition| {
        let Value::Map(condition) = condition else { return false };
        let args_fit = match condition.get("args") {
            None => true,
            Some(Value::List(wanted)) => {
                // Text `name=value` would become a keyword argument and shift the ones after it.
                let keyword = |v: &Value| v.as_str().is_some_and(|s| text_keyword(s).is_some());
                wanted.iter().enumerate().all(|(i, w)| {
                    given.args.get(i).is_some_and(|value| fits(w, value) && (w.is_nil() || !keyword(value)))
                })
            }
            Some(_) => false,
        };
        let kwargs_fit = match condition.get("kwargs") {
            None => true,
            Some(Value::Map(wanted)) => wanted.iter().all(|(name, w)| {
                let name = python_str(name);
                let texts = given.args.iter().filter_map(|v| text_keyword(v.as_str()?));
                let mut values = given.kwargs.iter().filter(|(k, _)| *k == name).map(|(_, v)| *v).peekable();
                // Given more than once, every one of them must fit.
                values.peek().is_some()
                    && values.all(|value| fits(w, value))
                    && texts.filter(|(k, _)| *k == name).all(|(_, text)| fits(w, &text.into()))
            }),
            Some(_) => false,
        };
        args_fit && kwargs_fit
    })
}

/// The name and value of text that a minion takes for a keyword argument.
fn text_keyword(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let first = name.chars().next()?;
    (!first.is_ascii_digit()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
        && !value.starts_with('='))
    .then_some((name, value))
}

fn one_or_list(value: &Value) -> &[Value] {
    match value {
        Value::List(list) => list,
        other => std::slice::from_ref(other),
    }
}

/// The entry of a map that has exactly one, with a text key.
fn single(map: &Map) -> Option<(&str, &Value)> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    Some((key.as_str()?, value))
}

/// An expression that is invalid, or takes too long, allows nothing.
fn full_match(pattern: &str, text: &str) -> bool {
    Regex::new(pattern, Anchor::Full).is_ok_and(|re| re.is_match(text).unwrap_or(false))
}

/// The rules that a section (`publisher_acl`, or one backend of `external_auth`) holds for a user: those under
/// names that match the user's, and under `group%` for the user's groups. The entry `*` counts only if no other
/// name matched, unless `permissive`.
///
/// The name in the section is the pattern. (In stock's `external_auth` it is the other way round, and a user called
/// `*` collects every rule.)
pub fn rules_of(section: &Map, user: &str, groups: &[String], permissive: bool) -> Vec<Value> {
    let mut rules = Vec::new();
    let mut named = false;
    for (name, own) in section {
        let Some(name) = name.as_str() else { continue };
        let hit = match name.strip_suffix('%') {
            Some(group) => groups.iter().any(|g| g == group),
            None if name == "*" => permissive,
            None => {
                let hit = user_matches(name, user);
                named |= hit;
                hit
            }
        };
        if hit {
            rules.extend_from_slice(one_or_list(own));
        }
    }
    if !named && !permissive {
        rules.extend_from_slice(section.get("*").map_or(&[], one_or_list));
    }
    rules
}

/// Whether a name in a section means a user: it is his name, a shell pattern, or an expression for his whole name. A name
/// with a dot is a name: only text that cannot be one is read as a regular expression.
pub fn user_matches(pattern: &str, user: &str) -> bool {
    let is_regex = pattern.contains(['\\', '(', '[', '{', '^', '$', '+', '|']) || pattern.contains(".*");
    if is_regex { expr_match(user, pattern) } else { fnmatch(user, pattern) }
}

/// Whether `publisher_acl_blacklist` (`{users: [..], modules: [..]}`) forbids a user, or any of the functions.
pub fn blacklisted<'a>(blacklist: &Map, user: &str, funs: impl IntoIterator<Item = &'a str>) -> bool {
    let patterns = |key: &str| -> Vec<&str> {
        blacklist
            .get(key)
            .map(|v| one_or_list(v).iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    };
    let (users, modules) = (patterns("users"), patterns("modules"));
    users.iter().any(|p| expr_match(user, p))
        || funs.into_iter().any(|fun| modules.iter().any(|p| expr_match(fun, p)))
}

#[cfg(test)]
#[path = "auth_rules_tests.rs"]
mod tests;
