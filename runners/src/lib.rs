//! What a master can do: runners and wheel functions, one file each. Adding a module is one file and one word in a list
//! below.
//!
//! They are called through the same door as a minion's functions (`brine_core::call`), by `salt-run` in its own process
//! and by the master for clients that prove who they are. What they need of a master beyond its files is [`Side`].
//! Not here: who may call what.

mod host;
mod run;
mod side;

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $path:ident: $($module:ident),* $(,)?) => {
        mod $path { $(pub(crate) mod $module;)* }
        $(#[$doc])*
        pub const $name: &[&brine_core::call::Module] = &[$(&$path::$module::MODULE),*];
    };
}

list! {
    /// Every runner module.
    RUNNERS, runner: manage
}

list! {
    /// Every wheel module.
    WHEEL, wheel: key
}

pub use host::{MasterHost, master};
pub use run::{Kind, Run, outcome};
pub use side::{Answer, Ended, Link, Order, Published, Side, collect};
