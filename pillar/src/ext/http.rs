//! `http_json` and `http_yaml`: what a web server answers. What is no answer is logged and gives nothing, as in stock; what is one
//! and cannot be read is an error.

use super::{Asked, Source, ask};
use brine_core::url::quote;
use brine_python::{Args, Dict, Obj, PyErr, R, Signature, str, truth};
use brine_render::filters::find;

pub(super) const JSON: Source =
    Source { name: "http_json", run: |asked, args| run(asked, args, Format::Json) };
pub(super) const YAML: Source =
    Source { name: "http_yaml", run: |asked, args| run(asked, args, Format::Yaml) };

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Json,
    Yaml,
}

const NAMES: &[&str] = &[
    "minion_id",
    "pillar",
    "url",
    "with_grains",
    "header_dict",
    "auth",
    "username",
    "password",
    "namespace",
];

fn run(asked: &Asked<'_>, args: &Args, format: Format) -> R {
    const OF_JSON: Signature = Signature::new("ext_pillar", 2, NAMES, 3);
    const OF_YAML: Signature = Signature::new("ext_pillar", 2, NAMES.split_at(8).0, 3);
    let a = if format == Format::Json { OF_JSON } else { OF_YAML }.bind(args)?;
    let Some(url) = a.at(0).as_str() else { return Err(PyErr::attribute(a.at(0), "replace")) };
    let mut url = url.replace("%s", &quote(asked.id, "/"));
    if a.truth(1, false)? {
        match with_grains(asked, &url)? {
            Some(with) => url = with,
            None => return Ok(Dict::new().into()),
        }
    }
    let request = ask::Request {
        url: &url,
        headers: a.some(2),
        auth: a.some(3),
        username: a.some(4),
        password: a.some(5),
    };
    let body = match ask::get(asked.opts(), &request)? {
        Ok(body) => body,
        Err(why) => {
            tracing::error!("Error on minion '{}' http query: {why}", asked.id);
            return Ok(Dict::new().into());
        }
    };
    let data = match format {
        Format::Json => brine_render::json::loads(&body)?,
        Format::Yaml => brine_render::yaml::load_obj(&body, "<unicode string>")
            .map_err(|e| PyErr::new(brine_python::Kind::Other("YAMLError"), e.to_string()))?,
    };
    match a.some(6) {
        Some(namespace) if truth(namespace)? => {
            let outer = Dict::new();
            outer.set(namespace.clone(), data)?;
            Ok(outer.into())
        }
        _ => Ok(data),
    }
}

/// The address with the value of a grain for each `<name>`; nothing if there is none.
fn with_grains(asked: &Asked<'_>, url: &str) -> R<Option<String>> {
    let mut out = url.to_owned();
    let mut rest = url;
    while let Some(start) = rest.find('<')
        && let Some(length) = rest[start..].find('>')
    {
        let name = &rest[start + 1..start + length];
        let value = find(asked.session.grains(), &Obj::str(name), None)?.unwrap_or_default();
        if !truth(&value)? {
            tracing::error!("Unable to get minion '{}' grain: {name}", asked.id);
            return Ok(None);
        }
        out = out.replace(&format!("<{name}>"), &quote(&str(&value)?, "/"));
        rest = &rest[start + length + 1..];
    }
    Ok(Some(out))
}
