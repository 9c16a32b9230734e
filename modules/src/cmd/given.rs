//! The long signatures of the `cmd` functions: a macro that declares one, and the bag its arguments arrive in.
//! What the arguments mean is in `options.rs`.

use brine_core::call::{CallError, FromValue, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// Declares an execution function that takes its arguments by name in a [`Given`].
macro_rules! command {
    ($(#[$($attr:tt)*])* fn $name:ident($($param:ident $(= $default:expr)?),* $(,)?) => $body:path) => {
        $(#[$($attr)*])*
        #[brine_core::call::exec]
        #[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
        fn $name(
            cx: &brine_core::Cx,
            $($(#[default($default)])? $param: brine_core::Value,)*
            kwargs: brine_core::call::KwArgs,
        ) -> brine_core::call::Result {
            let named = brine_core::map! { $(stringify!($param) => $param),* };
            $body(cx, $crate::cmd::given::Given { named, extra: kwargs.0 })
        }
    };
}
pub(super) use command;

/// The arguments of one call.
#[derive(Clone)]
pub(super) struct Given {
    /// Those the function declares, defaults filled in.
    pub(super) named: Map,
    /// Python's `**kwargs`: the publish load, and arguments that only the shared machinery knows.
    pub(super) extra: Map,
}

impl Given {
    /// An argument's value; `None` if it is unknown here.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.named.get(name).or_else(|| self.extra.get(name)).filter(|value| !value.is_nil())
    }

    /// An argument as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(python_str)
    }

    /// An argument's truth.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// An argument's truth, or `default` where the function does not declare it.
    pub(super) fn flag_or(&self, name: &str, default: bool) -> bool {
        match self.named.get(name).or_else(|| self.extra.get(name)) {
            Some(value) => bool::from_value(value.clone()).unwrap_or(default),
            None => default,
        }
    }

    /// Sets an argument, declared or not.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.named.insert(name, value);
    }

    /// Takes an argument out.
    pub(super) fn take(&mut self, name: &str) -> Value {
        self.named.remove(name).or_else(|| self.extra.remove(name)).unwrap_or_default()
    }

    /// A list of texts: a list, or text with commas (`split_input`).
    pub(super) fn split(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            None => Vec::new(),
            Some(Value::List(list)) => list.iter().map(python_str).collect(),
            Some(other) => python_str(other).split(',').map(|part| part.trim().to_owned()).collect(),
        }
    }

    /// `python_shell` as it holds for this call: left open, it is true for a command that came as a job.
    pub(super) fn python_shell(&self, cx: &brine_core::Cx) -> bool {
        if self.get("python_shell").is_some() {
            return self.flag("python_shell");
        }
        let job = self.extra.get("__pub_jid").is_some_and(Value::truthy);
        job || cx.opts.get("cmd_safe") == Some(&Value::Bool(false))
    }
}

/// `success_retcodes` as numbers.
pub(super) fn retcodes(given: &Given) -> Result<Vec<i64>> {
    if given.get("success_retcodes").is_none() {
        return Ok(vec![0]);
    }
    let parsed = given.split("success_retcodes").iter().map(|code| code.trim().parse()).collect();
    let wrong = |_| CallError::invocation("success_retcodes must be a list of integers");
    std::result::Result::map_err(parsed, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::{Cx, Opts, Registry, map};
    use std::sync::Arc;

    #[test]
    fn a_call_of_its_own_gets_a_shell_only_where_cmd_safe_is_off() {
        let given = Given { named: Map::new(), extra: Map::new() };
        for (safe, shell) in [(true, false), (false, true)] {
            let opts = Arc::new(Opts::new(map! {"cmd_safe" => safe}));
            let cx = Cx::new(opts, Arc::new(Registry::default()), Arc::new(NoHost));
            assert_eq!(given.python_shell(&cx), shell);
        }
    }
}
