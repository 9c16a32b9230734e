//! Showing the beacons, and keeping them for the next start.

use super::{ret, tell};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::{Map, Value, map};
use brine_render::schedule_conf;
use brine_render::yaml::safe_dump;

/// The beacons of the pillar, of the options, or of both; None if no minion answers.
pub(super) fn beacons(cx: &Cx, pillar: bool, opts: bool) -> Result<Option<Map>> {
    let request = map! { "include_pillar" => pillar, "include_opts" => opts };
    Ok(match tell(cx, "list", request)?.and_then(|mut answer| answer.remove("beacons")) {
        Some(Value::Map(beacons)) => Some(beacons),
        _ => None,
    })
}

/// Those of both, for functions that look a beacon up.
pub(super) fn all(cx: &Cx) -> Result<Map> {
    beacons(cx, true, true)?.ok_or_else(|| {
        CallError::exception("TypeError", "argument of type 'NoneType' is not iterable")
    })
}

/// The beacons of this minion, as YAML (with `return_yaml=False` as data): those of its configuration, and those of its pillar.
///
/// CLI Example: salt '*' beacons.list
#[exec]
pub(super) fn list(
    cx: &Cx,
    #[default(true)] return_yaml: bool,
    #[default(true)] include_pillar: bool,
    #[default(true)] include_opts: bool,
    kwargs: KwArgs,
) -> Result {
    // `timeout` and others that stock takes: the answer is there at once.
    drop(kwargs);
    let beacons: Value = beacons(cx, include_pillar, include_opts)?.map_or(Value::Nil, Value::from);
    Ok(if return_yaml { safe_dump(&map! { "beacons" => beacons }.into()).into() } else { beacons })
}

/// The kinds of beacons that can be had on this machine, as YAML (with `return_yaml=False` as data).
///
/// CLI Example: salt '*' beacons.list_available
#[exec]
pub(super) fn list_available(cx: &Cx, #[default(true)] return_yaml: bool, kwargs: KwArgs) -> Result {
    drop(kwargs);
    let names = available(cx)?;
    Ok(match names.is_empty() {
        true => map! { "beacons" => Map::new() }.into(),
        false if return_yaml => safe_dump(&map! { "beacons" => names }.into()).into(),
        false => names.into(),
    })
}

pub(super) fn available(cx: &Cx) -> Result<Vec<Value>> {
    Ok(match tell(cx, "list_available", Map::new())?.and_then(|mut answer| answer.remove("beacons")) {
        Some(Value::List(names)) => names,
        _ => Vec::new(),
    })
}

/// Write the beacons of the configuration, with all changes, to `beacons.conf` beside the minion's other files.
///
/// CLI Example: salt '*' beacons.save
#[exec]
pub(super) fn save(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    drop(kwargs);
    let path = schedule_conf::path(&cx.opts).with_file_name("beacons.conf");
    let text = match beacons(cx, false, true)? {
        Some(beacons) if !beacons.is_empty() => safe_dump(&map! { "beacons" => beacons }.into()),
        _ => String::new(),
    };
    let shown = path.display();
    Ok(match std::fs::write(&path, text) {
        Ok(()) => ret(true, format!("Beacons saved to {shown}.")),
        Err(e) => {
            tracing::error!("{shown}: {e}");
            ret(false, format!("Unable to write to beacons file at {shown}. Check permissions."))
        }
    })
}
