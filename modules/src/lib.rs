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
    acl,
    aliases,
    alternatives,
    archive,
    beacons,
    cmd,
    config,
    cp,
    cron,
    data,
    debconf,
    defaults,
    disk,
    environ,
    event,
    file,
    git,
    grains,
    group,
    hashutil,
    hosts,
    http,
    ini_manage,
    iptables,
    jinja,
    key,
    kmod,
    locale,
    log,
    lowpkg,
    match_,
    mine,
    mount,
    nacl,
    network,
    pillar,
    pip,
    pkg,
    pkg_resource,
    ps,
    publish,
    random,
    ret,
    saltutil,
    schedule,
    sdb,
    service,
    shadow,
    slsutil,
    ssh,
    state,
    status,
    sys,
    sysctl,
    system,
    test,
    timezone,
    user,
    virtualenv,
}

mod absent;
mod accounts;
mod datastore;
mod detailed;
mod grains_core;
mod live;
mod python;
mod settings;
mod systemd;
mod tools;

pub use absent::note_absent;
pub use environ::apply_to_minion as apply_environ;
pub use grains_core::load as grains;
