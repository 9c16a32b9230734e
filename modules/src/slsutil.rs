//! The `slsutil` execution module: what SLS files are helped with. Files through renderers, merging, serializers, banners.

mod banner;
mod serializers;
mod tree;

use banner::*;
use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::{Map, Value};
use brine_python::{Dict, Obj, PyErr, R, to_value};
use brine_render::live::dictupdate;
use brine_render::renderer::{Request, Template, check, compile_template};
use brine_render::template::{Session, call_error};
use serializers::*;
use std::path::PathBuf;
use std::rc::Rc;
use tree::*;

module! {
    "slsutil":
    banner, boolstr, deserialize, dir_exists, file_exists, findup, merge, merge_all, path_exists, renderer, serialize, update
}

/// Works on values as templates have them.
fn with_objects(work: impl FnOnce() -> R) -> Result {
    work().and_then(|value| to_value(&value)).map_err(call_error)
}

/// Merge `upd` recursively into `dest`. With `merge_lists`, lists are joined.
///
/// CLI Example: salt '*' slsutil.update '{foo: Foo}' '{bar: Bar}'
#[exec]
fn update(
    dest: Value,
    upd: Value,
    #[default(true)] recursive_update: Value,
    #[default(false)] merge_lists: Value,
) -> Result {
    with_objects(|| {
        dictupdate::update(
            &Obj::from(&dest),
            &Obj::from(&upd),
            recursive_update.truthy(),
            merge_lists.truthy(),
        )
    })
}

/// Merge a data structure into another by choosing a merge strategy: aggregate, list, overwrite, recurse or smart.
///
/// CLI Example: salt '*' slsutil.merge '{foo: Foo}' '{bar: Bar}'
#[exec]
fn merge(
    obj_a: Value,
    obj_b: Value,
    #[default("smart")] strategy: Value,
    #[default("yaml")] renderer: Value,
    #[default(false)] merge_lists: Value,
) -> Result {
    let (strategy, renderer) = (Obj::from(&strategy), Obj::from(&renderer));
    with_objects(|| {
        dictupdate::merge(&Obj::from(&obj_a), &Obj::from(&obj_b), &strategy, &renderer, merge_lists.truthy())
    })
}

/// Merge a list of objects into each other in order.
///
/// CLI Example: salt '*' slsutil.merge_all '[{foo: Foo}, {foo: Bar}]'
#[exec]
fn merge_all(
    lst: Value,
    #[default("smart")] strategy: Value,
    #[default("yaml")] renderer: Value,
    #[default(false)] merge_lists: Value,
) -> Result {
    let (strategy, renderer) = (Obj::from(&strategy), Obj::from(&renderer));
    with_objects(|| {
        let mut all = Obj::dict(Dict::new());
        for each in Obj::from(&lst).items()? {
            all = dictupdate::merge(&all, &each, &strategy, &renderer, merge_lists.truthy())?;
        }
        Ok(all)
    })
}

/// Where a file lies on this machine: one of the tree, or one by its path. `None` for one of the tree that is not there.
fn located(cx: &Cx, session: &Session, path: &str, saltenv: &str) -> Result<Option<PathBuf>> {
    if let Some(rest) = path.strip_prefix("salt://") {
        let (path, saltenv) = match rest.split_once("?saltenv=") {
            Some((path, saltenv)) => (path, saltenv),
            None => (rest, saltenv),
        };
        return session.files.cache_file(path, saltenv);
    }
    let plain = path.strip_prefix("file://").unwrap_or(path);
    if plain.contains("://") {
        let args = brine_core::call::Args::positional([path]).with("saltenv", saltenv);
        return Ok(cx.call("cp.get_url", args)?.as_str().filter(|p| !p.is_empty()).map(PathBuf::from));
    }
    if !plain.starts_with('/') {
        return Err(CallError::execution(format!("Path '{plain}' is not absolute")));
    }
    Ok(Some(PathBuf::from(plain)))
}

/// Parse a string or file through Salt's renderer system. Other keyword arguments are variables of templates.
///
/// CLI Example: salt '*' slsutil.renderer salt://path/to/file
#[exec]
fn renderer(
    cx: &Cx,
    path: Option<Value>,
    string: Option<Value>,
    #[default("jinja|yaml")] default_renderer: String,
    kwargs: KwArgs,
) -> Result {
    let given = |value: Option<Value>| value.filter(Value::truthy).map(|v| brine_core::text::python_str(&v));
    let (path, string) = (given(path), given(string));
    let kwargs = kwargs.0;
    let session = Session::of(cx);
    let saltenv = kwargs.get_str("saltenv").unwrap_or("base").to_owned();
    let file;
    let template = match (path, &string) {
        (None, None) => return Err(CallError::invocation("Must pass either path or string")),
        (Some(_), Some(_)) => return Err(CallError::invocation("Must not pass both path and string")),
        (None, Some(text)) => {
            check(&cx.opts).map_err(call_error)?;
            Template::Text(text)
        }
        (Some(path), None) => {
            check(&cx.opts).map_err(call_error)?;
            match located(cx, &session, &path, &saltenv)? {
                Some(found) => file = found,
                None => {
                    tracing::error!("Unable to fetch file {path} from saltenv {saltenv}.");
                    tracing::error!("Template does not exist: ");
                    return Ok(Map::new().into());
                }
            }
            Template::File(&file)
        }
    };
    let sls = kwargs.get_str("sls").unwrap_or_default().to_owned();
    let context = kwargs.get("context").filter(|c| c.truthy()).map(Obj::from);
    let context = match context {
        Some(Obj::Dict(context)) => Some(context),
        Some(other) => {
            let text = format!("'{}' object is not iterable", other.type_name());
            return Err(call_error(PyErr::ty(text)));
        }
        None => None,
    };
    let own = ["saltenv", "sls", "context", "input_data", "env"];
    let kwargs = kwargs
        .iter()
        .filter_map(|(name, value)| Some((name.as_str()?, value)))
        .filter(|(name, _)| !own.contains(name))
        .map(|(name, value)| (Rc::from(name), Obj::from(value)))
        .collect();
    let request =
        Request { template, default: &default_renderer, saltenv: &saltenv, sls: &sls, context, kwargs };
    with_objects(|| session.enter(|| compile_template(&session, &request)).map(|out| out.data.into_value()))
}

/// Convert a boolean value into a string: one of two.
///
/// CLI Example: salt '*' slsutil.boolstr True yes no
#[exec]
fn boolstr(value: Value, #[default("true")] true_: Value, #[default("false")] false_: Value) -> Result {
    Ok(if value.truthy() { true_ } else { false_ })
}
