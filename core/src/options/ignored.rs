//! An option that is ignored on purpose, so that the test which a row names can be seen to fail.
//!
//! `BRINE_IGNORE_OPTION=KEY` (or `master.KEY`, `minion.KEY` for one daemon's option) makes a program or a test behave as if
//! nothing had ever set that key: files are read without it, and options that a test made by hand yield its default. This
//! is in debug builds only; a release build does not look at the variable.

#[cfg(not(debug_assertions))]
pub use off::{ignored, ignored_key, ignores};
#[cfg(debug_assertions)]
pub use on::{ignored, ignored_key, ignores};

use brine_protocol::{Map, Value};

/// What counts in place of what was set: the default, if there is one.
pub type Instead = Option<&'static Value>;

#[cfg(not(debug_assertions))]
mod off {
    use super::super::Daemon;
    use super::{Instead, Map};

    /// Whether files of this daemon are read without this key.
    #[inline]
    pub fn ignores(_daemon: Daemon, _key: &str) -> bool {
        false
    }

    /// Whether `key` is the ignored one, in options that hold `values`.
    #[inline]
    pub fn ignored(_key: &str, _values: &Map) -> Option<Instead> {
        None
    }

    /// The ignored key of options that hold `values`.
    #[inline]
    pub fn ignored_key(_values: &Map) -> Option<(&'static str, Instead)> {
        None
    }
}

#[cfg(debug_assertions)]
mod on {
    use super::super::Daemon;
    use super::{Instead, Map, Value};
    use std::sync::OnceLock;

    /// The variable.
    const VARIABLE: &str = "BRINE_IGNORE_OPTION";

    struct Asked {
        daemon: Option<Daemon>,
        key: String,
        default: Option<Value>,
    }

    fn asked() -> Option<&'static Asked> {
        static ASKED: OnceLock<Option<Asked>> = OnceLock::new();
        let read = || std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()).map(|text| parse(&text));
        ASKED.get_or_init(read).as_ref()
    }

    fn parse(text: &str) -> Asked {
        let (daemon, key) = match (text.strip_prefix("master."), text.strip_prefix("minion.")) {
            (Some(key), _) => (Some(Daemon::Master), key),
            (_, Some(key)) => (Some(Daemon::Minion), key),
            _ => (None, text),
        };
        let row = daemon.unwrap_or(Daemon::Master).rows().find(|row| row.key == key);
        Asked { daemon, key: key.to_owned(), default: row.and_then(|row| row.default.value()) }
    }

    /// Whether files of this daemon are read without this key.
    pub fn ignores(daemon: Daemon, key: &str) -> bool {
        asked().is_some_and(|asked| asked.key == key && asked.daemon.is_none_or(|of| of == daemon))
    }

    /// Whether `key` is the ignored one, in options that hold `values`.
    pub fn ignored(key: &str, values: &Map) -> Option<Instead> {
        ignored_key(values).filter(|(name, _)| *name == key).map(|(_, instead)| instead)
    }

    /// The ignored key of options that hold `values`. Options with a role were read from files, without it.
    pub fn ignored_key(values: &Map) -> Option<(&'static str, Instead)> {
        let asked = asked()?;
        (!values.contains("__role")).then_some((asked.key.as_str(), asked.default.as_ref()))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_key_is_ignored_for_the_daemon_that_was_named() {
            let asked = parse("minion.loop_interval");
            assert_eq!((asked.daemon, asked.key.as_str()), (Some(Daemon::Minion), "loop_interval"));
            assert_eq!(asked.default, Some(1.into()));
            let asked = parse("auth.ldap.uri");
            assert_eq!((asked.daemon, asked.key.as_str(), asked.default), (None, "auth.ldap.uri", None));
        }
    }
}
