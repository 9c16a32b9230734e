//! The `service` execution module: units of systemd, and scripts in `/etc/init.d` that have none. What changes a unit is
//! here; what looks at them is in `service/looks.rs`, how systemctl is asked in `service/ctl.rs`.

mod ctl;
mod looks;
mod sysv;

use crate::systemd;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use ctl::{Ask, code, settle};
use looks::*;

module! {
    "service": available, disable, disabled, enable, enabled, execs, firstboot, force_reload, get_all, get_disabled,
    get_enabled, get_running, get_static, mask, masked, missing, offline, reload, restart, show, start, status, stop,
    systemctl_reload, unmask
}

/// What the minion's own unit is called: stopping it must not wait for the minion.
const OWN: &str = "salt-minion.service";

/// Without a wish, only calls that end this minion are not waited for.
fn no_wait(name: &str, no_block: Option<bool>) -> bool {
    no_block.unwrap_or_else(|| ctl::unit(name) == OWN)
}

/// Errors without the line that names the scope.
fn errors(out: &Map) -> CallError {
    let text = out.get_str("stderr").unwrap_or_default();
    let kept: Vec<&str> = text.lines().filter(|line| !line.ends_with(".scope")).collect();
    CallError::execution(kept.join("\n").trim())
}

/// Unmasks where that was asked for.
fn unmask_first(cx: &Cx, name: &str, unmask: bool, runtime: bool, root: Option<&str>) -> Result<()> {
    if unmask {
        unmasked(cx, name, false, root)?;
    }
    if runtime {
        unmasked(cx, name, true, root)?;
    }
    Ok(())
}

fn act(cx: &Cx, action: &str, name: &str, no_block: bool, (unmask, runtime): (bool, bool)) -> Result<bool> {
    settle(cx, name)?;
    unmask_first(cx, name, unmask, runtime, None)?;
    let words = Ask { scope: true, no_block, ..Ask::default() }.words(cx, action, Some(name))?;
    let out = systemd::run_all(cx, words, false, false)?;
    if code(&out) == 0 { Ok(true) } else { Err(errors(&out)) }
}

/// Have systemd read its units again.
///
/// CLI Example: salt '*' service.systemctl_reload
#[exec]
fn systemctl_reload(cx: &Cx) -> Result<bool> {
    ctl::reload(cx)
}

/// Start a service. `no_block`: do not wait. `unmask`, `unmask_runtime`: unmask it before.
///
/// CLI Example: salt '*' service.start <service name>
#[exec]
fn start(
    cx: &Cx,
    name: String,
    #[default(false)] no_block: bool,
    #[default(false)] unmask: bool,
    #[default(false)] unmask_runtime: bool,
) -> Result<bool> {
    act(cx, "start", &name, no_block, (unmask, unmask_runtime))
}

/// Stop a service. `no_block`: do not wait (default: only for the minion's own).
///
/// CLI Example: salt '*' service.stop <service name>
#[exec]
fn stop(cx: &Cx, name: String, no_block: Option<bool>) -> Result<bool> {
    let no_block = no_wait(&name, no_block);
    settle(cx, &name)?;
    let words = Ask { scope: true, no_block, ..Ask::default() }.words(cx, "stop", Some(&name))?;
    Ok(code(&systemd::run_all(cx, words, false, false)?) == 0)
}

/// Restart a service. Arguments as for `service.start`; the minion's own is not waited for.
///
/// CLI Example: salt '*' service.restart <service name>
#[exec]
fn restart(
    cx: &Cx,
    name: String,
    no_block: Option<bool>,
    #[default(false)] unmask: bool,
    #[default(false)] unmask_runtime: bool,
) -> Result<bool> {
    act(cx, "restart", &name, no_wait(&name, no_block), (unmask, unmask_runtime))
}

/// Have a service read its configuration again. Arguments as for `service.start`.
///
/// CLI Example: salt '*' service.reload <service name>
#[exec]
fn reload(
    cx: &Cx,
    name: String,
    #[default(false)] no_block: bool,
    #[default(false)] unmask: bool,
    #[default(false)] unmask_runtime: bool,
) -> Result<bool> {
    act(cx, "reload", &name, no_block, (unmask, unmask_runtime))
}

/// Have a service read its configuration again, or restart it where it cannot. It is not waited for.
///
/// CLI Example: salt '*' service.force_reload <service name>
#[exec]
fn force_reload(
    cx: &Cx,
    name: String,
    #[default(true)] no_block: bool,
    #[default(false)] unmask: bool,
    #[default(false)] unmask_runtime: bool,
) -> Result<bool> {
    act(cx, "force-reload", &name, no_block, (unmask, unmask_runtime))
}

fn unmasked(cx: &Cx, name: &str, runtime: bool, root: Option<&str>) -> Result<bool> {
    settle(cx, name)?;
    if !is_masked(cx, name, runtime, root)? {
        tracing::debug!("Service '{name}' is not {}masked", if runtime { "runtime-" } else { "" });
        return Ok(true);
    }
    let action = if runtime { "unmask --runtime" } else { "unmask" };
    let words = Ask { scope: true, root, ..Ask::default() }.words(cx, action, Some(name))?;
    match code(&systemd::run_all(cx, words, true, false)?) {
        0 => Ok(true),
        _ => Err(CallError::execution(format!("Failed to unmask service '{name}'"))),
    }
}

/// Let a service be started again. `runtime`: of what holds until the next boot.
///
/// CLI Example: salt '*' service.unmask foo runtime=True
#[exec]
fn unmask(cx: &Cx, name: String, #[default(false)] runtime: bool, root: Option<String>) -> Result<bool> {
    unmasked(cx, &name, runtime, root.as_deref())
}

/// Keep a service from being started by anybody. `runtime`: until the next boot.
///
/// CLI Example: salt '*' service.mask foo runtime=True
#[exec]
fn mask(cx: &Cx, name: String, #[default(false)] runtime: bool, root: Option<String>) -> Result<bool> {
    settle(cx, &name)?;
    let action = if runtime { "mask --runtime" } else { "mask" };
    let words = Ask { scope: true, root: root.as_deref(), ..Ask::default() }.words(cx, action, Some(&name))?;
    let out = systemd::run_all(cx, words, true, false)?;
    if code(&out) == 0 {
        return Ok(true);
    }
    Err(CallError::execution(match out.get_str("stdout").unwrap_or_default() {
        "" => format!("Failed to mask service '{name}'"),
        said => format!("Failed to mask service '{name}'. Additional info follows:\n\n{said}"),
    }))
}

/// A script without a unit is switched by the tool for those.
fn switch_script(cx: &Cx, name: &str, on: bool) -> Result<bool> {
    let mut words: Vec<Value> = Vec::new();
    if systemd::wants_scope(cx)? {
        words.extend(["systemd-run".into(), "--scope".into()]);
    }
    let tool = sysv::tool(cx)?;
    let is = |end: &str| tool.ends_with(end);
    words.push(tool.as_str().into());
    match on {
        _ if is("/chkconfig") => words.extend([name, if on { "on" } else { "off" }].map(Value::from)),
        true => words.extend(["-f", name, "defaults", "99"].map(Value::from)),
        false => words.extend(["-f", name, "remove"].map(Value::from)),
    }
    let args = Args::positional([words]).with("python_shell", false).with("ignore_retcode", true);
    Ok(cx.call("cmd.retcode", args)?.as_int() == Some(0))
}

/// Have a service start at boot. `no_block`: do not wait. `unmask`, `unmask_runtime`: unmask it before. `root`: in another
/// system's directory.
///
/// CLI Example: salt '*' service.enable <service name>
#[exec]
fn enable(
    cx: &Cx,
    name: String,
    #[default(false)] no_block: bool,
    #[default(false)] unmask: bool,
    #[default(false)] unmask_runtime: bool,
    root: Option<String>,
    kwargs: KwArgs,
) -> Result<bool> {
    // What a state was given beside.
    let _ = kwargs;
    let root = root.as_deref();
    settle(cx, &name)?;
    unmask_first(cx, &name, unmask, unmask_runtime, root)?;
    if sysv::scripts(root, None).contains(&name) {
        return switch_script(cx, &name, true);
    }
    let words = Ask { scope: true, no_block, root }.words(cx, "enable", Some(&name))?;
    let out = systemd::run_all(cx, words, false, true)?;
    if code(&out) == 0 { Ok(true) } else { Err(errors(&out)) }
}

/// Have a service not start at boot. Arguments as for `service.enable`.
///
/// CLI Example: salt '*' service.disable <service name>
#[exec]
fn disable(
    cx: &Cx,
    name: String,
    #[default(false)] no_block: bool,
    root: Option<String>,
    kwargs: KwArgs,
) -> Result<bool> {
    let _ = kwargs;
    let root = root.as_deref();
    settle(cx, &name)?;
    if sysv::scripts(root, None).contains(&name) {
        return switch_script(cx, &name, false);
    }
    let words = Ask { scope: true, no_block, root }.words(cx, "disable", Some(&name))?;
    Ok(code(&systemd::run_all(cx, words, false, true)?) == 0)
}

/// Set up a system that was never booted, by `systemd-firstboot`.
///
/// CLI Example: salt '*' service.firstboot keymap=jp locale=en_US.UTF-8 root=/mnt
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn firstboot(
    cx: &Cx,
    locale: Option<Value>,
    locale_message: Option<Value>,
    keymap: Option<Value>,
    timezone: Option<Value>,
    hostname: Option<Value>,
    machine_id: Option<Value>,
    root: Option<Value>,
) -> Result<bool> {
    let mut words: Vec<Value> = vec![crate::cmd::which::which("systemd-firstboot").into()];
    for (name, value) in [
        ("locale", locale),
        ("locale-message", locale_message),
        ("keymap", keymap),
        ("timezone", timezone),
        ("hostname", hostname),
        ("machine-ID", machine_id),
        ("root", root),
    ] {
        if let Some(value) = value.filter(Value::truthy) {
            words.extend([format!("--{name}").into(), python_str(&value).into()]);
        }
    }
    let out = cx.call("cmd.run_all", Args::positional([words]))?;
    let out = out.as_map().cloned().unwrap_or_default();
    if code(&out) == 0 {
        return Ok(true);
    }
    Err(CallError::execution(format!("systemd-firstboot error: {}", out.get_str("stderr").unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn the_scope_is_no_error() {
        let out = map! {"stderr" => "Running as unit: run-r1.scope; invocation\nRunning scope as unit: run-1.scope\nFailed"};
        assert_eq!(errors(&out).to_string(), "Running as unit: run-r1.scope; invocation\nFailed");
        assert!(no_wait("salt-minion", None) && !no_wait("salt-minion", Some(false)) && !no_wait("cron", None));
    }
}
