//! What SLS files can say: state modules, one file each. Adding one is one file and one word in the list below.
//!
//! They change nothing themselves: what is done to a machine is done by execution modules, which they call by name.

macro_rules! states {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every file of states.
        pub const ALL: &[&brine_core::state::StateModule] = &[$(&$module::MODULE),*];
    };
}

states! {
    acl,
    alias,
    alternatives,
    archive,
    beacon,
    cmd,
    cron,
    debconf,
    environ,
    event,
    file,
    git,
    grains,
    group,
    host,
    iptables,
    http,
    ini_manage,
    kmod,
    locale,
    module,
    mount,
    pip,
    pkg,
    pkgrepo,
    salt,
    saltutil,
    schedule,
    service,
    ssh_auth,
    ssh_known_hosts,
    sysctl,
    test,
    timezone,
    user,
    virtualenv,
}

mod absent;
mod accounts;

pub use absent::note_absent;
