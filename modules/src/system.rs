//! The `system` execution module: stopping the machine, its clock, its name and description.

mod clock;
mod describe;

use crate::tools;
use brine_core::Value;
use brine_core::call::{Args, Cx, Result, exec, module};
use brine_core::text::python_str;
use clock::*;
use describe::*;

module! {
    "system":
    get_computer_desc, get_computer_name, get_reboot_required_witnessed, get_system_date, get_system_date_time,
    get_system_time, halt, has_settable_hwclock, init, poweroff, reboot, set_computer_desc, set_computer_name,
    set_reboot_required_witnessed, set_system_date, set_system_date_time, set_system_time, shutdown
}

/// Halt a running system.
///
/// CLI Example: salt '*' system.halt
#[exec]
fn halt(cx: &Cx) -> Result<String> {
    tools::run(cx, &["halt"])
}

/// Change the system runlevel on sysV compatible systems.
///
/// CLI Example: salt '*' system.init 3
#[exec]
fn init(cx: &Cx, runlevel: String) -> Result<String> {
    tools::run(cx, &["init", &runlevel])
}

/// Poweroff a running system.
///
/// CLI Example: salt '*' system.poweroff
#[exec]
fn poweroff(cx: &Cx) -> Result<String> {
    tools::run(cx, &["poweroff"])
}

/// When `shutdown` is to act: as given, or now.
fn when(at_time: Option<Value>) -> String {
    at_time.filter(Value::truthy).map_or_else(|| "now".into(), |t| python_str(&t))
}

/// Reboot the system, now or at the time given (a number of minutes, or `hh:mm`).
///
/// CLI Example: salt '*' system.reboot
#[exec]
fn reboot(cx: &Cx, at_time: Option<Value>) -> Result<String> {
    tools::run(cx, &["shutdown", "-r", &when(at_time)])
}

/// Shutdown a running system, now or at the time given (a number of minutes, or `hh:mm`).
///
/// CLI Example: salt '*' system.shutdown 5
#[exec]
fn shutdown(cx: &Cx, at_time: Option<Value>) -> Result<String> {
    tools::run(cx, &["shutdown", "-h", &when(at_time)])
}

/// Modify hostname.
///
/// CLI Example: salt '*' system.set_computer_name master.saltstack.com
#[exec]
fn set_computer_name(cx: &Cx, hostname: String) -> Result {
    cx.call("network.mod_hostname", Args::positional([hostname]))
}

/// Get hostname.
///
/// CLI Example: salt '*' network.get_hostname
#[exec]
fn get_computer_name(cx: &Cx) -> Result {
    cx.call("network.get_hostname", Args::none())
}
