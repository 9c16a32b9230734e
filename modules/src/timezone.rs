//! The `timezone` execution module: the time zone of the machine, and what its hardware clock shows.

use crate::{settings, tools};
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::{Map, Value};
use std::io::Read;
use std::path::Path;

module! {
    "timezone": get_hwclock, get_offset, get_zone, get_zonecode, set_hwclock, set_zone, zone_compare
}

const LOCALTIME: &str = "/etc/localtime";
const ZONES: &str = "/usr/share/zoneinfo";

/// Whether systemd's program for clocks is here; without it there are the files.
fn has_timedatectl() -> bool {
    crate::cmd::which::which("timedatectl").is_some()
}

fn timedatectl(cx: &Cx) -> Result<String> {
    let out: Map = tools::run_all(cx, &["timedatectl"])?;
    if settings::code(&out) != 0 {
        return Err(CallError::execution(format!("timedatectl failed: {}", settings::said(&out, "stderr"))));
    }
    Ok(settings::said(&out, "stdout").to_owned())
}

fn not_understood(said: &str) -> CallError {
    CallError::execution(format!("Failed to parse timedatectl output: {said}\nPlease file an issue with SaltStack"))
}

/// The zone in a line `Time zone: Etc/UTC (UTC, +0000)`.
fn zone_in(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = line.strip_prefix("Time zone:").or_else(|| line.strip_prefix("Timezone:"))?;
    rest.starts_with(char::is_whitespace).then(|| rest.split_whitespace().next()).flatten()
}

fn zone(cx: &Cx) -> Result<String> {
    if has_timedatectl() {
        let said = timedatectl(cx)?;
        return said.lines().find_map(zone_in).map(str::to_owned).ok_or_else(|| not_understood(&said));
    }
    let family = cx.grains.get_str("os_family").unwrap_or_default();
    if !family.contains("Debian") && !family.contains("Gentoo") {
        return Err(CallError::execution("Unable to get timezone"));
    }
    match settings::text("/etc/timezone") {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(e) => Err(CallError::execution(format!(
            "Problem reading timezone file /etc/timezone: {}",
            settings::strerror(&e)
        ))),
    }
}

/// The time zone, as `America/Denver`.
///
/// CLI Example: salt '*' timezone.get_zone
#[exec]
fn get_zone(cx: &Cx) -> Result<String> {
    zone(cx)
}

/// The short name of the time that clocks show now, as `PST`.
///
/// CLI Example: salt '*' timezone.get_zonecode
#[exec]
fn get_zonecode(cx: &Cx) -> Result<String> {
    tools::run(cx, &["date", "+%Z"])
}

/// How far the time that clocks show is from UTC now, as `-0700`.
///
/// CLI Example: salt '*' timezone.get_offset
#[exec]
fn get_offset(cx: &Cx) -> Result<String> {
    tools::run(cx, &["date", "+%z"])
}

/// Lets `/etc/localtime` lead to a zone; at no moment is there none.
fn link(zone: &str) -> Result<()> {
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, LOCALTIME);
    let make = |path: &Path| std::os::unix::fs::symlink(zone, path);
    let new = tempfile::Builder::new().prefix(".localtime").make_in("/etc", make).map_err(failed)?;
    new.into_temp_path().persist(LOCALTIME).map_err(|e| failed(e.error))
}

/// Set the time zone. Programs that run keep the old one until they are started again.
///
/// CLI Example: salt '*' timezone.set_zone 'America/Denver'
#[exec]
fn set_zone(cx: &Cx, timezone: String) -> Result {
    if has_timedatectl() {
        match tools::run(cx, &["timedatectl", "set-timezone", &timezone]) {
            Ok(_) | Err(CallError::Execution(_)) => {}
            Err(other) => return Err(other),
        }
    }
    let zone = format!("{ZONES}/{timezone}");
    if !Path::new(&zone).exists() {
        return Ok(format!("Zone does not exist: {zone}").into());
    }
    link(&zone)?;
    let family = cx.grains.get_str("os_family").unwrap_or_default();
    if family.contains("Debian") || family.contains("Gentoo") {
        let line = format!("{}\n", timezone.trim());
        settings::write("/etc/timezone", line.as_bytes())
            .map_err(|e| crate::hashutil::file_error(&e, "/etc/timezone"))?;
    }
    Ok(true.into())
}

fn contents(path: &str) -> std::io::Result<Option<Vec<u8>>> {
    let mut file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut all = Vec::new();
    file.read_to_end(&mut all)?;
    Ok(Some(all))
}

/// Whether the machine's time zone is this one: what their files hold is compared.
///
/// CLI Example: salt '*' timezone.zone_compare 'America/Denver'
#[exec]
fn zone_compare(timezone: String) -> Result<bool> {
    let now = contents(LOCALTIME).map_err(|e| {
        let why = settings::strerror(&e);
        CallError::execution(format!("Failed to read {LOCALTIME} to determine current timezone: {why}"))
    })?;
    let wanted = contents(&format!("{ZONES}/{timezone}"))
        .map_err(|_| CallError::invocation(format!("Can't find a local timezone \"{timezone}\"")))?;
    Ok(now.is_some() && now == wanted)
}

/// Whether the hardware clock shows `UTC` or `localtime`; nothing where there is none.
///
/// CLI Example: salt '*' timezone.get_hwclock
#[exec]
fn get_hwclock(cx: &Cx) -> Result {
    if has_timedatectl() {
        let said = timedatectl(cx)?;
        let line = said.lines().find(|line| line.to_lowercase().contains("rtc in local tz"));
        let line = line.ok_or_else(|| not_understood(&said))?;
        let local = line.rsplit(':').next().unwrap_or_default().trim().to_lowercase() == "yes";
        return Ok(if local { "localtime" } else { "UTC" }.into());
    }
    let old = settings::text("/etc/default/rcS").unwrap_or_default();
    let lines = settings::lines(&old).filter(|line| !line.trim_start().starts_with('#'));
    if let Some(line) = lines.into_iter().find(|line| line.contains("UTC=")) {
        let word = line.trim_end_matches('\n').rsplit('=').next().unwrap_or_default().to_lowercase();
        return Ok(if word == "yes" { "UTC" } else { "localtime" }.into());
    }
    if Path::new("/etc/adjtime").exists() {
        return Ok(tools::run(cx, &["tail", "-n", "1", "/etc/adjtime"])?.into());
    }
    if Path::new("/dev/rtc").exists() {
        return Err(CallError::execution("Unable to get hwclock timezone from /etc/adjtime"));
    }
    Ok(Value::Nil)
}

/// Let the hardware clock show `UTC` or `localtime`.
///
/// CLI Example: salt '*' timezone.set_hwclock UTC
#[exec]
fn set_hwclock(cx: &Cx, clock: String) -> Result<bool> {
    if has_timedatectl() {
        let local = if clock == "localtime" { "true" } else { "false" };
        return Ok(tools::retcode(cx, &["timedatectl", "set-local-rtc", local])? == 0);
    }
    let zone = format!("{ZONES}/{}", zone(cx)?);
    if !Path::new(&zone).exists() {
        return Err(CallError::execution(format!("Zone '{zone}' does not exist")));
    }
    link(&zone)?;
    let utc = match clock.as_str() {
        "UTC" => "UTC=yes",
        "localtime" => "UTC=no",
        _ => return Ok(true),
    };
    if cx.grains.get_str("os_family").is_some_and(|family| family.contains("Debian")) {
        cx.call("file.sed", Args::positional(["/etc/default/rcS", "^UTC=.*", utc]))?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_in_lines() {
        assert_eq!(zone_in("       Time zone: Etc/UTC (UTC, +0000)"), Some("Etc/UTC"));
        assert_eq!(zone_in("Timezone: Europe/Berlin"), Some("Europe/Berlin"));
        assert_eq!(zone_in("Time zone:"), None);
        assert!(zone_compare("No/Such".into()).is_err());
    }
}
