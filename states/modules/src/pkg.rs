//! States of packages. What is to be installed or removed is found in `pkg/find.rs`; each state is in a file of its own beside.

mod aggregate;
mod ask;
mod downloaded;
mod find;
mod held;
mod installed;
mod latest;
mod removed;
mod uptodate;
mod versions;
mod watch;

use brine_core::call::Cx;
use brine_core::state::state_module;
use downloaded::*;
use held::*;
use installed::*;
use latest::*;
use removed::*;
use uptodate::*;
use watch::*;
use aggregate::aggregate;

state_module! {
    "pkg": downloaded, group_installed, held, installed, latest, mod_beacon, mod_watch, patch_downloaded, patch_installed,
    purged, removed, unheld, uptodate;
    mod_init = init, mod_aggregate = aggregate, unavailable = unavailable
}

/// Why there are no states of packages: nothing installs any.
fn unavailable(cx: &Cx) -> Option<String> {
    let here = cx.registry.get("pkg.install").is_some()
        && matches!(cx.grains.get_str("os_family"), None | Some("Debian"));
    (!here).then(|| "pkg module could not be loaded".into())
}
