//! The words of low data that are for the runner, and not for state functions; and the tags that results are kept by.

use brine_core::text::python_str;
use brine_core::{Map, Value};

/// `STATE_REQUISITE_KEYWORDS`
pub(crate) const REQUISITES: [&str; 13] = [
    "onchanges",
    "onchanges_any",
    "onfail",
    "onfail_any",
    "onfail_all",
    "onfail_stop",
    "prereq",
    "prerequired",
    "watch",
    "watch_any",
    "require",
    "require_any",
    "listen",
];

/// `STATE_REQUISITE_IN_KEYWORDS`
pub(crate) const REQUISITES_IN: [&str; 6] =
    ["onchanges_in", "onfail_in", "prereq_in", "watch_in", "require_in", "listen_in"];

/// `STATE_RUNTIME_KEYWORDS`, without those that are requisites.
const RUNTIME: [&str; 37] = [
    "fun",
    "state",
    "check_cmd",
    "cmd_opts_exclude",
    "failhard",
    "onlyif",
    "unless",
    "creates",
    "retry",
    "order",
    "parallel",
    "reload_modules",
    "reload_grains",
    "reload_pillar",
    "runas",
    "runas_password",
    "fire_event",
    "saltenv",
    "umask",
    "use",
    "use_in",
    "__env__",
    "__sls__",
    "__id__",
    "__orchestration_jid__",
    "__pub_user",
    "__pub_arg",
    "__pub_jid",
    "__pub_fun",
    "__pub_tgt",
    "__pub_ret",
    "__pub_pid",
    "__pub_tgt_type",
    "__prereq__",
    "__prerequired__",
    "__umask__",
    "prereq_in",
];

/// `STATE_INTERNAL_KEYWORDS`: whether a key is for the runner.
pub(crate) fn is_internal(key: &str) -> bool {
    RUNTIME.contains(&key) || REQUISITES.contains(&key) || REQUISITES_IN.contains(&key)
}

/// A member as Python's `format` writes it.
fn text(low: &Map, key: &str) -> String {
    low.get(key).map(python_str).unwrap_or_default()
}

/// The tag of a chunk: what its result is kept by.
pub fn tag(low: &Map) -> String {
    let mut tag = text(low, "state");
    for key in ["__id__", "name", "fun"] {
        tag += "_|-";
        match low.get(key) {
            Some(Value::Str(member)) => tag += member,
            _ => tag += &text(low, key),
        }
    }
    tag
}

/// The full name of a chunk's function.
pub(crate) fn full_name(low: &Map) -> String {
    format!("{}.{}", text(low, "state"), text(low, "fun"))
}

/// Puts `__sls__`, `__id__` and `name` of a chunk into its result.
pub(crate) fn say_whose(ret: &mut Map, low: &Map) {
    for key in ["__sls__", "__id__", "name"] {
        ret.insert(key, low.get(key).cloned());
    }
}
