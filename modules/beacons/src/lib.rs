//! What a minion watches and tells its master: beacons, one file each. Adding one is one file and one word in the list below.
//!
//! A beacon is plain blocking code that looks at something and says what happened since it looked last. What it keeps between
//! its turns is let go when its configuration goes; execution modules are reached by name only. When each has its turn is
//! decided in [`turns`], what the functions of the module `beacons` change in [`manage`].

mod config;
mod kept;
mod logins;
pub mod manage;
mod piped;
mod proc;
pub mod turns;

macro_rules! beacons {
    ($($file:ident),* $(,)?) => {
        $(mod $file;)*
        /// Every beacon, by name.
        pub const ALL: &[&Beacon] = &[$(&$file::BEACON),*];
    };
}

beacons! {
    btmp,
    cert_info,
    diskusage,
    inotify,
    journald,
    load,
    log,
    memusage,
    network_info,
    network_settings,
    pkg,
    ps,
    salt_monitor,
    service,
    sh,
    status,
    swapusage,
    watchdog,
    wtmp,
}

pub use kept::Kept;

use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};

/// One kind of beacon.
pub struct Beacon {
    /// The name that configurations use.
    pub name: &'static str,
    /// Why it cannot be had on this machine, in stock's words; `None` where it can.
    pub unavailable: fn(&Cx) -> Option<String>,
    /// Says what is wrong with a configuration, in stock's words: [`CallError::Invocation`]. Where stock's own check fails with
    /// another error, so does this.
    pub validate: fn(&Cx, &Value) -> Result<()>,
    /// One turn, given the configuration as stock hands it on. Each map becomes an event: `tag`, if there is one, ends the
    /// event's tag, the rest is its data.
    pub look: fn(&Cx, &[Value], &mut Kept) -> Result<Vec<Map>>,
    /// Whether it lets go of what it holds while states run, if its configuration has it skip those.
    pub lets_go: bool,
}

/// The beacon of that name.
pub fn find(name: &str) -> Option<&'static Beacon> {
    ALL.iter().copied().find(|beacon| beacon.name == name)
}

/// For beacons that are there on every machine.
fn always(_: &Cx) -> Option<String> {
    None
}

/// A configuration is refused with these words.
fn refused(words: impl Into<String>) -> CallError {
    CallError::invocation(words)
}

/// Why there is no beacon of a name that stock has, as its `__virtual__` says it.
fn absent(name: &str) -> Option<&'static str> {
    Some(match name {
        "adb" => "adb is missing.",
        "aix_account" => "Only available on AIX systems.",
        "avahi_announce" => "The 'python-avahi' dependency is missing.",
        "bonjour_announce" => "The 'pybonjour' dependency is missing.",
        "glxinfo" => "glxinfo is missing.",
        "haproxy" => "haproxy.get_sessions is missing.",
        "imgadm" | "vmadm" => "Only available on SmartOS compute nodes.",
        "junos_rre_keys" | "proxy_example" | "salt_proxy" => "proxy minions are left out",
        "napalm" => "NAPALM is not installed.",
        "sensehat" => "sensehat.get_humidity is missing.",
        "telegram_bot_msg" => "telegram library is missing.",
        "twilio_txt_msg" => "twilio library is missing.",
        _ => return None,
    })
}

/// Why a beacon cannot be had here; `None` where it can.
pub fn missing(cx: &Cx, name: &str) -> Option<String> {
    match find(name) {
        Some(beacon) => (beacon.unavailable)(cx),
        None => Some(absent(name).unwrap_or("there is no such beacon").to_owned()),
    }
}
