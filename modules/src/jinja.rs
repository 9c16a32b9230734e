//! The `jinja` execution module: what map files and data files of templates hold.

use brine_core::Value;
use brine_core::call::{Cx, Result, exec, module};
use brine_python::{R, to_value};
use brine_render::json;
use brine_render::renderer::{Request, Template, check, compile_template, default_pipe};
use brine_render::template::{Session, call_error};

module! { "jinja": import_json, import_yaml, load_map }

/// Renders a text with the option `renderer`, and makes JSON's values of what comes out.
fn rendered(cx: &Cx, text: &str) -> Result {
    let session = Session::of(cx);
    let value = || -> R<Value> {
        check(&cx.opts)?;
        let pipe = default_pipe(&cx.opts);
        let out = session.enter(|| compile_template(&session, &Request::new(Template::Text(text), &pipe)))?;
        let text = json::dumps(&out.data.into_value(), &json::Options::default())?;
        to_value(&json::loads(&text)?)
    };
    value().map_err(call_error)
}

/// Loads the map at the specified path, and returns the specified value from that map.
///
/// CLI Example: salt '*' jinja.load_map myformula/map.jinja myformula
#[exec]
fn load_map(cx: &Cx, path: String, value: String) -> Result {
    rendered(
        cx,
        &format!("{{% from \"{path}\" import {value} with context %}}\n{{{{ {value} | tojson }}}}\n"),
    )
}

/// Loads YAML data from the specified path.
///
/// CLI Example: salt '*' jinja.import_yaml myformula/foo.yaml
#[exec]
fn import_yaml(cx: &Cx, path: String) -> Result {
    rendered(cx, &format!("{{% import_yaml \"{path}\" as imported %}}\n{{{{ imported | tojson }}}}\n"))
}

/// Loads JSON data from the specified path.
///
/// CLI Example: salt '*' jinja.import_json myformula/foo.json
#[exec]
fn import_json(cx: &Cx, path: String) -> Result {
    rendered(cx, &format!("{{% import_json \"{path}\" as imported %}}\n{{{{ imported | tojson }}}}\n"))
}
