//! Files of the tree put somewhere, or read.

use super::client::{below, cached, copy, env, or_false, split};
use crate::python::path::{basename, dirname, join};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::files::Listing;
use brine_core::{Map, Value};
use brine_python::Dict;
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::template::{Session, call_error};
use std::path::Path;
use std::rc::Rc;

/// Renders text as a Jinja template of this call.
fn render(cx: &Cx, template: Template<'_>, engine: &str, saltenv: &str, kwargs: &Map) -> Result<String> {
    if engine != "jinja" {
        return Err(CallError::execution(format!("templates of {engine} need Python")));
    }
    let session = Session::of(cx);
    let context = Rc::new(Dict::from(kwargs));
    let request = Request { saltenv, context: Some(context), ..Request::new(template, "jinja") };
    let rendered = session.enter(|| compile_template(&session, &request)).map_err(call_error)?;
    Ok(rendered.data.text().unwrap_or_default().to_owned())
}

/// The names of source and destination, rendered if `template` names an engine.
fn names(cx: &Cx, path: &str, dest: &str, saltenv: &str, template: Option<&str>, kwargs: &Map) -> Result<(String, String)> {
    let Some(engine) = template.filter(|engine| !engine.is_empty()) else {
        return Ok((path.to_owned(), dest.to_owned()));
    };
    if engine != "jinja" {
        return Err(CallError::execution(format!(
            "Attempted to render file paths with unavailable engine {engine}"
        )));
    }
    let one = |text: &str| {
        render(cx, Template::Text(text), engine, saltenv, kwargs).map_err(|e| {
            CallError::execution(format!("Failed to render file path with error: {e}"))
        })
    };
    Ok((one(path)?, one(dest)?))
}

/// Puts a file of the tree somewhere. With `template=jinja`, source and destination are templates.
///
/// CLI Example: salt '*' cp.get_file salt://path/to/file /minion/dest
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn get_file(
    cx: &Cx,
    path: String,
    dest: String,
    saltenv: Option<String>,
    #[default(false)] makedirs: bool,
    template: Option<String>,
    gzip: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    // Local files are not sent anywhere.
    let _gzip = gzip;
    let saltenv = env(cx, saltenv);
    let (path, dest) = names(cx, &path, &dest, &saltenv, template.as_deref(), &kwargs.clean())?;
    let (path, own) = split(&path);
    let saltenv = own.unwrap_or(saltenv);
    below(&path)?;
    match cached(cx, &path, &saltenv)? {
        None => Ok("".into()),
        Some(source) if dest.is_empty() => Ok(source.into()),
        Some(source) => copy(&source, &dest, makedirs).map(or_false),
    }
}

/// Renders a file of the tree and puts the result somewhere; without a destination, in the cache.
///
/// CLI Example: salt '*' cp.get_template salt://path/to/template /minion/dest
#[exec]
pub(super) fn get_template(
    cx: &Cx,
    path: String,
    dest: String,
    #[default("jinja")] template: String,
    saltenv: Option<String>,
    #[default(false)] makedirs: bool,
    kwargs: KwArgs,
) -> Result {
    let saltenv = env(cx, saltenv);
    let Some(source) = cached(cx, &path, &saltenv)? else { return Ok("".into()) };
    let text = match render(cx, Template::File(Path::new(&source)), &template, &saltenv, &kwargs.clean()) {
        Ok(text) => text,
        Err(e) => {
            tracing::error!("Failed to render template with error: {e}");
            return Ok("".into());
        }
    };
    let (dest, makedirs) = match dest.is_empty() {
        true => (external(cx, &path, &saltenv), true),
        false => (dest, makedirs),
    };
    let folder = dirname(&dest);
    if !folder.is_empty() && !Path::new(folder).is_dir() {
        if !makedirs {
            return Ok("".into());
        }
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&dest, text).map_err(|e| crate::hashutil::file_error(&e, &dest))?;
    Ok(dest.into())
}

/// The place in the cache of what has none in a tree.
fn external(cx: &Cx, url: &str, saltenv: &str) -> String {
    let (url, _) = split(url);
    let path = url.split_once("://").map_or(url.as_str(), |(_, path)| path);
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let saltenv = if brine_protocol::ids::SaltEnv::parse(saltenv).is_ok() { saltenv } else { "base" };
    join(cx.opts.str("cachedir"), &["extrn_files", saltenv, &parts.join("/")])
}

/// Puts a folder of the tree somewhere, with all that is in it.
///
/// CLI Example: salt '*' cp.get_dir salt://path/to/dir/ /minion/dest
#[exec]
pub(super) fn get_dir(
    cx: &Cx,
    path: String,
    dest: String,
    saltenv: Option<String>,
    template: Option<String>,
    gzip: Option<Value>,
    kwargs: KwArgs,
) -> Result<Vec<String>> {
    let _gzip = gzip;
    let saltenv = env(cx, saltenv);
    let (path, dest) = names(cx, &path, &dest, &saltenv, template.as_deref(), &kwargs.clean())?;
    let (path, own) = split(&path);
    let saltenv = own.unwrap_or(saltenv);
    let path = below(&path)?.trim_end_matches('/');
    let prefix = path.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let inside = |name: &str| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    let target = |name: &str| format!("{dest}/{}", name[prefix.len()..].trim_start_matches('/'));
    let files = cx.host.files();
    let mut done = Vec::new();
    for name in files.list(&saltenv, Listing::Files)?.iter().filter(|name| inside(name)) {
        cx.cancel.check()?;
        if let Some(source) = files.cache_file(name, &saltenv)? {
            done.extend(copy(&source.to_string_lossy(), &target(name), true)?);
        }
    }
    for name in files.list(&saltenv, Listing::EmptyDirs)?.iter().filter(|name| inside(name)) {
        let dir = target(name);
        std::fs::create_dir_all(&dir)?;
        done.push(dir);
    }
    done.sort();
    Ok(done)
}

/// Puts what a URL names somewhere; without a destination, in the cache, and with `dest=None` its contents are the result.
/// `salt://` and `file://` only.
///
/// CLI Example: salt '*' cp.get_url salt://my/file /tmp/this_file_is_mine
#[exec]
pub(super) fn get_url(
    cx: &Cx,
    path: String,
    #[default("")] dest: Value,
    saltenv: Option<String>,
    #[default(false)] makedirs: bool,
    source_hash: Option<Value>,
) -> Result {
    // What is known to be the same is not copied anyway.
    let _source_hash = source_hash;
    let saltenv = env(cx, saltenv);
    let Some(source) = cached(cx, &path, &saltenv)? else {
        tracing::error!("Unable to fetch file {path} from saltenv {saltenv}.");
        return Ok(false.into());
    };
    match dest {
        Value::Str(dest) if dest.is_empty() || !path.starts_with("salt://") => Ok(source.into()),
        Value::Str(dest) => {
            let dest = match Path::new(&dest).is_dir() || dest.ends_with('/') {
                true => join(&dest, &[basename(&split(&path).0)]),
                false => dest,
            };
            copy(&source, &dest, makedirs).map(or_false)
        }
        _ => {
            let bytes = std::fs::read(&source).map_err(|e| crate::hashutil::file_error(&e, &source))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned().into())
        }
    }
}

/// The contents of a file of the tree.
///
/// CLI Example: salt '*' cp.get_file_str salt://my/file
#[exec]
pub(super) fn get_file_str(cx: &Cx, path: String, saltenv: Option<String>) -> Result {
    let Some(source) = cached(cx, &path, &env(cx, saltenv))? else { return Ok(false.into()) };
    let Ok(bytes) = std::fs::read(&source) else { return Ok(false.into()) };
    Ok(brine_python::decode_utf8(bytes).map_err(call_error)?.into())
}
