//! What can be called here: names, documentation and parameters, out of the call registry.
//!
//! States, returners and renderers are listed beside them. Runners are the master's, so their lists are empty.

use brine_core::call::{Cx, Function, KwArgs, ParamKind, Result, VarArgs, exec, module};
use brine_core::host::Refresh;
use brine_core::state::StateModule;
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_returners::Returner;
use std::collections::BTreeSet;

module! {
    "sys": argspec, doc, list_functions, list_modules, list_renderers, list_returner_functions, list_returners,
    list_runner_functions, list_runners, list_state_functions, list_state_modules, reload_modules, renderer_doc,
    returner_argspec, returner_doc, runner_argspec, runner_doc, state_argspec, state_doc, state_schema
}

fn names(args: &VarArgs) -> Vec<String> {
    args.0.iter().map(python_str).collect()
}

fn module_of(function: &str) -> &str {
    function.split('.').next().unwrap_or(function)
}

/// Documentation of all functions, of a module, of one function, or of those that match a pattern.
///
/// CLI Example: salt '*' sys.doc cmd.run 'test.*'
#[exec]
fn doc(cx: &Cx, args: VarArgs) -> Result<Map> {
    let wanted = names(&args);
    Ok(cx.registry.iter().filter(|(name, _)| is_asked_for(name, &wanted)).map(|(name, f)| (name, f.doc)).collect())
}

/// Whether documentation of a function is asked for.
fn is_asked_for(name: &str, wanted: &[String]) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|want| match want.as_str() {
            want if want.contains('*') => fnmatch(name, want),
            "" => true,
            want => name == want || name.starts_with(&with_dot(want)),
        })
}

/// `sys` means `sys.`, so that it does not mean `sysctl.` too.
fn with_dot(module: &str) -> String {
    if module.ends_with('.') { module.to_owned() } else { format!("{module}.") }
}

/// The names of all functions, of those of a module, or of those that match a pattern.
///
/// CLI Example: salt '*' sys.list_functions sys 'user.*'
#[exec]
fn list_functions(cx: &Cx, args: VarArgs, _kwargs: KwArgs) -> Result {
    Ok(functions_of(cx.registry.iter().map(|(name, _)| name), &names(&args)))
}

fn functions_of<'a>(all: impl Iterator<Item = &'a str>, wanted: &[String]) -> Value {
    let matches = |name: &str| wanted.is_empty() || wanted.iter().any(|want| is_of(name, want));
    all.filter(|name| matches(name)).collect()
}

/// Whether a function is of a module, or matches a pattern.
fn is_of(name: &str, want: &str) -> bool {
    match want.contains(['*', '.']) {
        true => fnmatch(name, want),
        false => name.starts_with(&format!("{want}.")),
    }
}

/// The names of all modules, or of those given that exist; a pattern is compared with the names of their functions.
///
/// CLI Example: salt '*' sys.list_modules 's*'
#[exec]
fn list_modules(cx: &Cx, args: VarArgs) -> Result {
    Ok(modules_of(cx.registry.iter().map(|(name, _)| name), &names(&args)))
}

fn modules_of<'a>(all: impl Iterator<Item = &'a str>, wanted: &[String]) -> Value {
    let matches = |name: &str| {
        wanted.is_empty()
            || wanted.iter().any(|want| match want.contains('*') {
                true => fnmatch(name, want),
                false => module_of(name) == want,
            })
    };
    let modules: BTreeSet<&str> = all.filter(|name| matches(name)).map(module_of).collect();
    modules.into_iter().collect()
}

/// Load all modules anew. Returns `True`.
///
/// CLI Example: salt '*' sys.reload_modules
#[exec]
fn reload_modules(cx: &Cx) -> Result<bool> {
    if let Err(e) = cx.host.refresh(Refresh::Modules, None) {
        tracing::debug!("modules not reloaded: {e}");
    }
    Ok(true)
}

/// The parameters of the functions of a module, of one function, or of those that match a pattern: names, defaults of
/// the last ones, and whether further positional or keyword arguments are taken.
///
/// CLI Example: salt '*' sys.argspec pkg.install
#[exec]
fn argspec(cx: &Cx, #[default("")] module: String) -> Result<Map> {
    let specs = cx.registry.iter().filter(|(name, _)| is_of(name, &module));
    Ok(specs.map(|(name, function)| (name, spec(function))).collect())
}

fn spec(function: &Function) -> Map {
    let (mut args, mut defaults) = (Vec::new(), Vec::new());
    let (mut varargs, mut kwargs) = (Value::Nil, Value::Nil);
    for param in function.params {
        match param.kind {
            ParamKind::Required => args.push(Value::from(param.name)),
            ParamKind::Default(default) => {
                args.push(param.name.into());
                defaults.push(default());
            }
            ParamKind::VarArgs => varargs = true.into(),
            ParamKind::KwArgs => kwargs = true.into(),
        }
    }
    spec_of(args, defaults, varargs, kwargs)
}

fn spec_of(args: Vec<Value>, defaults: Vec<Value>, varargs: Value, kwargs: Value) -> Map {
    let or_none = |list: Vec<Value>| if list.is_empty() { Value::Nil } else { list.into() };
    map! {
        "args" => or_none(args), "defaults" => or_none(defaults), "varargs" => varargs, "kwargs" => kwargs,
    }
}

/// The functions of all files of states that there are here.
fn states<'a>(cx: &'a Cx) -> impl Iterator<Item = (String, &'static Function)> + 'a {
    let here = |module: &&'static StateModule| module.unavailable.is_none_or(|unavailable| unavailable(cx).is_none());
    cx.registry.state_modules().filter(here).flat_map(|module| {
        module.functions.iter().map(move |function| (format!("{}.{}", module.name, function.name), function))
    })
}

fn state_names(cx: &Cx) -> BTreeSet<String> {
    states(cx).map(|(name, _)| name).collect()
}

fn nothing() -> Value {
    Value::List(Vec::new())
}

/// Documentation of state functions.
///
/// CLI Example: salt '*' sys.state_doc service
#[exec]
fn state_doc(cx: &Cx, args: VarArgs) -> Result<Map> {
    let wanted = names(&args);
    Ok(states(cx).filter(|(name, _)| is_asked_for(name, &wanted)).map(|(name, f)| (name, f.doc)).collect())
}

/// Documentation of runner functions.
///
/// CLI Example: salt '*' sys.runner_doc cache
#[exec]
fn runner_doc(_args: VarArgs) -> Result<Map> {
    Ok(Map::new())
}

/// Documentation of returners.
///
/// CLI Example: salt '*' sys.returner_doc sqlite3
#[exec]
fn returner_doc(cx: &Cx, args: VarArgs) -> Result<Map> {
    let wanted = names(&args);
    let all = returners(cx).into_iter().filter(|(name, _)| is_asked_for(name, &wanted));
    Ok(all.map(|(name, returner)| (name, returner.doc)).collect())
}

/// The functions of all returners, sorted.
fn returners(cx: &Cx) -> Vec<(String, &'static Returner)> {
    let there = brine_returners::ALL.iter().filter(|r| brine_returners::find(&cx.opts, r.name, "").is_ok());
    let mut all: Vec<_> =
        there.flat_map(|r| r.functions().into_iter().map(move |f| (format!("{}.{f}", r.name), *r))).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Documentation of renderers.
///
/// CLI Example: salt '*' sys.renderer_doc jinja
#[exec]
fn renderer_doc(_args: VarArgs) -> Result<Map> {
    Ok(Map::new())
}

/// The parameters of state functions, as `sys.argspec` shows them.
///
/// CLI Example: salt '*' sys.state_argspec pkg.installed
#[exec]
fn state_argspec(cx: &Cx, #[default("")] module: String) -> Result<Map> {
    Ok(states(cx).filter(|(name, _)| is_of(name, &module)).map(|(name, f)| (name, spec(f))).collect())
}

/// The parameters of returners, as `sys.argspec` shows them.
///
/// CLI Example: salt '*' sys.returner_argspec xmpp
#[exec]
fn returner_argspec(cx: &Cx, #[default("")] module: String) -> Result<Map> {
    let mut specs = Map::new();
    for (name, _) in returners(cx).into_iter().filter(|(name, _)| is_of(name, &module)) {
        let (args, defaults) = Returner::parameters(name.split('.').nth(1).unwrap_or_default());
        let args = args.iter().map(|arg| Value::from(*arg)).collect();
        specs.insert(name, spec_of(args, defaults, Value::Nil, Value::Nil));
    }
    Ok(specs)
}

/// The parameters of runner functions, as `sys.argspec` shows them.
///
/// CLI Example: salt '*' sys.runner_argspec state
#[exec]
fn runner_argspec(#[default("")] _module: String) -> Result<Map> {
    Ok(Map::new())
}

/// JSON schemas of state functions.
///
/// CLI Example: salt '*' sys.state_schema pkg.installed
#[exec]
fn state_schema(#[default("")] _module: String) -> Result {
    Ok(nothing())
}

/// The names of state functions.
///
/// CLI Example: salt '*' sys.list_state_functions file
#[exec]
fn list_state_functions(cx: &Cx, args: VarArgs, _kwargs: KwArgs) -> Result {
    Ok(functions_of(state_names(cx).iter().map(String::as_str), &names(&args)))
}

/// The names of state modules.
///
/// CLI Example: salt '*' sys.list_state_modules
#[exec]
fn list_state_modules(cx: &Cx, args: VarArgs) -> Result {
    Ok(modules_of(state_names(cx).iter().map(String::as_str), &names(&args)))
}

/// The names of runner modules.
///
/// CLI Example: salt '*' sys.list_runners
#[exec]
fn list_runners(_args: VarArgs) -> Result {
    Ok(nothing())
}

/// The names of runner functions.
///
/// CLI Example: salt '*' sys.list_runner_functions state
#[exec]
fn list_runner_functions(_args: VarArgs, _kwargs: KwArgs) -> Result {
    Ok(nothing())
}

/// The names of returners.
///
/// CLI Example: salt '*' sys.list_returners
#[exec]
fn list_returners(cx: &Cx, args: VarArgs) -> Result {
    Ok(modules_of(returners(cx).iter().map(|(name, _)| name.as_str()), &names(&args)))
}

/// The names of the functions of returners.
///
/// CLI Example: salt '*' sys.list_returner_functions mysql
#[exec]
fn list_returner_functions(cx: &Cx, args: VarArgs, _kwargs: KwArgs) -> Result {
    Ok(functions_of(returners(cx).iter().map(|(name, _)| name.as_str()), &names(&args)))
}

/// The names of renderers.
///
/// CLI Example: salt '*' sys.list_renderers
#[exec]
fn list_renderers(args: VarArgs) -> Result {
    let wanted = names(&args);
    let here = brine_render::renderer::names();
    let listed = here.into_iter().filter(|name| wanted.is_empty() || wanted.iter().any(|w| fnmatch(name, w)));
    Ok(listed.map(Value::from).collect::<Vec<_>>().into())
}
