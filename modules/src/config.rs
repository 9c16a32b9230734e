//! The minion's configuration as modules read it: options, then grains, pillar, the master's options in the pillar,
//! and defaults.

use crate::python::update::update;
use brine_core::call::{Cx, Result, exec, module};
use brine_core::config_option::{defaults, option as find};
use brine_core::target::{fnmatch, traverse};
use brine_core::text::python_str;
use brine_core::{Map, Value};

module! {
    "config": backup_mode, dot_vals, gather_bootstrap_script, get, items, manage_mode, merge, option, valid_fileproto
}

/// The master's options, which a pillar may hold.
fn master(cx: &Cx) -> Option<&Map> {
    cx.pillar.get("master").and_then(Value::as_map)
}

/// The backup mode given, or the one configured.
///
/// CLI Example: salt '*' config.backup_mode
#[exec]
fn backup_mode(cx: &Cx, #[default("")] backup: Value) -> Result {
    if backup.truthy() {
        return Ok(backup);
    }
    Ok(find(cx, "backup_mode").unwrap_or_else(|| "".into()))
}

/// A file mode as text of four octal digits.
///
/// CLI Example: salt '*' config.manage_mode 644
#[exec]
fn manage_mode(mode: Value) -> Result {
    if mode.is_nil() {
        return Ok(Value::Nil);
    }
    let text = python_str(&mode).replace("0o", "0");
    let text = text.trim_matches('"').trim_matches('\'').trim_start_matches('0');
    Ok(format!("{text:0>4}").into())
}

/// Whether a URI is of a kind that files can be fetched from.
///
/// CLI Example: salt '*' config.valid_fileproto salt://path/to/file
#[exec]
fn valid_fileproto(uri: String) -> Result<bool> {
    const KNOWN: [&str; 7] = ["salt", "file", "http", "https", "ftp", "swift", "s3"];
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    Ok(scheme.is_some_and(|scheme| KNOWN.contains(&scheme.as_str())))
}

/// The value of one option, looked for in the minion's options, grains, pillar, the master's options and defaults.
/// With `wildcard` the name is a pattern, and the result a dict of all that match.
///
/// CLI Example: salt '*' config.option redis.host
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn option(
    cx: &Cx,
    value: String,
    default: Option<Value>,
    #[default(false)] omit_opts: bool,
    #[default(false)] omit_grains: bool,
    #[default(false)] omit_pillar: bool,
    #[default(false)] omit_master: bool,
    #[default(false)] omit_all: bool,
    #[default(false)] wildcard: bool,
) -> Result {
    let empty = Map::new();
    // From the weakest to the strongest.
    let places: Vec<&Map> = [
        (false, defaults()),
        (omit_master || omit_all, master(cx).unwrap_or(&empty)),
        (omit_pillar || omit_all, &*cx.pillar),
        (omit_grains || omit_all, &*cx.grains),
        (omit_opts || omit_all, cx.opts.map()),
    ]
    .into_iter()
    .filter_map(|(omit, place)| (!omit).then_some(place))
    .collect();
    if !wildcard {
        let found = places.iter().rev().find_map(|place| place.get(&value).cloned());
        return Ok(found.or(default).unwrap_or_else(|| "".into()));
    }
    let mut found = Map::new();
    for place in &places[1..] {
        add_matching(&mut found, place, &value);
    }
    let mut weakest = Map::new();
    add_matching(&mut weakest, places[0], &value);
    for (key, value) in weakest {
        found.entry_or(key, || value);
    }
    Ok(if found.is_empty() { default.unwrap_or_else(|| empty.into()) } else { found.into() })
}

fn add_matching(found: &mut Map, place: &Map, pattern: &str) {
    for (key, value) in place {
        if fnmatch(&python_str(key), pattern) {
            found.insert(key.clone(), value.clone());
        }
    }
}

/// The value of an option from all places together: dicts are merged, lists joined; text is taken from the first.
///
/// CLI Example: salt '*' config.merge schedule
#[exec]
fn merge(
    cx: &Cx,
    value: String,
    #[default("")] default: Value,
    #[default(false)] omit_opts: bool,
    #[default(false)] omit_master: bool,
    #[default(false)] omit_pillar: bool,
) -> Result {
    let places =
        [(omit_opts, Some(cx.opts.map())), (omit_master, master(cx)), (omit_pillar, Some(&*cx.pillar))];
    let mut merged: Option<Value> = None;
    for (omit, place) in places {
        let Some(next) = place.filter(|_| !omit).and_then(|place| place.get(&value)) else { continue };
        merged = Some(match (merged, next) {
            (None, Value::Str(text)) => return Ok(text.into()),
            (None | Some(Value::Nil), next) => next.clone(),
            (Some(Value::Map(strong)), Value::Map(weak)) => {
                let mut all = weak.clone();
                all.update(strong);
                all.into()
            }
            (Some(Value::List(mut list)), Value::List(more)) => {
                list.extend(more.iter().cloned());
                list.into()
            }
            (Some(kept), _) => kept,
        });
    }
    let merged = merged.filter(|value| !value.is_nil());
    Ok(merged.or_else(|| defaults().get(&value).cloned()).unwrap_or(default))
}

/// The value at a path such as `apache:port`, looked for in the minion's options, grains, pillar, the master's options
/// and defaults; the first place that has it decides. With `merge` (`recurse` or `overwrite`) all places are merged.
///
/// CLI Example: salt '*' config.get pkg:apache
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn get(
    cx: &Cx,
    key: String,
    #[default("")] default: Value,
    #[default(":")] delimiter: String,
    merge: Option<String>,
    #[default(false)] omit_opts: bool,
    #[default(false)] omit_pillar: bool,
    #[default(false)] omit_master: bool,
    #[default(false)] omit_grains: bool,
) -> Result {
    let Some(merge) = merge else {
        let places = [
            (omit_opts, Some(cx.opts.map())),
            (omit_grains, Some(&*cx.grains)),
            (omit_pillar, Some(&*cx.pillar)),
            (omit_master, master(cx)),
            (false, Some(defaults())),
        ];
        let mut kept = places.into_iter().filter(|(omit, _)| !omit).filter_map(|(_, place)| place);
        return found(cx, kept.find_map(|place| at(place, &key, &delimiter)), default);
    };
    if merge != "recurse" && merge != "overwrite" {
        tracing::warn!("Unsupported merge strategy '{merge}'. Falling back to 'recurse'.");
    }
    let merge_lists = cx.opts.flag("pillar_merge_lists");
    let mut all = defaults().clone();
    for place in [master(cx), Some(&*cx.pillar), Some(&*cx.grains), Some(cx.opts.map())].into_iter().flatten() {
        if merge == "overwrite" {
            all.update(place.clone());
        } else {
            update(&mut all, place, merge_lists);
        }
    }
    found(cx, at(&all, &key, &delimiter), default)
}

/// What was found, or what it names in the Salt DB.
fn found(cx: &Cx, found: Option<Value>, default: Value) -> Result {
    found.map_or(Ok(default), |value| brine_render::sdb::get(cx, &value, false))
}

/// The value at a path within a map.
fn at(map: &Map, key: &str, delimiter: &str) -> Option<Value> {
    // The first step is taken here, which spares a copy of the whole map.
    let (first, rest) = match key.split_once(delimiter) {
        Some((first, rest)) if !delimiter.is_empty() => (first, Some(rest)),
        _ => (key, None),
    };
    let value = map.get(first).or_else(|| map.get_key(&brine_render::args::yamlify_arg(first)))?;
    match rest {
        Some(rest) => traverse(value, rest, delimiter).cloned(),
        None => Some(value.clone()),
    }
}

/// All options whose name starts with `value` and a dot.
///
/// CLI Example: salt '*' config.dot_vals host
#[exec]
fn dot_vals(cx: &Cx, value: String) -> Result<Map> {
    let prefix = format!("{value}.");
    let mut found = Map::new();
    for place in [master(cx), Some(cx.opts.map())].into_iter().flatten() {
        for (key, value) in place {
            if key.as_str().is_some_and(|key| key.starts_with(&prefix)) {
                found.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(found)
}

/// Fetch the bootstrap script of salt-cloud. There is no salt-cloud here, so this says that it is unavailable.
///
/// CLI Example: salt '*' config.gather_bootstrap_script
#[exec]
fn gather_bootstrap_script(_bootstrap: Option<Value>) -> Result<Vec<Value>> {
    Ok(vec![false.into(), "config.gather_bootstrap_script is unavailable".into()])
}

/// All options of the minion.
///
/// CLI Example: salt '*' config.items
#[exec]
fn items(cx: &Cx) -> Result<Map> {
    Ok(cx.opts.map().clone())
}
