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
    alternatives,
    cmd,
    config,
    cp,
    data,
    defaults,
    disk,
    environ,
    event,
    file,
    grains,
    group,
    hashutil,
    jinja,
    key,
    log,
    match_,
    mine,
    nacl,
    network,
    pillar,
    pkg,
    pkg_resource,
    ps,
    publish,
    random,
    ret,
    saltutil,
    schedule,
    sdb,
    shadow,
    slsutil,
    state,
    status,
    sys,
    system,
    test,
    user,
}

mod accounts;
mod datastore;
mod grains_core;
mod live;
mod python;
mod tools;

pub use environ::apply_to_minion as apply_environ;
pub use grains_core::load as grains;
