//! The options that places were mounted with, kept in the cache folder of the minion: the kernel does not tell all of them.

use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value, map};
use brine_render::yaml;

fn file(cx: &Cx) -> String {
    brine_core::posixpath::join(cx.opts.get("cachedir").and_then(Value::as_str).unwrap_or_default(), &["mounts"])
}

fn read(cx: &Cx) -> Result<Map> {
    let Ok(text) = crate::settings::text(&file(cx)) else { return Ok(Map::new()) };
    match yaml::load(&text) {
        Ok(Value::Map(all)) => Ok(all),
        Ok(_) => Ok(Map::new()),
        Err(e) => Err(CallError::exception("YAMLError", e.to_string())),
    }
}

fn write(cx: &Cx, all: &Map) -> Result<()> {
    let text = yaml::safe_dump(&all.clone().into());
    crate::settings::write(&file(cx), text.as_bytes()).map_err(|e| {
        tracing::error!("Failed to cache mounts: {e}");
        CallError::execution("Unable to write mount cache.")
    })
}

/// What a place was mounted with.
///
/// CLI Example: salt '*' mount.read_mount_cache /mnt/share
#[exec]
pub(super) fn read_mount_cache(cx: &Cx, name: String) -> Result {
    let all = read(cx)?;
    Ok(all.get("mounts").and_then(|mounts| mounts.get(&name)).cloned().unwrap_or_else(|| Map::new().into()))
}

/// Keep what a place was mounted with.
///
/// CLI Example: salt '*' mount.write_mount_cache /mnt/share /dev/sda1 True nfs defaults,nosuid
#[exec]
pub(super) fn write_mount_cache(
    cx: &Cx,
    real_name: String,
    device: Value,
    mkmnt: Value,
    fstype: Value,
    mount_opts: Value,
) -> Result<bool> {
    let mut all = read(cx)?;
    let mounts = all.entry_or("mounts", || Map::new().into());
    if !matches!(mounts, Value::Map(_)) {
        *mounts = Map::new().into();
    }
    if let Some(mounts) = mounts.as_map_mut() {
        let what = map! { "device" => device, "fstype" => fstype, "mkmnt" => mkmnt, "opts" => mount_opts };
        mounts.insert(real_name, what);
    }
    write(cx, &all)?;
    Ok(true)
}

/// Forget what a place was mounted with.
///
/// CLI Example: salt '*' mount.delete_mount_cache /mnt/share
#[exec]
pub(super) fn delete_mount_cache(cx: &Cx, real_name: String) -> Result<bool> {
    let mut all = read(cx)?;
    let gone = all.get_mut("mounts").and_then(Value::as_map_mut).and_then(|mounts| mounts.remove(&real_name));
    if gone.is_some() {
        write(cx, &all)?;
    }
    Ok(true)
}
