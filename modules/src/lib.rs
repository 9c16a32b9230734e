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
    cmd,
    config,
    cp,
    disk,
    environ,
    event,
    grains,
    hashutil,
    key,
    match_,
    mine,
    network,
    ps,
    publish,
    random,
    ret,
    saltutil,
    schedule,
    status,
    sys,
    system,
    test,
}

mod datastore;
mod grains_core;
mod python;
mod tools;

pub use environ::apply_to_minion as apply_environ;
pub use grains_core::load as grains;
