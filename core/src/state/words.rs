//! The words of low data that are for the runner, and not for state functions.

use std::sync::LazyLock;

/// `STATE_REQUISITE_KEYWORDS`
pub const REQUISITES: [&str; 13] = [
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
pub const REQUISITES_IN: [&str; 6] =
    ["onchanges_in", "onfail_in", "prereq_in", "watch_in", "require_in", "listen_in"];

/// `STATE_RUNTIME_KEYWORDS`, without those that are requisites; and what only 3008 puts into low data.
const RUNTIME: [&str; 38] = [
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
    "__prerequiring__",
    "__sls_included_from__",
];

/// `STATE_INTERNAL_KEYWORDS`: whether a key is for the runner. Asked of every word of every chunk.
pub fn is_internal(key: &str) -> bool {
    // By length first: that alone settles most questions, and is less work than a hash.
    fn rank(word: &str) -> (usize, &str) {
        (word.len(), word)
    }
    static ALL: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut all: Vec<&str> = RUNTIME.iter().chain(&REQUISITES).chain(&REQUISITES_IN).copied().collect();
        all.sort_by_key(|word| rank(word));
        all
    });
    ALL.binary_search_by_key(&rank(key), |word| rank(word)).is_ok()
}
