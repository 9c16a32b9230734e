//! Who may ask the master for what: `publisher_acl` and its blacklist, `peer`, `peer_run`, `mine_get`.

use brine_core::Opts;
use brine_protocol::{Map, Value};

use super::{ConfigError, bad};

/// Access rules, as the file has them.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// `publisher_acl`: user (or pattern of users) to rules.
    pub publisher_acl: Map,
    /// `publisher_acl_blacklist`: `users` and `modules`.
    pub blacklist: Map,
    /// `sudo_acl`
    pub sudo_acl: bool,
    /// `peer`: which minions may publish what.
    pub peer: Map,
    /// `peer_run`: which minions may run which runners.
    pub peer_run: Map,
    /// `mine_get`, when it is there at all: which minions may read which functions of the mine. None: no restriction.
    pub mine_get: Option<Value>,
    /// Whether rules that name minions are taken together (`auth.enable_expanded_auth_matching`).
    pub spread_rules: bool,
    /// Whether clear commands with a local user's key are taken from other hosts too
    /// (`clear_commands_from_anywhere`). The key travels in clear.
    pub key_from_anywhere: bool,
}

impl AccessConfig {
    pub(super) fn from_opts(opts: &Opts) -> Result<Self, ConfigError> {
        let map = |key: &'static str| match opts.get(key) {
            None | Some(Value::Nil) => Ok(Map::new()),
            Some(Value::Map(map)) => Ok(map.clone()),
            // An access rule that cannot be read must not read as none.
            Some(_) => Err(bad(key, "must be a map")),
        };
        Ok(Self {
            publisher_acl: map("publisher_acl")?,
            blacklist: map("publisher_acl_blacklist")?,
            sudo_acl: opts.flag("sudo_acl"),
            peer: map("peer")?,
            peer_run: map("peer_run")?,
            mine_get: opts.get("mine_get").cloned(),
            spread_rules: opts.flag("auth.enable_expanded_auth_matching"),
            key_from_anywhere: opts.flag("clear_commands_from_anywhere"),
        })
    }
}
