//! What the runner does with states of packages beside calling them: the mark by which lists are refreshed once in a run, and
//! watching.

use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Leaves the mark for the first state of a run that installs: it refreshes the lists of packages.
pub(super) fn init(cx: &Cx, low: &Map) -> Result<bool> {
    if !matches!(low.get_str("fun"), Some("installed" | "latest")) {
        return Ok(false);
    }
    let mark = cx.opts.path("cachedir").join("pkg_refresh");
    if !mark.exists()
        && let Err(e) = std::fs::File::create(&mark)
    {
        let text = brine_core::text::python_os_error(&e, &mark.to_string_lossy());
        tracing::warn!("Encountered error writing rtag: {text}");
    }
    Ok(true)
}

fn outcome(value: Value) -> Outcome {
    let of = |key: &str| value.get(key).cloned().unwrap_or_default();
    Outcome {
        name: of("name"),
        changes: of("changes").as_map().cloned().unwrap_or_default(),
        result: of("result").as_bool(),
        comment: of("comment"),
        more: value.get("warnings").map(|w| map! {"warnings" => w.clone()}).unwrap_or_default(),
    }
}

/// What is done when something that is watched changed: the state itself.
#[exec]
fn mod_watch(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    let mut keyword = kwargs.0;
    let sfun = keyword.remove("sfun").map_or_else(|| "None".into(), |sfun| python_str(&sfun));
    if matches!(&*sfun, "purged" | "latest" | "removed" | "installed") {
        let args = Args { positional: vec![name], keyword };
        return cx.call_state(&format!("pkg.{sfun}"), args).map(outcome);
    }
    Ok(Outcome::failed(name, format!("pkg.{sfun} does not work with the watch requisite")))
}

/// A beacon that watches the packages, where the state asks for one.
#[exec]
fn mod_beacon(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    let mut kwargs = kwargs.0;
    let sfun = kwargs.remove("sfun").map_or_else(|| "None".into(), |sfun| python_str(&sfun));
    if !matches!(&*sfun, "installed" | "removed") {
        let text = format!("pkg.{sfun} does not work with the mod_beacon state function");
        return Ok(Outcome::failed(name, text));
    }
    if !kwargs.get("beacon").is_some_and(Value::truthy) {
        return Ok(Outcome::ok(name, "Not adding beacon."));
    }
    let pkgs = kwargs.get("pkgs").cloned().unwrap_or_else(|| Value::List(vec![name.clone()]));
    let args = Args::none()
        .with("name", format!("beacon_pkg_{}", python_str(&name)))
        .with("pkgs", pkgs)
        .with("interval", 60)
        .with("beacon_module", "pkg");
    cx.call_state("beacon.present", args).map(outcome)
}
