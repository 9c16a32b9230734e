//! Long signatures: a macro that declares one, and the bag its arguments arrive in. For functions of which stock's have
//! ten arguments and more, most of them handed on.

use super::{CallError, FromValue, Result};
use crate::text::python_str;
use brine_protocol::{Map, Value};

/// Declares a function that takes its arguments by name in a [`Given`]: `given! { /// doc fn name(a, b = 5; kwargs) => body }`.
/// What stands after the semicolon collects surplus keyword arguments.
#[macro_export]
#[doc(hidden)]
macro_rules! given_function {
    ($(#[$($attr:tt)*])* $vis:vis fn $name:ident($($param:ident $(= $default:expr)?),* $(,)?) => $body:expr) => {
        $(#[$($attr)*])*
        #[$crate::call::exec]
        #[allow(clippy::too_many_arguments, reason = "the signature is stock's")]
        $vis fn $name(
            cx: &$crate::Cx,
            $($(#[default($default)])? $param: $crate::Value,)*
        ) -> $crate::call::Result {
            let named = $crate::map! { $($crate::call::parameter(stringify!($param)) => $param),* };
            $crate::call::returned($body(cx, $crate::call::Given { named, extra: $crate::Map::new() }))
        }
    };
    ($(#[$($attr:tt)*])* $vis:vis fn $name:ident($($param:ident $(= $default:expr)?),* $(,)?; $kwargs:ident) => $body:expr) => {
        $(#[$($attr)*])*
        #[$crate::call::exec]
        #[allow(clippy::too_many_arguments, reason = "the signature is stock's")]
        $vis fn $name(
            cx: &$crate::Cx,
            $($(#[default($default)])? $param: $crate::Value,)*
            $kwargs: $crate::call::KwArgs,
        ) -> $crate::call::Result {
            let named = $crate::map! { $($crate::call::parameter(stringify!($param)) => $param),* };
            $crate::call::returned($body(cx, $crate::call::Given { named, extra: $kwargs.0 }))
        }
    };
}
pub use crate::given_function as given;

/// The name that callers use for a parameter whose Rust name had to differ (`match_`).
pub fn parameter(name: &str) -> &str {
    name.strip_suffix('_').unwrap_or(name)
}

/// The arguments of one call.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Those the function declares, defaults filled in.
    pub named: Map,
    /// Python's `**kwargs`.
    pub extra: Map,
}

impl Given {
    /// An argument's value, `None` for what is not there.
    pub fn value(&self, name: &str) -> Value {
        self.get(name).cloned().unwrap_or_default()
    }

    /// An argument, unless it is `None`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.named.get(name).or_else(|| self.extra.get(name)).filter(|value| !value.is_nil())
    }

    /// An argument, if Python takes it for true.
    pub fn set_to(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| value.truthy())
    }

    /// An argument as text, unless it is `None`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(python_str)
    }

    /// Whether Python takes an argument for true.
    pub fn truthy(&self, name: &str) -> bool {
        self.set_to(name).is_some()
    }

    /// An argument's truth, read as loosely as that of typed parameters: the text `False` is false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| bool::from_value(value.clone()).unwrap_or(false))
    }

    /// Refuses keyword arguments that are neither declared nor `known`; those that stock's callers add are dropped.
    pub fn only(&mut self, known: &[&str]) -> Result<()> {
        self.extra.retain(|key, _| !key.as_str().is_some_and(|key| key.starts_with("__")));
        let is_known = |key: &Value| key.as_str().is_some_and(|key| known.contains(&key));
        let mut unknown = self.extra.iter().filter(|(key, _)| !is_known(key)).peekable();
        if unknown.peek().is_none() { Ok(()) } else { Err(CallError::unknown_keywords(unknown)) }
    }

    /// Sets an argument, declared or not.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.named.insert(name, value);
    }

    /// Takes an argument out.
    pub fn take(&mut self, name: &str) -> Value {
        self.named.remove(name).or_else(|| self.extra.remove(name)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Args, ParamKind};
    use crate::host::NoHost;
    use crate::{Cx, Opts, Registry};
    use std::sync::Arc;

    given! {
        /// Shows what it was given.
        fn show(name, match_ = 5; kwargs) => shown
    }

    fn shown(_: &Cx, given: Given) -> Result {
        Ok(vec![Value::Map(given.named), Value::Map(given.extra)].into())
    }

    #[test]
    fn arguments_come_by_their_names() {
        let cx = Cx::new(Arc::new(Opts::new(Map::new())), Arc::new(Registry::default()), Arc::new(NoHost));
        let out = (exec_show.run)(&cx, Args::positional(["a"]).with("b", 1)).unwrap();
        assert_eq!(python_str(&out), "[{'name': 'a', 'match': 5}, {'b': 1}]");
        assert!(matches!(exec_show.params[1].kind, ParamKind::Default(_)));
        assert_eq!(exec_show.params[1].name, "match");
    }
}
