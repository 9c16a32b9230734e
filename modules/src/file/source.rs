//! Where the contents of a managed file come from: one of several sources, brought here, checked and rendered.

use super::hash::of_file;
use super::sums::{PROTOCOLS, get_source_sum};
use crate::cp::{Engine, engine, is_render_error, render, without_login};
use crate::hashutil::hex_digest;
use crate::python::path::join;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::files::Listing;
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};
use brine_files::url::{Url, split_env};
use std::collections::BTreeMap;
use std::path::Path;

/// The names below `salt://` that trees have, asked for once for each environment.
struct Trees<'a> {
    cx: &'a Cx,
    known: BTreeMap<String, Vec<String>>,
}

impl Trees<'_> {
    fn has(&mut self, url: &str, saltenv: &str) -> Result<bool> {
        let (path, own) = split_env(url);
        let saltenv = own.unwrap_or_else(|| saltenv.to_owned());
        let name = path.strip_prefix("salt://").unwrap_or(&path).trim_start_matches('|').to_owned();
        if !self.known.contains_key(&saltenv) {
            let files = self.cx.host.files();
            let mut names = files.list(&saltenv, Listing::Files)?;
            names.extend(files.list(&saltenv, Listing::Dirs)?);
            self.known.insert(saltenv.clone(), names);
        }
        Ok(self.known.get(&saltenv).is_some_and(|names| names.contains(&name)))
    }
}

/// Whether there is something at a URL that is not of a tree.
fn is_there(cx: &Cx, url: &str) -> bool {
    let parsed = Url::parse(url, true);
    let exists = |path: &str| !path.is_empty() && Path::new(path).exists();
    match parsed.scheme.as_str() {
        "file" => {
            exists(&parsed.netloc) || exists(&parsed.path) || exists(&join(&parsed.netloc, &[&parsed.path]))
        }
        scheme if scheme.starts_with("http") || scheme == "ftp" => {
            let args = Args::positional([url]).with("method", "HEAD").with("decode_body", false);
            cx.call("http.query", args).is_ok_and(|answer| answer.get("error").is_none())
        }
        _ => url.starts_with('/') && exists(url),
    }
}

/// The first source of a list that there is, with its checksum; what is no list is taken as it is.
fn first_source(cx: &Cx, source: Value, source_hash: Value, saltenv: &str) -> Result<(Value, Value)> {
    let Value::List(sources) = &source else { return Ok((source, source_hash)) };
    let key = format!("{}_|-{}_|-{saltenv}", python_repr(&source), python_str(&source_hash));
    if let Some(Value::List(known)) = cx.job.context(&key)
        && let [source, hash] = &known[..]
    {
        return Ok((source.clone(), hash.clone()));
    }
    let mut trees = Trees { cx, known: BTreeMap::new() };
    for single in sources {
        let (url, hash) = match single {
            Value::Map(one) => match one.iter().next() {
                Some((url, hash)) if one.len() == 1 => {
                    (python_str(url), if hash.truthy() { hash.clone() } else { source_hash.clone() })
                }
                _ => continue,
            },
            Value::Str(url) => (url.clone(), source_hash.clone()),
            _ => continue,
        };
        let found = match url.starts_with("salt://") || single.as_str().is_some() {
            true => trees.has(&url, saltenv)? || is_there(cx, &url),
            false => is_there(cx, &url),
        };
        if found {
            cx.job.set_context(&key, vec![Value::from(url.as_str()), hash.clone()]);
            return Ok((url.into(), hash));
        }
    }
    Err(CallError::execution("none of the specified sources were found"))
}

/// The first of several sources that there is, and its checksum.
///
/// CLI Example: salt '*' file.source_list salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' base
#[exec]
pub(super) fn source_list(cx: &Cx, source: Value, source_hash: Value, saltenv: String) -> Result<Vec<Value>> {
    let (source, hash) = first_source(cx, source, source_hash, &saltenv)?;
    Ok(vec![source, hash])
}

/// The variables of a template: defaults, and over them the context.
fn context_of(context: &Value, defaults: &Value) -> Map {
    let mut all = defaults.as_map().cloned().unwrap_or_default();
    if let Some(context) = context.as_map() {
        all.update(context.clone());
    }
    all
}

/// Renders a text; `Err` of the inner result is a text that says why not.
fn rendered(cx: &Cx, text: &str, saltenv: &str, vars: &Map) -> Result<std::result::Result<String, String>> {
    match render(cx, text, saltenv, None, vars) {
        Ok(text) => Ok(Ok(text)),
        Err(e) if is_render_error(&e) => Err(e),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => Ok(Err(e.traceback())),
    }
}

/// Why a template engine cannot be used; `None` for the one that can.
fn refused(template: &str) -> Option<String> {
    match engine(template) {
        Engine::Jinja => None,
        Engine::Python => Some(format!("Specified template format {template} is not supported: it needs Python")),
        Engine::Unknown => Some(format!("Specified template format {template} is not supported")),
    }
}

/// What a text is after it was rendered as a template.
///
/// CLI Example: salt '*' file.apply_template_on_contents contents='This is a {{ template }} string.' template=jinja "context={}" "defaults={'template': 'cool'}" saltenv=base
#[exec]
pub(super) fn apply_template_on_contents(
    cx: &Cx,
    contents: String,
    template: String,
    context: Value,
    defaults: Value,
    saltenv: String,
) -> Result {
    if let Some(comment) = refused(&template) {
        return Ok(map! {"result" => false, "comment" => comment}.into());
    }
    let vars = context_of(&context, &defaults);
    Ok(rendered(cx, &contents, &saltenv, &vars)?.unwrap_or_else(|trace| trace).into())
}

/// What the source of a file was found to be.
#[derive(Default)]
pub(super) struct Managed {
    /// Where it lies on this machine; `False` or empty where it does not (yet).
    pub sfn: Value,
    /// Its contents, where they were rendered and lie nowhere.
    pub rendered: Option<Vec<u8>>,
    /// Its checksum.
    pub source_sum: Map,
    /// Why it cannot be had.
    pub comment: String,
}

impl Managed {
    fn failed(comment: impl Into<String>) -> Self {
        Self { sfn: "".into(), comment: comment.into(), ..Self::default() }
    }
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub name: &'a str,
    pub template: Option<&'a str>,
    pub source: Option<&'a str>,
    pub source_hash: &'a Value,
    pub source_hash_name: Option<&'a str>,
    /// `user`, `group`, `mode` and `attrs`.
    pub looks: [&'a Value; 4],
    pub saltenv: &'a str,
    pub context: &'a Value,
    pub defaults: &'a Value,
    pub skip_verify: bool,
    pub verify_ssl: &'a Value,
    pub use_etag: bool,
    pub kwargs: &'a Map,
}

fn sum_of(path: &str) -> Result<Map> {
    Ok(map! {"hsum" => of_file(path, "sha256")?, "hash_type" => "sha256"})
}

impl Wanted<'_> {
    /// Brings the source here, as far as it has to be, and renders it.
    pub(super) fn fetch(&self, cx: &Cx) -> Result<Managed> {
        let Some(source) = self.source.filter(|source| !source.is_empty()) else {
            return Ok(Managed { sfn: "".into(), ..Managed::default() });
        };
        let url = Url::parse(source, true);
        let scheme = if PROTOCOLS.contains(&url.scheme.as_str()) { url.scheme.as_str() } else { "" };
        let mut sfn = Value::from("");
        let local = join(&url.netloc, &[&url.path]).trim_end_matches('/').to_owned();
        let local = match scheme {
            "" => Some(source.to_owned()),
            "file" => Some(local),
            _ => None,
        };
        if let Some(path) = &local {
            if !Path::new(path).exists() {
                return Ok(Managed::failed(format!("Local file source {path} does not exist")));
            }
            sfn = path.as_str().into();
        }
        let mut source_sum = Map::new();
        if scheme == "salt" {
            let args = Args::positional([source, self.saltenv]);
            match cx.call("cp.hash_file", args)? {
                Value::Map(sum) if !sum.is_empty() => source_sum = sum,
                _ => {
                    let text = format!("Source file {source} not found in saltenv '{}'", self.saltenv);
                    return Ok(Managed::failed(text));
                }
            }
        } else if let (Some(path), false) = (&local, self.source_hash.truthy()) {
            source_sum = sum_of(path)?;
        } else if !self.skip_verify {
            if self.source_hash.truthy() {
                let sum = get_source_sum(
                    cx,
                    self.name.to_owned(),
                    source.to_owned(),
                    self.source_hash.clone(),
                    self.source_hash_name.map(str::to_owned),
                    self.saltenv.to_owned(),
                    self.verify_ssl.clone(),
                );
                match sum {
                    Ok(sum) => source_sum = sum,
                    Err(e) if e.is_execution() => return Ok(Managed::failed(e.text())),
                    Err(e) => return Err(e),
                }
            } else if !self.use_etag {
                return Ok(Managed::failed(format!(
                    "Unable to verify upstream hash of source file {}, please set source_hash or set skip_verify to True",
                    without_login(source)
                )));
            }
        }
        let template = self.template.filter(|template| !template.is_empty());
        if template.is_none() && matches!(scheme, "" | "file" | "salt") {
            return Ok(Managed { sfn, source_sum, ..Managed::default() });
        }
        let (sfn, source_sum) = match self.cached(cx, source, sfn, source_sum)? {
            Ok(found) => found,
            Err(failed) => return Ok(failed),
        };
        match template {
            Some(template) => self.rendered(cx, template, source, sfn),
            None => Ok(Managed { sfn: sfn.into(), source_sum, ..Managed::default() }),
        }
    }

    /// The source in the cache, brought there if it is not or is another.
    fn cached(
        &self,
        cx: &Cx,
        source: &str,
        mut sfn: Value,
        mut source_sum: Map,
    ) -> Result<std::result::Result<(String, Map), Managed>> {
        let mut refetch = false;
        if self.source_hash.truthy() || self.skip_verify || self.use_etag {
            let known = python_str(&cx.call("cp.is_cached", Args::positional([source, self.saltenv]))?);
            if !known.is_empty() {
                let form = source_sum.get_str("hash_type").unwrap_or("sha256").to_owned();
                let sum = of_file(&known, &form)?;
                if self.skip_verify {
                    sfn = known.into();
                    source_sum = map! {"hsum" => sum, "hash_type" => form};
                } else if self.use_etag || source_sum.get_str("hsum") != Some(&sum) {
                    refetch = true;
                } else {
                    sfn = known.into();
                }
            }
        }
        if !sfn.truthy() || refetch {
            let args = Args::positional([source, self.saltenv])
                .with("source_hash", source_sum.get("hsum").cloned().unwrap_or_default())
                .with("verify_ssl", self.verify_ssl.clone())
                .with("use_etag", self.use_etag);
            sfn = match cx.call("cp.cache_file", args) {
                Ok(path) => path,
                Err(CallError::Cancelled) => return Err(CallError::Cancelled),
                Err(e) => {
                    let text = format!("Failed to cache {}: {}", without_login(source), e.text());
                    return Ok(Err(Managed::failed(text)));
                }
            };
        }
        let Some(path) = sfn.as_str().filter(|path| !path.is_empty() && Path::new(path).exists()) else {
            let comment = format!("Source file '{}' not found", without_login(source));
            return Ok(Err(Managed { sfn, comment, ..Managed::default() }));
        };
        if path == self.name {
            return Err(CallError::invocation("Source file cannot be the same as destination"));
        }
        Ok(Ok((path.to_owned(), source_sum)))
    }

    fn rendered(&self, cx: &Cx, template: &str, source: &str, sfn: String) -> Result<Managed> {
        if let Some(comment) = refused(template) {
            return Ok(Managed { sfn: sfn.into(), comment, ..Managed::default() });
        }
        let bytes = std::fs::read(&sfn).map_err(|e| crate::hashutil::file_error(&e, &sfn))?;
        let text = match brine_python::decode_utf8(bytes) {
            Ok(text) => text,
            // What is no text is no template: it is taken as it is.
            Err(_) if is_binary(&sfn)? => {
                let source_sum = sum_of(&sfn)?;
                return Ok(Managed { sfn: sfn.into(), source_sum, ..Managed::default() });
            }
            Err(e) => return Err(brine_render::template::call_error(e)),
        };
        let mut vars = Map::new();
        vars.insert("name", self.name);
        vars.insert("source", source);
        for (name, value) in ["user", "group", "mode", "attrs"].into_iter().zip(self.looks) {
            vars.insert(name, value.clone());
        }
        for (name, value) in self.kwargs.iter().filter(|(name, _)| !python_str(name).starts_with("__")) {
            vars.insert(name.clone(), value.clone());
        }
        vars.update(context_of(self.context, self.defaults));
        match rendered(cx, &text, self.saltenv, &vars)? {
            Ok(text) => {
                let bytes = text.into_bytes();
                let sum = hex_digest("sha256", &bytes).unwrap_or_default();
                let source_sum = map! {"hash_type" => "sha256", "hsum" => sum};
                Ok(Managed { sfn: "".into(), rendered: Some(bytes), source_sum, comment: String::new() })
            }
            Err(trace) => Ok(Managed { sfn: sfn.into(), comment: trace, ..Managed::default() }),
        }
    }
}

/// Stock's guess whether a file is no text, by its first two KiB.
fn is_binary(path: &str) -> Result<bool> {
    use std::io::Read;
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, path);
    let mut start = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(2048).read_to_end(&mut start).map_err(failed)?;
    if start.contains(&0) {
        return Ok(true);
    }
    let plain = |byte: &u8| matches!(byte, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08);
    Ok(start.iter().filter(|byte| !plain(byte)).count() * 10 > start.len() * 3)
}

/// Bring the source of a file here and render it. Returns where it lies, its checksum, and why it cannot be had.
///
/// CLI Example: salt '*' file.get_managed /etc/httpd/conf.d/httpd.conf jinja salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' None root root '755' base None None
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn get_managed(
    cx: &Cx,
    name: String,
    template: Value,
    source: Value,
    source_hash: Value,
    source_hash_name: Value,
    user: Value,
    group: Value,
    mode: Value,
    attrs: Value,
    saltenv: String,
    context: Value,
    defaults: Value,
    #[default(false)] skip_verify: bool,
    #[default(true)] verify_ssl: Value,
    #[default(false)] use_etag: bool,
    kwargs: KwArgs,
) -> Result<Vec<Value>> {
    let managed = Wanted {
        name: &name,
        template: template.as_str(),
        source: source.as_str(),
        source_hash: &source_hash,
        source_hash_name: source_hash_name.as_str(),
        looks: [&user, &group, &mode, &attrs],
        saltenv: &saltenv,
        context: &context,
        defaults: &defaults,
        skip_verify,
        verify_ssl: &verify_ssl,
        use_etag,
        kwargs: &kwargs.0,
    }
    .fetch(cx)?;
    let Managed { mut sfn, rendered, mut source_sum, comment } = managed;
    if let Some(bytes) = rendered {
        if kwargs.0.contains(IN_MEMORY) {
            source_sum.insert(IN_MEMORY, Value::Bytes(bytes));
        } else {
            sfn = keep(&bytes)?.into();
        }
    }
    Ok(vec![sfn, source_sum.into(), comment.into()])
}

/// The word by which states say that rendered contents need not be written anywhere before they are in place, and under which
/// they find them beside the checksum.
pub(super) const IN_MEMORY: &str = "__contents";

/// Writes rendered contents to a temporary file, for callers that take its name.
fn keep(bytes: &[u8]) -> Result<String> {
    use std::io::Write;
    let mut file = tempfile::Builder::new().prefix("__salt.tmp.").tempfile()?;
    file.write_all(bytes)?;
    let (_, path) = file.keep().map_err(|e| CallError::from(e.error))?;
    Ok(path.to_string_lossy().into_owned())
}
