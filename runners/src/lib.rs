//! What a master can do: runners and wheel functions, one file each. Adding a module is one file and one word in a list
//! below.
//!
//! They are called through the same door as a minion's functions (`brine_core::call`), by `salt-run` in its own process
//! and by the master for clients that prove who they are. What they need of a master beyond its files is [`Side`].
//! Not here: who may call what.

mod absent;
mod alerting;
mod client;
mod dates;
#[cfg(test)]
mod fake;
mod host;
mod job_cache;
mod minion;
mod places;
mod raise;
mod roots;
mod run;
mod side;

/// Functions that are known and refused, each by its name, for the want of something; what they would do is said for all.
macro_rules! refused {
    ($module:literal, $lack:literal, $doc:tt: $($name:ident),* $(,)?) => {
        $(
            #[doc = $doc]
            #[brine_core::call::exec]
            fn $name(
                _args: brine_core::call::VarArgs,
                _kwargs: brine_core::call::KwArgs,
            ) -> brine_core::call::Result {
                Err(crate::lacking(concat!($module, ".", stringify!($name)).trim_end_matches('_'), $lack))
            }
        )*
    };
}

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $path:ident: $($module:ident),* $(,)?) => {
        mod $path { $(pub(crate) mod $module;)* }
        $(#[$doc])*
        pub const $name: &[&brine_core::call::Module] = &[$(&$path::$module::MODULE),*];
    };
}

list! {
    /// Every runner module.
    RUNNERS, runner:
    alerts, audit, auth, cache, config, doc, error, event, fileserver, git_pillar, jobs, manage, match_, mine, network, pillar, queue,
    reactor, salt, saltutil, sdb, silence, state, survey, test
}

list! {
    /// Every wheel module.
    WHEEL, wheel: config, error, file_roots, key, minions, pillar_roots
}

pub use host::{Execution, MasterHost, master};
pub use minion::minion as master_minion;
pub use run::{Kind, Run, outcome};
pub use side::{Answer, Ended, Link, Order, Published, Side, collect};

/// The refusal of a function that needs what is not here.
fn lacking(fun: &str, lack: &str) -> brine_core::call::CallError {
    brine_core::call::CallError::execution(format!("{fun} needs {lack}"))
}
