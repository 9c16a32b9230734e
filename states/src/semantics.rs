//! Whose semantics state trees have: `state_semantics`, an option of our own.
//!
//! Salt 3008 compiles high data otherwise than 3006 does: it orders by the graph of requisites, refuses what is required and
//! not there, makes `require` of `watch` where nothing can be watched, and says which SLS included which. 3006's are the
//! default.

use brine_core::{Opts, Value, text::python_str};

/// A release of Salt, as far as state trees mean something else in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Semantics {
    /// 3006 and 3007.
    #[default]
    V3006,
    /// 3008.
    V3008,
}

impl Semantics {
    /// What `state_semantics` says; 3006 where it says nothing that is known.
    pub fn of(opts: &Opts) -> Self {
        let said = opts.get("state_semantics").filter(|value| !value.is_nil()).map(python_str);
        match said.as_deref() {
            None | Some("" | "3006" | "3007") => Self::V3006,
            Some("3008") => Self::V3008,
            Some(other) => {
                tracing::warn!("state_semantics is {other}, which is neither 3006 nor 3008; 3006 it is");
                Self::V3006
            }
        }
    }

    /// Whether they are 3008's.
    pub fn is_3008(self) -> bool {
        self == Self::V3008
    }
}

/// State modules of 3008 that have `mod_watch`.
const WATCHING: &[&str] = &["at", "cmd", "etcd", "event", "module", "mount", "pkg", "service", "test"];

/// Whether states of this kind can watch others.
pub(crate) fn has_mod_watch(cx: &brine_core::call::Cx, kind: &str) -> bool {
    match cx.registry.state_module(kind) {
        Some(module) => module.functions.iter().any(|function| function.name == "mod_watch"),
        None => WATCHING.contains(&kind),
    }
}

/// Whether a minion's grain `state_runs_disabled` disables a state function.
pub(crate) fn disabled_by<'a>(cx: &'a brine_core::call::Cx, function: &str) -> Option<&'a str> {
    let patterns = cx.grains.get("state_runs_disabled").and_then(Value::as_list)?;
    patterns.iter().filter_map(Value::as_str).find(|pattern| brine_core::target::fnmatch(function, pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn numbers_and_texts_name_a_release() {
        let of = |value: Value| Semantics::of(&Opts::new(map! {"state_semantics" => value}));
        assert_eq!(of(3008.into()), Semantics::V3008);
        assert_eq!(of("3008".into()), Semantics::V3008);
        assert_eq!(of("3006".into()), Semantics::V3006);
        assert_eq!(of("4000".into()), Semantics::V3006);
        assert_eq!(Semantics::of(&Opts::new(map! {})), Semantics::V3006);
    }
}
