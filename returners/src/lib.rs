//! Returners: where results and events go beside the master's own store.
//!
//! Adding one is one file and one word in the list below. The file holds `pub(crate) static RETURNER: Returner`, a name, a
//! text for people and plain functions; what it does not have stays as in [`Returner::NOTHING`]:
//!
//! ```ignore
//! pub(crate) static RETURNER: Returner = Returner {
//!     name: "redis",
//!     doc: "Return data to a Redis server. ...",
//!     returner: Some(returner),
//!     get_load: Some(get_load),
//!     ..Returner::NOTHING
//! };
//!
//! fn returner(cx: &Cx, ret: &Map) -> Result<()> {
//!     let options = options(cx, Some(ret), &SPEC)?; // stock's `get_returner_options`
//! ```
//!
//! `name` is the one that people write (stock's virtual name). Functions are blocking code; they run on the thread of a job,
//! of a runner, or on the one thread of the master that writes to returners. Errors are Python's exceptions, since
//! callers log their text. Whoever calls a returner finds it by [`find`], which says why there is none.

mod common;
pub mod describe;
mod give;
mod json;
mod loads;
mod options;
mod pg_text;
mod returner;
mod rows;

pub use brine_dial::keep_connections;
pub use give::{give, give_scheduled};
pub use json::json;
pub use options::{Profile, Spec, options};
pub use returner::{Returner, names_in, reason};
#[doc(hidden)]
pub use syslog::syslog_to;

use brine_core::call::{CallError, Result};
use brine_core::{Opts, Value};

macro_rules! returners {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every returner.
        pub static ALL: &[&Returner] = &[$(&$module::RETURNER),*];
    };
}

returners! {
    elasticsearch,
    local,
    local_cache,
    multi_returner,
    mysql,
    pgjsonb,
    postgres,
    rawfile_json,
    redis,
    slack_webhook,
    smtp,
    syslog,
}

/// Stock's other returners, of all its versions: what they talk to is not served here.
const REFUSED: &[&str] = &[
    "appoptics",
    "carbon",
    "cassandra_cql",
    "couchbase",
    "couchdb",
    "etcd",
    "highstate",
    "influxdb",
    "kafka",
    "librato",
    "mattermost",
    "memcache",
    "mongo",
    "nagios_nrdp",
    "odbc",
    "postgres_local_cache",
    "pushover",
    "salt_cache",
    "sentry",
    "slack",
    "sms",
    "splunk",
    "sqlite3",
    "telegram",
    "xmpp",
    "zabbix",
];

/// The returner of that name; `redis` has the name of stock's file as well.
///
/// # Errors
/// When there is none, or `disable_returners` names it; the text is stock's for `<name>.<function>`.
pub fn find(opts: &Opts, name: &str, function: &str) -> Result<&'static Returner> {
    let disabled = match opts.get("disable_returners") {
        Some(Value::List(list)) => list.iter().any(|one| one.as_str() == Some(name)),
        Some(Value::Str(one)) => one == name,
        _ => false,
    };
    let meant = if name == "redis_return" { "redis" } else { name };
    let known = ALL.iter().find(|r| r.name == meant && !disabled);
    known.copied().ok_or_else(|| missing(name, function))
}

/// The error for a function that a returner does not have, or for a returner that is not there.
pub fn missing(name: &str, function: &str) -> CallError {
    CallError::NotAvailable(if REFUSED.contains(&name) {
        format!(
            "'{name}' __virtual__ returned False: this returner of stock Salt is not part of these programs"
        )
    } else {
        format!("'{name}.{function}' is not available.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn each_name_is_one_returner_or_a_reason() {
        let mut names: Vec<_> = ALL.iter().map(|r| r.name).chain(REFUSED.iter().copied()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for returner in ALL {
            assert!(!returner.doc.is_empty() && returner.returner.is_some(), "{}", returner.name);
        }
        let opts = Opts::default();
        assert_eq!(find(&opts, "local", "returner").unwrap().name, "local");
        assert_eq!(find(&opts, "redis_return", "returner").unwrap().name, "redis");
        let error = |opts: &Opts, name| find(opts, name, "returner").err().unwrap().to_string();
        assert_eq!(error(&opts, "none"), "'none.returner' is not available.");
        assert!(error(&opts, "mongo").starts_with("'mongo' __virtual__ returned False: "));
        let disabled = Opts::new(map! {"disable_returners" => vec!["local"]});
        assert_eq!(error(&disabled, "local"), "'local.returner' is not available.");
        assert!(find(&disabled, "multi_returner", "returner").is_ok());
    }
}
