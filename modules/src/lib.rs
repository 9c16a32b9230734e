//! What a minion can do: execution modules and grains, one file each. Adding a module is one file and one word
//! in the list below.

macro_rules! modules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every execution module.
        pub const ALL: &[&brine_core::call::Module] = &[$(&$module::MODULE),*];
    };
}

modules! {
    grains,
    network,
    test,
}

mod grains_core;
mod tools;

pub use grains_core::load as grains;
