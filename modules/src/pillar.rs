//! The `pillar` execution module: the pillar in force, and the pillar compiled anew.

use crate::grains::choose;
use crate::python::update::update;
use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::target::{DEFAULT_TARGET_DELIM, traverse};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value};
use brine_protocol::ids::RelPath;
use brine_python::{Obj, to_value};
use brine_render::renderer::{Data, run_one};
use brine_render::template::Session;
use std::borrow::Cow;
use std::path::Path;

module! {
    "pillar":
    data, ext, "fetch" => get, file_exists, filter_by, get, item, items, keys, ls, obfuscate, raw
}

/// What stands for a default that was not given.
const NOT_SET: &str = "__unset__";

/// What stands for a masked value.
const MASK: &str = "**********";

/// The pillar in force, or with an environment the one compiled from it now.
fn source<'cx>(cx: &'cx Cx, pillarenv: Option<&str>, saltenv: Option<&str>) -> Result<Cow<'cx, Map>> {
    if pillarenv.is_none() && saltenv.is_none() {
        return Ok(Cow::Borrowed(&cx.pillar));
    }
    compiled(cx, pillarenv, saltenv, None).map(Cow::Owned)
}

/// The pillar compiled now.
fn compiled(cx: &Cx, pillarenv: Option<&str>, saltenv: Option<&str>, over: Option<Map>) -> Result<Map> {
    let option = |key: &str| cx.opts.get(key).filter(|v| v.truthy()).map(python_str);
    let env = match pillarenv {
        Some(env) => Some(env.to_owned()),
        None if cx.opts.flag("pillarenv_from_saltenv") => {
            saltenv.filter(|env| !env.is_empty()).map(str::to_owned).or_else(|| option("saltenv"))
        }
        None => option("pillarenv"),
    };
    cx.host.compile_pillar(None, env.as_deref(), over)
}

/// A value of the pillar by its path; the whole for none.
fn look_up(pillar: &Map, key: &Value, delimiter: &str) -> Option<Value> {
    let key = match key {
        Value::List(parts) => parts.iter().map(python_str).collect::<Vec<_>>().join(delimiter),
        key => python_str(key),
    };
    traverse(&Value::Map(pillar.clone()), &key, delimiter).cloned()
}

fn not_found(key: &Value) -> CallError {
    CallError::exception("KeyError", format!("'Pillar key not found: {}'", python_str(key)))
}

/// Retrieve the named value from the pillar in memory; if it is not there, the default, an empty string unless given.
/// Nested values are named with a delimiter: `pkg:apache`. With `merge`, what is found is merged into the default.
///
/// CLI Example: salt '*' pillar.get pkg:apache
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn get(
    cx: &Cx,
    key: Value,
    #[default(NOT_SET)] default: Value,
    #[default(false)] merge: bool,
    merge_nested_lists: Option<bool>,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
    pillarenv: Option<String>,
    saltenv: Option<String>,
) -> Result {
    let default = if default == NOT_SET.into() {
        (!cx.opts.flag("pillar_raise_on_missing")).then(|| Value::from(""))
    } else {
        Some(default)
    };
    let merge_lists = merge_nested_lists.unwrap_or_else(|| cx.opts.flag("pillar_merge_lists"));
    let pillar = source(cx, pillarenv.as_deref(), saltenv.as_deref())?;
    let found = look_up(&pillar, &key, &delimiter);
    if merge {
        match (&default, &found) {
            (Some(Value::Map(default)), None) => return Ok(default.clone().into()),
            (Some(Value::Map(default)), Some(Value::Map(found))) => {
                let mut merged = default.clone();
                update(&mut merged, found, merge_lists);
                return Ok(merged.into());
            }
            (Some(Value::List(default)), None) => return Ok(default.clone().into()),
            (Some(Value::List(default)), Some(Value::List(found))) => {
                let new: Vec<Value> = found.iter().filter(|v| !default.contains(v)).cloned().collect();
                return Ok([default.clone(), new].concat().into());
            }
            (default, found) => {
                let kind = |v: Option<&Value>| v.map_or("type", python_type).to_owned();
                tracing::error!(
                    "pillar.get: a default of type '{}' and a value of type '{}' cannot be merged. Merge will be skipped.",
                    kind(default.as_ref()),
                    kind(found.as_ref())
                );
            }
        }
    }
    found.or(default).ok_or_else(|| not_found(&key))
}

/// Compile the pillar afresh and return all of it; with names, those entries of the pillar in memory. `pillar` is data
/// that goes over the rest.
///
/// CLI Example: salt '*' pillar.items
#[exec]
fn items(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    all(cx, args, &kwargs)
}

/// Compile the pillar afresh and return all of it, as `pillar.items` does.
///
/// CLI Example: salt '*' pillar.data
#[exec]
fn data(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    all(cx, args, &kwargs)
}

fn text<'m>(kwargs: &'m KwArgs, key: &str) -> Option<&'m str> {
    kwargs.0.get(key).and_then(Value::as_str)
}

fn all(cx: &Cx, args: VarArgs, kwargs: &KwArgs) -> Result<Map> {
    if !args.0.is_empty() {
        return some(cx, args, &KwArgs::default());
    }
    let mut over = kwargs.0.get("pillar").cloned();
    if let (Some(renderer), Some(given)) = (text(kwargs, "pillar_enc"), &over)
        && !renderer.is_empty()
        && given.truthy()
    {
        let decrypted = decrypted(cx, renderer, given);
        over = Some(decrypted.map_err(|e| CallError::execution(format!("Failed to decrypt pillar override: {e}")))?);
    }
    let over = match over {
        Some(Value::Map(over)) => Some(over),
        Some(other) if other.truthy() => {
            tracing::error!("Pillar data must be a dictionary");
            None
        }
        _ => None,
    };
    let pillar = compiled(cx, text(kwargs, "pillarenv"), text(kwargs, "saltenv"), over)?;
    Ok(if unmasked(kwargs) { pillar } else { pillar.into_iter().map(|(key, value)| (key, masked(value))).collect() })
}

/// Data decrypted by a renderer that the options allow.
pub(crate) fn decrypted(cx: &Cx, renderer: &str, data: &Value) -> std::result::Result<Value, String> {
    let allowed = cx.opts.get("decrypt_pillar_renderers").and_then(Value::as_list).unwrap_or_default();
    if !allowed.is_empty() && !allowed.iter().any(|name| name.as_str() == Some(renderer)) {
        let allowed: Vec<String> = allowed.iter().map(python_str).collect();
        let choices = allowed.join(", ");
        return Err(format!("'{renderer}' is not a valid decryption renderer. Valid choices are: {choices}"));
    }
    let session = Session::of(cx);
    let keywords = vec![("translate_newlines".into(), Obj::Bool(true))];
    let rendered = session.clone().enter(|| run_one(&session, renderer, Data::Value(Obj::from(data)), keywords));
    rendered.and_then(|rendered| to_value(&rendered.data.into_value())).map_err(|e| e.to_string())
}

/// Whether values are shown as they are. 3006 masks nothing; as in 3008, `unmask=False` asks for it.
fn unmasked(kwargs: &KwArgs) -> bool {
    kwargs.0.get("unmask").is_none_or(|unmask| unmask.is_nil() || unmask.truthy())
}

/// Values with everything that could be a secret replaced, as 3008 does it.
fn masked(value: Value) -> Value {
    match value {
        Value::Map(map) => map.into_iter().map(|(key, value)| (key, masked(value))).collect::<Map>().into(),
        Value::List(list) => list.into_iter().map(masked).collect::<Vec<_>>().into(),
        Value::Str(text) if !text.is_empty() => MASK.into(),
        Value::Bytes(bytes) if !bytes.is_empty() => Value::Bytes(MASK.as_bytes().to_vec()),
        other => other,
    }
}

/// Return one or more entries of the pillar in memory.
///
/// CLI Example: salt '*' pillar.item foo:bar baz
#[exec]
fn item(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    some(cx, args, &kwargs)
}

fn some(cx: &Cx, args: VarArgs, kwargs: &KwArgs) -> Result<Map> {
    let default = kwargs.0.get("default").cloned().unwrap_or_else(|| "".into());
    let delimiter = text(kwargs, "delimiter").unwrap_or(DEFAULT_TARGET_DELIM);
    let pillar = source(cx, text(kwargs, "pillarenv"), text(kwargs, "saltenv"))?;
    let found = args.0.into_iter().map(|arg| {
        let value = look_up(&pillar, &arg, delimiter).unwrap_or_else(|| default.clone());
        let value = if unmasked(kwargs) { value } else { masked(value) };
        (arg, value)
    });
    Ok(found.collect())
}

/// Return the pillar in memory as it is, or what stands under one key of it.
///
/// CLI Example: salt '*' pillar.raw key='roles'
#[exec]
fn raw(cx: &Cx, key: Option<Value>) -> Result {
    Ok(match key.filter(Value::truthy) {
        Some(key) => cx.pillar.get_key(&key).cloned().unwrap_or_else(|| Map::new().into()),
        None => (*cx.pillar).clone().into(),
    })
}

/// Compile the pillar afresh and return its keys.
///
/// CLI Example: salt '*' pillar.ls
#[exec]
fn ls(cx: &Cx, args: VarArgs) -> Result<Vec<Value>> {
    Ok(all(cx, args, &KwArgs::default())?.keys().cloned().collect())
}

/// The keys of the dict under a path of the pillar in memory.
///
/// CLI Example: salt '*' pillar.keys web:sites
#[exec]
fn keys(cx: &Cx, key: Value, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result<Vec<Value>> {
    match look_up(&cx.pillar, &key, &delimiter) {
        Some(Value::Map(map)) => Ok(map.keys().cloned().collect()),
        Some(_) => {
            let text = format!("Pillar value in key {} is not a dict", python_str(&key));
            Err(CallError::exception("ValueError", text))
        }
        None => Err(not_found(&key)),
    }
}

fn hidden(value: Value) -> Value {
    match value {
        Value::Map(map) => map.into_iter().map(|(k, v)| (k, hidden(v))).collect::<Map>().into(),
        Value::List(list) => list.into_iter().map(hidden).collect::<Vec<_>>().into(),
        leaf => format!("<{}>", python_type(&leaf)).into(),
    }
}

/// As `pillar.items`, with each value's type in place of the value.
///
/// CLI Example: salt '*' pillar.obfuscate
#[exec]
fn obfuscate(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result {
    Ok(hidden(all(cx, args, &kwargs)?.into()))
}

/// Compile the pillar with one more external pillar. A master has to allow its kind by `on_demand_ext_pillar`.
///
/// CLI Example: salt '*' pillar.ext '{libvirt: _}'
#[exec]
fn ext(cx: &Cx, external: Value, pillar: Option<Map>) -> Result<Map> {
    let external = match external {
        Value::Str(text) => brine_render::yaml::load(&text).map_err(|e| CallError::exception("YAMLError", e.to_string()))?,
        other => other,
    };
    cx.host.compile_pillar_with(external, pillar)
}

/// Whether a file is in the pillar roots of an environment, or of any. For minions without a master.
///
/// CLI Example: salt '*' pillar.file_exists foo/bar.sls
#[exec]
fn file_exists(cx: &Cx, path: String, saltenv: Option<String>) -> Result<bool> {
    let Some(roots) = cx.opts.get("pillar_roots").and_then(Value::as_map).filter(|roots| !roots.is_empty()) else {
        return Err(CallError::execution("No pillar_roots found. Are you running this on the master?"));
    };
    let Ok(path) = RelPath::parse(&path) else { return Ok(false) };
    let saltenv = saltenv.filter(|env| !env.is_empty());
    Ok(roots
        .iter()
        .filter(|(env, _)| saltenv.as_deref().is_none_or(|wanted| python_str(env) == wanted))
        .flat_map(|(_, dirs)| dirs.as_list().unwrap_or_default())
        .any(|dir| Path::new(&python_str(dir)).join(path.as_str()).is_file()))
}

/// Look up a pillar value in a dict and return what stands there. Keys may be globs.
///
/// CLI Example: salt '*' pillar.filter_by '{web: Serve it up, db: I query, default: x_x}' role
#[exec]
fn filter_by(
    cx: &Cx,
    lookup_dict: Map,
    pillar: String,
    merge: Option<Value>,
    #[default("default")] default: Value,
    base: Option<Value>,
) -> Result {
    let own = look_up(&cx.pillar, &pillar.into(), DEFAULT_TARGET_DELIM);
    choose(&lookup_dict, own, merge, &default, base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::{Args, Registry};
    use brine_core::host::NoHost;
    use brine_core::{Opts, map};
    use std::sync::Arc;

    fn numbers(all: &[i64]) -> Value {
        Value::List(all.iter().map(|n| Value::from(*n)).collect())
    }

    fn call(opts: Map, function: &str, args: Args) -> Result {
        let registry = Arc::new(Registry::new(crate::ALL.iter().copied()));
        let mut cx = Cx::new(Arc::new(Opts::new(opts)), registry, Arc::new(NoHost));
        cx.pillar = Arc::new(map! {
            "a" => map! {"b" => map! {"x" => 1, "l" => numbers(&[1])}}, "list" => numbers(&[1, 2]), "role" => "web1", "n" => Value::Nil
        });
        cx.call(function, args)
    }

    #[test]
    fn values_come_by_path_or_by_default() {
        let get = |args| call(Map::new(), "pillar.get", args).unwrap();
        assert_eq!(get(Args::positional(["a:b:x"])), 1.into());
        assert_eq!(get(Args::positional(["a|b|x"]).with("delimiter", "|")), 1.into());
        assert_eq!(get(Args::positional(["a:c"])), "".into());
        assert_eq!(get(Args::positional(["n", "d"])), Value::Nil);
        let default = map! {"l" => numbers(&[2]), "y" => 2};
        assert_eq!(
            get(Args::positional(["a:b"]).with("default", default.clone()).with("merge", true)),
            map! {"l" => numbers(&[1]), "y" => 2, "x" => 1}.into()
        );
        assert_eq!(
            get(Args::positional(["a:b"]).with("default", default.clone()).with("merge", true).with("merge_nested_lists", true)),
            map! {"l" => numbers(&[2, 1]), "y" => 2, "x" => 1}.into()
        );
        assert_eq!(
            get(Args::positional(["list"]).with("default", numbers(&[2, 3])).with("merge", true)),
            numbers(&[2, 3, 1])
        );
        assert_eq!(get(Args::positional(["role"]).with("default", default).with("merge", true)), "web1".into());
        let raise = call(map! {"pillar_raise_on_missing" => true}, "pillar.get", Args::positional(["q"]));
        assert_eq!(raise.unwrap_err().to_string(), "KeyError: 'Pillar key not found: q'");
    }

    #[test]
    fn the_pillar_is_shown_whole_in_part_and_hidden() {
        let run = |name: &str, args| call(Map::new(), name, args);
        assert_eq!(
            run("pillar.item", Args::positional(["role", "z"])).unwrap(),
            map! {"role" => "web1", "z" => ""}.into()
        );
        assert_eq!(run("pillar.raw", Args::positional(["list"])).unwrap(), numbers(&[1, 2]));
        assert_eq!(run("pillar.keys", Args::positional(["a"])).unwrap(), vec!["b"].into());
        assert!(run("pillar.keys", Args::positional(["role"])).unwrap_err().to_string().ends_with("is not a dict"));
        let lookup = map! {"web*" => map! {"p" => 1}, "default" => map! {"p" => 2}};
        assert_eq!(
            run("pillar.filter_by", Args::positional([Value::Map(lookup), "role".into()])).unwrap(),
            map! {"p" => 1}.into()
        );
        assert_eq!(
            hidden(map! {"a" => vec![Value::from(1), "x".into(), Value::Nil]}.into()),
            map! {"a" => vec!["<int>", "<str>", "<NoneType>"]}.into()
        );
    }

    #[test]
    fn values_are_masked_where_that_is_asked_for() {
        let item = |args: Args| call(Map::new(), "pillar.item", args).unwrap();
        assert_eq!(item(Args::positional(["role"]).with("unmask", true)), map! {"role" => "web1"}.into());
        assert_eq!(item(Args::positional(["role"]).with("unmask", false)), map! {"role" => MASK}.into());
        let deep = masked(map! {"a" => vec![Value::from("x"), 1.into(), "".into(), Value::Nil]}.into());
        assert_eq!(deep, map! {"a" => vec![Value::from(MASK), 1.into(), "".into(), Value::Nil]}.into());
    }

    #[test]
    fn data_over_the_pillar_may_be_encrypted() {
        let opts = || map! {"decrypt_pillar_renderers" => vec!["yaml"]};
        let cx = |opts: Map| Cx::new(Arc::new(Opts::new(opts)), Arc::default(), Arc::new(NoHost));
        let over = Value::from("{a: 1}");
        assert_eq!(decrypted(&cx(opts()), "yaml", &over), Ok(map! {"a" => 1}.into()));
        assert!(decrypted(&cx(opts()), "gpg", &over).unwrap_err().contains("not a valid decryption renderer"));
        let args = Args::none().with("pillar", over).with("pillar_enc", "gpg");
        let refused = call(opts(), "pillar.items", args).unwrap_err().to_string();
        assert!(refused.contains("Failed to decrypt pillar override: 'gpg' is not a valid"), "{refused}");
    }
}
