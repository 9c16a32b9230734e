//! A file managed: new contents put in its place where they differ, then owner, mode, attributes and label.

use super::attributes::Selinux;
use super::diff::{clean_tmp, obfuscated, with_file};
use super::dirs::makedirs;
use super::hash::of_file;
use super::meta::{contents_bytes, kept_mode};
use super::nodes::touched;
use super::perms::{Perms, change};
use super::place::{Contents, install, new_file_mode};
use super::source::IN_MEMORY;
use crate::python::path::{dirname, expanduser, realpath};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::mode::{normalize_mode, passable};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_files::url::Url;
use brine_python::Obj;
use brine_render::template::call_error;
use std::path::Path;

/// A result so far: the state's, which is changed on the way.
type Ret = Map;

fn failed(mut ret: Ret, comment: impl Into<String>) -> Ret {
    ret.insert("result", false);
    ret.insert("comment", comment.into());
    ret
}

fn has_changes(ret: &Ret) -> bool {
    ret.get("changes").is_some_and(Value::truthy)
}

/// What is asked for.
struct Job<'a> {
    cx: &'a Cx,
    name: String,
    source: Option<&'a str>,
    sfn: String,
    rendered: Option<Vec<u8>>,
    source_sum: Map,
    user: &'a Value,
    group: &'a Value,
    mode: Value,
    attrs: Option<&'a str>,
    saltenv: &'a str,
    backup: String,
    makedirs: bool,
    show_changes: bool,
    /// Contents as they will be in the file.
    contents: Option<Vec<u8>>,
    dir_mode: Value,
    follow_symlinks: bool,
    selinux: Selinux<'a>,
    verify_ssl: &'a Value,
    use_etag: bool,
    check_web: bool,
}

/// Either what a step was for, or the state's result: it has failed.
type Step<T> = Result<std::result::Result<T, Ret>>;

impl Job<'_> {
    fn hash_type(&self) -> &str {
        self.source_sum.get_str("hash_type").unwrap_or_else(|| match self.cx.opts.str("hash_type") {
            "" => "sha256",
            form => form,
        })
    }

    /// Where the new contents are.
    fn new_contents(&self) -> Contents<'_> {
        match &self.rendered {
            Some(bytes) => Contents::Bytes(bytes),
            None => Contents::File(&self.sfn),
        }
    }

    /// Brings the source here if it is not.
    fn fetch(&mut self, use_etag: bool) -> Result<bool> {
        if self.rendered.is_none() && self.sfn.is_empty() {
            let mut args = Args::positional([self.source.unwrap_or_default(), self.saltenv])
                .with("verify_ssl", self.verify_ssl.clone());
            if use_etag {
                args = args.with("use_etag", self.use_etag);
            }
            if let Value::Str(path) = self.cx.call("cp.cache_file", args)? {
                self.sfn = path;
            }
        }
        Ok(self.rendered.is_some() || !self.sfn.is_empty())
    }

    fn not_found(&self, ret: Ret) -> Ret {
        failed(ret, format!("Source file '{}' not found", self.source.unwrap_or("None")))
    }

    /// What came from elsewhere must have the checksum that was given.
    fn verify(&self, name: &str, hint: bool) -> Result<Option<String>> {
        // What was rendered here was checked before.
        if !self.check_web || self.rendered.is_some() {
            return Ok(None);
        }
        let key = |key: &'static str| {
            let value = self.source_sum.get_str(key);
            value.ok_or_else(|| CallError::exception("KeyError", format!("'{key}'")))
        };
        let (form, wanted) = (key("hash_type")?, key("hsum")?);
        let sum = of_file(&self.sfn, form)?;
        if sum == wanted {
            return Ok(None);
        }
        let mut text = format!(
            "Specified {form} checksum for {name} ({wanted}) does not match actual checksum ({sum})"
        );
        if hint {
            text.push_str(
                ". If the 'source_hash' value refers to a remote file with multiple possible matches, then it may be \
                 necessary to set 'source_hash_name'.",
            );
        }
        Ok(Some(text))
    }

    fn perms(&self, ret: Ret, mode: &Value, follow_symlinks: bool) -> Result<Ret> {
        let perms = Perms {
            user: self.user,
            group: self.group,
            mode: normalize_mode(mode),
            attrs: self.attrs,
            follow_symlinks,
            selinux: self.selinux,
        };
        perms.see_to(self.cx, &self.name, Some(ret)).map(|(ret, _)| ret)
    }

    /// Puts new contents in place; what the system refuses is the state's failure.
    fn commit(&self, contents: Contents<'_>, dest: &str, ret: Ret) -> Step<Ret> {
        match install(self.cx, contents, dest, &self.backup, 0o600) {
            Ok(()) => Ok(Ok(ret)),
            Err(e) if e.is_os_error() => Ok(Err(failed(ret, format!("Failed to commit change: {}", e.text())))),
            Err(e) => Err(e),
        }
    }

    /// The file is there, or a link with its name.
    fn existing(&mut self, mut ret: Ret) -> Result<Ret> {
        let is_link = Path::new(&self.name).is_symlink();
        let real = if is_link && self.follow_symlinks { realpath(&self.name) } else { self.name.clone() };
        if self.source.is_some() {
            let plain = self.follow_symlinks || !is_link;
            let sum = if plain { Some(of_file(&real, self.hash_type())?) } else { None };
            if sum.is_none() || sum.as_deref() != self.source_sum.get_str("hsum") {
                ret = match self.replace(&real, ret)? {
                    Ok(ret) => ret,
                    Err(ret) => return Ok(ret),
                };
            }
        }
        if let Some(contents) = &self.contents {
            let new = Contents::Bytes(contents);
            let diff = match with_file(self.cx, &real, new, self.show_changes, true) {
                Ok(diff) => diff,
                Err(e) if e.is_execution() => {
                    let text = format!("Failed to detect changes to file: {}", e.text());
                    let warnings = ret.entry_or("warnings", || Value::List(Vec::new()));
                    if let Value::List(warnings) = warnings {
                        warnings.push(text.into());
                    }
                    None
                }
                Err(e) => return Err(e),
            };
            if let Some(diff) = diff {
                change(&mut ret, "diff", diff);
                ret = match self.commit(new, &real, ret)? {
                    Ok(ret) => ret,
                    Err(ret) => return Ok(ret),
                };
            }
        }
        if Path::new(&self.name).is_symlink() && !self.follow_symlinks {
            if !self.fetch(false)? {
                return Ok(self.not_found(ret));
            }
            if let Some(text) = self.verify(&self.name, false)? {
                return Ok(failed(ret, text));
            }
            ret = match self.commit(self.new_contents(), &self.name, ret)? {
                Ok(ret) => ret,
                Err(ret) => return Ok(ret),
            };
            change(&mut ret, "diff", "Replace symbolic link with regular file");
        }
        let mode = self.mode.clone();
        let mut ret = self.perms(ret, &mode, self.follow_symlinks)?;
        if has_changes(&ret) {
            ret.insert("comment", format!("File {} updated", self.name));
        } else if ret.get("result").is_some_and(Value::truthy) {
            ret.insert("comment", format!("File {} is in the correct state", self.name));
        }
        Ok(ret)
    }

    /// The contents of the source, in place of others.
    fn replace(&mut self, real: &str, mut ret: Ret) -> Step<Ret> {
        if !self.fetch(true)? {
            return Ok(Err(self.not_found(ret)));
        }
        if let Some(text) = self.verify(self.source.unwrap_or_default(), true)? {
            return Ok(Err(failed(ret, text)));
        }
        if obfuscated(self.cx) {
            change(&mut ret, "diff", "<Obfuscated Template>");
        } else if !self.show_changes {
            change(&mut ret, "diff", "<show_changes=False>");
        } else {
            match with_file(self.cx, real, self.new_contents(), true, false) {
                Ok(Some(diff)) => change(&mut ret, "diff", diff),
                Ok(None) => {}
                Err(e) if e.is_execution() => change(&mut ret, "diff", e.text()),
                Err(e) => return Err(e),
            }
        }
        self.commit(self.new_contents(), real, ret)
    }

    /// The directories above a new file: whoever may read the file may go through them.
    fn make_folder(&self, mut ret: Ret) -> Step<Ret> {
        if Path::new(dirname(&self.name)).is_dir() {
            return Ok(Ok(ret));
        }
        if !self.makedirs {
            if let Some(changes) = ret.get_mut("changes").and_then(Value::as_map_mut) {
                changes.remove("diff");
            }
            return Ok(Err(failed(ret, "Parent directory not present")));
        }
        let mode = match (&self.dir_mode, &self.mode) {
            (Value::Nil, mode) if !mode.is_nil() => passable(&python_str(mode)).into(),
            (mode, _) => mode.clone(),
        };
        makedirs(self.cx, self.name.clone(), self.user.clone(), self.group.clone(), mode)?;
        Ok(Ok(ret))
    }

    /// The file is not there.
    fn fresh(&mut self, mut ret: Ret) -> Result<Ret> {
        let cx = self.cx;
        if self.source.is_some() {
            if !self.fetch(false)? {
                return Ok(self.not_found(ret));
            }
            if let Some(text) = self.verify(&self.name, false)? {
                return Ok(failed(ret, text));
            }
            change(&mut ret, "diff", "New file");
        }
        ret = match self.make_folder(ret)? {
            Ok(ret) => ret,
            Err(ret) => return Ok(ret),
        };
        // Only for its owner until it has its mode, if it is to have one.
        let first = if self.source.is_some() || self.mode.truthy() { 0o600 } else { 0o666 };
        let there = Path::new(&self.name).exists();
        if self.source.is_none() && !cx.test {
            if self.contents.is_some() {
                if there {
                    touched(&self.name, &Value::Nil, &Value::Nil, first)?;
                }
                change(&mut ret, "diff", "New file");
            } else {
                touched(&self.name, &Value::Nil, &Value::Nil, first)?;
                change(&mut ret, "new", format!("file {} created", self.name));
                ret.insert("comment", "Empty file");
            }
        }
        let new = match &self.contents {
            Some(contents) => Some(Contents::Bytes(contents)),
            None if self.rendered.is_some() || !self.sfn.is_empty() => Some(self.new_contents()),
            None => None,
        };
        if let Some(new) = new {
            install(cx, new, &self.name, &self.backup, first).map_err(|e| match e {
                // Stock makes the file first, and says less of what it was refused.
                CallError::Exception { kind: "PermissionError", message } if self.source.is_none() => {
                    let text = message.split(": ").next().unwrap_or_default();
                    CallError::execution(text.split("] ").nth(1).unwrap_or(text))
                }
                other => other,
            })?;
        }
        let mode = match &self.mode {
            Value::Nil => format!("{:04o}", new_file_mode()).into(),
            mode => mode.clone(),
        };
        let mut ret = self.perms(ret, &mode, false)?;
        if !ret.get("comment").is_some_and(Value::truthy) {
            ret.insert("comment", format!("File {} updated", self.name));
        }
        if cx.test {
            ret.insert("comment", format!("File {} not updated", self.name));
        } else if !has_changes(&ret) && ret.get("result").is_some_and(Value::truthy) {
            ret.insert("comment", format!("File {} is in the correct state", self.name));
        }
        Ok(ret)
    }
}

/// Text in an encoding other than UTF-8.
fn encode(contents: &Value, encoding: Option<&str>, errors: &str) -> Result<Vec<u8>> {
    match (encoding.filter(|name| !name.is_empty()), contents) {
        (Some(encoding), Value::Str(text)) => {
            let args = brine_python::Args { pos: vec![Obj::str(encoding), Obj::str(errors)], ..Default::default() };
            let bytes = brine_python::call_method(&Obj::str(text.as_str()), "encode", &args);
            let bytes = bytes.and_then(|bytes| brine_python::to_value(&bytes)).map_err(call_error)?;
            Ok(contents_bytes(&bytes))
        }
        _ => Ok(contents_bytes(contents)),
    }
}

/// Put contents in the place of a file (`sfn`, or what `source` names, or `contents`), and see to its owner, mode and
/// attributes. Returns the result of a state.
///
/// CLI Example: salt '*' file.manage_file /etc/httpd/conf.d/httpd.conf '' '{}' salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root root '755' '' base ''
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn manage_file(
    cx: &Cx,
    name: String,
    sfn: Value,
    ret: Value,
    source: Value,
    source_sum: Value,
    user: Value,
    group: Value,
    mode: Value,
    attrs: Option<String>,
    saltenv: String,
    backup: Value,
    #[default(false)] makedirs: bool,
    #[default(Value::Nil)] template: Value,
    #[default(true)] show_changes: bool,
    #[default(Value::Nil)] contents: Value,
    #[default(Value::Nil)] dir_mode: Value,
    #[default(true)] follow_symlinks: bool,
    #[default(false)] skip_verify: bool,
    #[default(false)] keep_mode: bool,
    encoding: Option<String>,
    #[default("strict")] encoding_errors: String,
    seuser: Option<String>,
    serole: Option<String>,
    setype: Option<String>,
    serange: Option<String>,
    #[default(true)] verify_ssl: Value,
    #[default(false)] use_etag: bool,
    kwargs: KwArgs,
) -> Result<Map> {
    // It was rendered when it was fetched; the rest counts on other systems.
    let _unread = (template, kwargs);
    let name = expanduser(&name);
    let mut ret = match ret {
        Value::Map(ret) if !ret.is_empty() => ret,
        _ => map! {"name" => name.clone(), "changes" => Map::new(), "comment" => "", "result" => true},
    };
    let mut sum = source_sum.as_map().cloned().unwrap_or_default();
    if let Some(lower) = sum.get_str("hsum").map(str::to_lowercase) {
        sum.insert("hsum", lower);
    }
    let rendered = sum.remove(IN_MEMORY).and_then(Value::into_bytes);
    let source = source.as_str().filter(|source| !source.is_empty());
    let backup = cx.call("config.backup_mode", Args::positional([backup]))?;
    let web = source.is_some_and(|source| Url::parse(source, true).scheme != "salt");
    let mut job = Job {
        cx,
        name,
        source,
        sfn: sfn.as_str().unwrap_or_default().to_owned(),
        rendered,
        source_sum: sum,
        user: &user,
        group: &group,
        mode,
        attrs: attrs.as_deref(),
        saltenv: &saltenv,
        backup: python_str(&backup),
        makedirs,
        show_changes,
        contents: None,
        dir_mode,
        follow_symlinks,
        selinux: Selinux::of([&seuser, &serole, &setype, &serange]),
        verify_ssl: &verify_ssl,
        use_etag,
        check_web: web && !skip_verify && !use_etag,
    };
    if !contents.is_nil() {
        job.contents = Some(encode(&contents, encoding.as_deref(), &encoding_errors)?);
    }
    if let Some(source) = source {
        // What a tree says of a file is the checksum of what it would give.
        let known = job.source_sum.contains("hsum") && source.starts_with("salt://");
        if job.rendered.is_none() && job.sfn.is_empty() && !known {
            if !job.fetch(false)? {
                return Ok(job.not_found(ret));
            }
            let form = job.hash_type().to_owned();
            job.source_sum = map! {"hsum" => of_file(&job.sfn, &form)?, "hash_type" => form};
        }
        if keep_mode && let Some(mode) = kept_mode(cx, source, &saltenv, &["salt", "file", ""]) {
            job.mode = mode;
        }
    }
    let path = Path::new(&job.name);
    ret = if path.is_file() || path.is_symlink() { job.existing(ret)? } else { job.fresh(ret)? };
    if !job.sfn.is_empty() {
        clean_tmp(cx, &job.sfn)?;
    }
    Ok(ret)
}
