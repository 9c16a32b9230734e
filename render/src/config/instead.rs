//! What counts where an option has a value of a type that it does not take. Stock keeps such a value, and what comes of
//! it shows when it is used; here it is what that use would make of it, or the default where it could only fail.
//!
//! Where the one or the other would open a door, the value that keeps it shut counts.

use brine_core::options::{Row, Type};
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};

/// True is the safe side: a mistake never switches these off that are on by default.
const GUARDS: &[&str] = &[
    "always_verify_signature",
    "client_acl_verify",
    "cmd_safe",
    "drop_messages_signature_fail",
    "master_sign_pubkey",
    "minion_sign_messages",
    "require_minion_sign_messages",
    "rotate_aes_key",
    "sign_pub_messages",
    "sudo_acl",
    "verify_env",
    "verify_master_pubkey_sign",
];
/// False is the safe side: a mistake never switches these on that are off by default.
const DOORS: &[&str] = &[
    "allow_minion_key_revoke",
    "auto_accept",
    "clear_commands_from_anywhere",
    "open_mode",
    "permissive_pki_access",
    "rejected_retry",
];
/// Numbers that a boolean or a fraction must not become.
const PLAIN: &[&str] = &["minimum_auth_version", "keysize"];
/// Text that is compared with something or read from somewhere: a wrong one must fit nothing, not count as absent.
const COMPARED: &[&str] = &["master_finger", "key_pass", "signing_key_pass"];

/// The options that count in place of `value`, which `row` does not take; none: the default.
pub(super) fn instead(row: &Row, value: &Value) -> Map {
    match row.key {
        // A list of who must not that cannot be read forbids everything.
        "publisher_acl_blacklist" => {
            return map! {"publisher_acl_blacklist" => map! {"users" => vec!["*"], "modules" => vec!["*"]}};
        }
        // Without this one everybody may read all of the mine.
        "mine_get" => return map! {"mine_get" => Map::new()},
        // Whom it would have rejected must not be accepted either, so nobody is without an operator.
        "autoreject_file" => {
            return map! {"auto_accept" => false, "autosign_file" => Value::Nil, "autosign_grains_dir" => Value::Nil};
        }
        _ => {}
    }
    match row.types.iter().find_map(|t| converted(row, *t, value)) {
        Some(value) => map! {row.key => value},
        None => Map::new(),
    }
}

fn converted(row: &Row, to: Type, value: &Value) -> Option<Value> {
    let default = row.default.value().is_some_and(|v| v.truthy());
    match (to, value) {
        (Type::Bool, value) if GUARDS.contains(&row.key) => Some((default || value.truthy()).into()),
        (Type::Bool, value) if DOORS.contains(&row.key) => Some((default && value.truthy()).into()),
        (Type::Bool, value) => Some(value.truthy().into()),
        (Type::Int | Type::Float, _) if PLAIN.contains(&row.key) => None,
        (Type::Int | Type::Float, Value::Bool(b)) => Some(i64::from(*b).into()),
        (Type::Int, Value::Float(x)) if x.abs() < 9e15 => Some((*x as i64).into()),
        // Python goes through the keys of a map; a text is meant as the one item it is.
        (Type::List, Value::Map(m)) => Some(m.keys().cloned().collect()),
        (Type::List, value) => Some(vec![Value::Str(python_str(value))].into()),
        (Type::Str, value) if COMPARED.contains(&row.key) => Some(python_str(value).into()),
        _ => None,
    }
}

/// A value that an option takes, in the form in which it is read: text for what was written as a number or a boolean
/// where only text is taken, and a map for an empty list.
pub(super) fn taken(row: &Row, value: &Value) -> Value {
    match value {
        // Shown to minions as it stands.
        _ if row.key == "master_id" || row.types.iter().any(|t| t.is_of(value)) => value.clone(),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) if row.types.contains(&Type::Str) => {
            python_str(value).into()
        }
        Value::List(l) if l.is_empty() && row.types.contains(&Type::Map) => Map::new().into(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::options::Daemon;

    fn used(daemon: Daemon, key: &str, value: impl Into<Value>) -> Map {
        instead(daemon.row(key).unwrap(), &value.into())
    }

    #[test]
    fn use_decides_as_in_stock() {
        use Daemon::{Master, Minion};
        assert_eq!(used(Master, "peer", true), Map::new());
        assert_eq!(used(Master, "zmq_filtering", "no"), map! {"zmq_filtering" => true});
        assert_eq!(used(Master, "keep_jobs_seconds", "abc"), Map::new());
        assert_eq!(used(Master, "keep_jobs_seconds", true), map! {"keep_jobs_seconds" => 1});
        assert_eq!(used(Master, "pub_hwm", 10.5), map! {"pub_hwm" => 10});
        assert_eq!(used(Master, "user", vec!["root"]), Map::new());
        assert_eq!(used(Minion, "disable_modules", "cmd"), map! {"disable_modules" => vec!["cmd"]});
    }

    #[test]
    fn no_mistake_opens_a_door() {
        use Daemon::{Master, Minion};
        for key in ["auto_accept", "open_mode", "permissive_pki_access", "clear_commands_from_anywhere"] {
            assert_eq!(used(Master, key, "yes"), map! {key => false});
        }
        for key in ["sign_pub_messages", "client_acl_verify", "rotate_aes_key", "verify_env"] {
            assert_eq!(used(Master, key, 0), map! {key => true});
        }
        assert_eq!(
            used(Master, "require_minion_sign_messages", 1),
            map! {"require_minion_sign_messages" => true}
        );
        assert_eq!(used(Master, "minimum_auth_version", true), Map::new());
        assert_eq!(used(Master, "publisher_acl", vec!["a"]), Map::new());
        let all = map! {"users" => vec!["*"], "modules" => vec!["*"]};
        assert_eq!(
            used(Master, "publisher_acl_blacklist", vec!["a"]).get("publisher_acl_blacklist"),
            Some(&all.into())
        );
        assert_eq!(used(Master, "mine_get", true), map! {"mine_get" => Map::new()});
        assert_eq!(used(Master, "autoreject_file", vec!["f"]).get("auto_accept"), Some(&false.into()));
        assert_eq!(used(Minion, "master_finger", vec!["ab"]), map! {"master_finger" => "['ab']"});
        assert_eq!(used(Minion, "verify_master_pubkey_sign", 1), map! {"verify_master_pubkey_sign" => true});
        assert_eq!(used(Minion, "whitelist_modules", 5), map! {"whitelist_modules" => vec!["5"]});
    }

    /// A list here that names an option of another kind or one that is gone would do nothing.
    #[test]
    fn the_lists_name_options_that_are_there() {
        let row = |key: &str| Daemon::Master.row(key).unwrap_or_else(|| panic!("{key}"));
        for key in GUARDS.iter().chain(DOORS) {
            assert!(row(key).types.contains(&Type::Bool) && row(key).status.is_honoured(), "{key}");
        }
        assert!(PLAIN.iter().all(|key| row(key).types == [Type::Int]));
        assert!(COMPARED.iter().all(|key| row(key).types.contains(&Type::Str)));
    }

    #[test]
    fn what_is_taken_reads_as_text_where_text_is_read() {
        let of = |key: &str, value: Value| taken(Daemon::Master.row(key).unwrap(), &value);
        assert_eq!(of("interface", 5.into()), "5".into());
        assert_eq!(of("publish_port", "4505".into()), "4505".into());
        assert_eq!(of("tcp_keepalive_idle", 300.into()), 300.into());
        assert_eq!(of("publisher_acl", Value::List(vec![])), Map::new().into());
        assert_eq!(of("nodegroups", Value::List(vec![])), Value::List(vec![]));
    }
}
