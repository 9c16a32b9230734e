//! Files of the tree, and what URLs name, put somewhere or read.

use super::client::{below, cached, env, folder, listed, or_false, place_of, text, unsupported, value};
use super::template::{self, Engine};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::files::{Listing, Want};
use brine_core::text::python_str;
use brine_core::Value;
use brine_files::url::split_env;
use brine_files::{Dest, Order};
use brine_render::template::call_error;
use std::path::Path;

/// A level of compression, as text or number.
fn level(gzip: Option<&Value>) -> Option<i64> {
    gzip.filter(|gzip| gzip.truthy()).and_then(|gzip| python_str(gzip).trim().parse().ok())
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
    let saltenv = env(cx, saltenv);
    let (path, dest) = template::names(cx, (path, dest), &saltenv, template.as_deref(), &kwargs.clean())?;
    let (path, own) = split_env(&path);
    let saltenv = own.unwrap_or(saltenv);
    if !path.starts_with("salt://") {
        // Stock compares before it notices.
        let same = |form| Some(crate::file::hash::of_file(&path, form).ok()? == crate::file::hash::of_file(&dest, form).ok()?);
        return if same("sha256") == Some(true) { Ok(dest.into()) } else { Err(unsupported(&path)) };
    }
    let at = (!dest.is_empty()).then(|| Path::new(&dest));
    let want = Want { dest: at, makedirs, gzip: level(gzip.as_ref()), cachedir: None };
    let files = cx.host.files();
    Ok(match files.get_file(&path, &saltenv, &want)? {
        Some(got) => text(got).into(),
        None if !files.hash_file(&path, &saltenv)?.truthy() => "".into(),
        None => false.into(),
    })
}

/// Renders a file of the tree and puts the result somewhere; without a destination, in the cache.
///
/// CLI Example: salt '*' cp.get_template salt://path/to/template /minion/dest
#[exec]
pub(super) fn get_template(
    cx: &Cx,
    path: String,
    dest: Option<String>,
    #[default("jinja")] template: String,
    saltenv: Option<String>,
    #[default(false)] makedirs: bool,
    kwargs: KwArgs,
) -> Result {
    let saltenv = env(cx, saltenv);
    let source = cached(cx, &path, &saltenv)?;
    let Some(source) = source.as_str().filter(|source| Path::new(source).exists()) else {
        return Ok("".into());
    };
    match template::engine(&template) {
        Engine::Jinja => {}
        Engine::Python => {
            tracing::error!("Attempted to render template with engine {template}, which needs Python");
            return Ok("".into());
        }
        Engine::Unknown => {
            tracing::error!("Attempted to render template with unavailable engine {template}");
            return Ok("".into());
        }
    }
    let bytes = std::fs::read(source).map_err(|e| crate::hashutil::file_error(&e, source))?;
    let rendered = brine_python::decode_utf8(bytes).map_err(call_error).and_then(|contents| {
        let mut vars = kwargs.clean();
        vars.remove("env");
        // Variables may come as one dict; those beside it win.
        if let Some(Value::Map(mut context)) = vars.remove("context") {
            context.update(vars);
            vars = context;
        }
        template::render(cx, &contents, &saltenv, Some(source), &vars)
    });
    let rendered = match rendered {
        Ok(text) => text,
        Err(e) if template::is_render_error(&e) => return Err(e),
        Err(e) => {
            tracing::error!("Failed to render template with error: {e}");
            return Ok("".into());
        }
    };
    let (dest, makedirs) = match dest.filter(|dest| !dest.is_empty()) {
        Some(dest) => (dest, makedirs),
        None => (place_of(cx, &path, &saltenv), true),
    };
    if !folder(&dest, makedirs)? {
        return Ok("".into());
    }
    replace(&dest, source, rendered.as_bytes())?;
    Ok(dest.into())
}

/// Puts new contents at a place, as private as stock's temporary file that it moves there. In a folder, it gets a name of its own.
fn replace(dest: &str, source: &str, contents: &[u8]) -> Result<()> {
    use std::io::Write;
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, dest);
    let at = match Path::new(dest).is_dir() {
        true => Path::new(dest).join(Path::new(source).file_name().unwrap_or_default()),
        false => Path::new(dest).to_owned(),
    };
    let mut new = brine_files::Unseen::new_in(at.parent().unwrap_or(Path::new(".")), 0o600).map_err(failed)?;
    new.file().write_all(contents).map_err(failed)?;
    new.persist(&at).map_err(|(e, _)| failed(e))
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
) -> Result<Vec<Value>> {
    let saltenv = env(cx, saltenv);
    let (path, dest) = template::names(cx, (path, dest), &saltenv, template.as_deref(), &kwargs.clean())?;
    let path = below(&path)?;
    let path = path.trim_end_matches('/');
    let prefix = path.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let inside = |name: &str| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    let target = |name: &str| format!("{dest}/{}", name[prefix.len()..].trim_start_matches('/'));
    let files = cx.host.files();
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for name in files.list_below(&saltenv, path, Listing::Files)?.iter().filter(|name| inside(name)) {
        cx.cancel.check()?;
        let Some(source) = listed(name) else { continue };
        let dest = target(name);
        let want =
            Want { dest: Some(Path::new(&dest)), makedirs: true, gzip: level(gzip.as_ref()), cachedir: None };
        match files.get_file(&source, &saltenv, &want)? {
            Some(got) => done.push(text(got)),
            // It has gone since it was listed.
            None => refused.push(Value::Bool(false)),
        }
    }
    for name in files.list_below(&saltenv, path, Listing::EmptyDirs)?.iter().filter(|name| inside(name)) {
        if listed(name).is_some() {
            let dir = target(name);
            std::fs::create_dir_all(&dir).map_err(|e| crate::hashutil::file_error(&e, &dir))?;
            done.push(dir);
        }
    }
    done.sort();
    Ok(done.into_iter().map(Value::from).chain(refused).collect())
}

/// Puts what a URL names somewhere; without a destination, in the cache, and with `dest=None` its contents are the result.
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
    let saltenv = env(cx, saltenv);
    let hash = source_hash.as_ref().filter(|hash| !hash.is_nil()).map(python_str);
    let dest = match &dest {
        Value::Str(dest) if dest.is_empty() => Dest::Cache,
        Value::Str(dest) => Dest::At(dest),
        _ => Dest::Memory,
    };
    let order = Order { dest, makedirs, source_hash: hash.as_deref(), ..Order::new(&path, &saltenv) };
    let got = value(brine_files::get_url(cx, &order)?);
    if !got.truthy() {
        tracing::error!("Unable to fetch file {} from saltenv {saltenv}.", without_login(&path));
    }
    Ok(got)
}

/// A URL without user and password.
pub(crate) fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme @ ("http" | "https"), _)), Some(at)) => format!("{scheme}://<redacted>@{}", &url[at + 1..]),
        _ => url.to_owned(),
    }
}

/// The contents of a file of the tree.
///
/// CLI Example: salt '*' cp.get_file_str salt://my/file
#[exec]
pub(super) fn get_file_str(cx: &Cx, path: String, saltenv: Option<String>) -> Result {
    let args = brine_core::call::Args::positional([Value::from(path), env(cx, saltenv).into()]);
    let source = cx.call("cp.cache_file", args)?;
    let Some(at) = source.as_str() else { return Ok(source) };
    let Ok(bytes) = std::fs::read(at) else { return Ok(false.into()) };
    Ok(brine_python::decode_utf8(bytes).map_err(call_error)?.into())
}

/// A file found or not, for the functions that give stock's `False`.
pub(super) fn one(cx: &Cx, name: &str, saltenv: &str) -> Result<Value> {
    cx.host.files().cache_file(name, saltenv).map(or_false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_see_has_no_password() {
        assert_eq!(without_login("https://u:p@h/x"), "https://<redacted>@h/x");
        assert_eq!(without_login("salt://u@h/x"), "salt://u@h/x");
        assert_eq!((level(Some(&"5".into())), level(Some(&Value::Int(0))), level(None)), (Some(5), None, None));
    }
}
