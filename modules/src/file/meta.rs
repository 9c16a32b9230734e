//! What would have to be changed of a file: contents, owner, mode, attributes, label.

use super::attributes::{Selinux, attributes_differ, label};
use super::diff::{clean_tmp, obfuscated, with_file};
use super::hash::of_file;
use super::perms::another;
use super::place::Contents;
use super::source::{Managed, Wanted, source_list};
use super::stat::of;
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::mode::normalize_mode;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_files::url::Url;

/// What a file is compared with.
pub(super) struct Compared<'a> {
    pub name: &'a str,
    /// Where its new contents lie, if they do.
    pub sfn: &'a str,
    pub rendered: Option<&'a [u8]>,
    pub source: Option<&'a str>,
    pub source_sum: &'a Map,
    pub user: &'a Value,
    pub group: &'a Value,
    pub mode: &'a Value,
    pub attrs: Option<&'a str>,
    pub saltenv: &'a str,
    pub contents: &'a Value,
    pub selinux: Selinux<'a>,
    pub verify_ssl: &'a Value,
    pub follow_symlinks: bool,
}

/// Contents as bytes.
pub(super) fn contents_bytes(contents: &Value) -> Vec<u8> {
    match contents {
        Value::Bytes(bytes) => bytes.clone(),
        other => python_str(other).into_bytes(),
    }
}

impl Compared<'_> {
    /// What would be changed.
    pub(super) fn changes(&self, cx: &Cx) -> Result<Map> {
        let name = self.name;
        let stat = match of(name, self.follow_symlinks) {
            Ok(stat) => stat,
            Err(e) if e.is_execution() => return Ok(map! {"newfile" => name}),
            Err(e) => return Err(e),
        };
        let mut changes = Map::new();
        let form = self.source_sum.get_str("hash_type").filter(|form| !form.is_empty());
        let sum = match form {
            Some(form) => Some(of_file(&brine_core::posixpath::expanduser(name), form)?),
            None => None,
        };
        if let Some(wanted) = self.source_sum.get_str("hsum")
            && Some(wanted) != sum.as_deref()
        {
            self.contents_differ(cx, wanted, &mut changes)?;
        }
        if !self.contents.is_nil() {
            let new = contents_bytes(self.contents);
            match with_file(cx, name, Contents::Bytes(&new), true, true) {
                Ok(Some(diff)) => {
                    changes.insert("diff", if obfuscated(cx) { "<Obfuscated Template>".into() } else { diff });
                }
                Ok(None) => {}
                Err(e) if e.is_execution() => {
                    tracing::error!("Failed to diff files: {e}");
                    changes.insert("diff", e.text());
                }
                Err(e) => return Err(e),
            }
        }
        if !self.user.is_nil() && another(self.user, &stat.user(), stat.uid()) {
            changes.insert("user", self.user.clone());
        }
        if !self.group.is_nil() && another(self.group, &stat.group(), stat.gid()) {
            changes.insert("group", self.group.clone());
        }
        if let Some(mode) = normalize_mode(self.mode).filter(|mode| *mode != stat.mode()) {
            changes.insert("mode", mode);
        }
        if let Some(attrs) = self.attrs.filter(|attrs| !attrs.is_empty())
            && attributes_differ(cx, name, attrs)?
        {
            changes.insert("attrs", attrs);
        }
        if self.selinux.any() {
            self.label_differs(cx, &mut changes)?;
        }
        Ok(changes)
    }

    fn contents_differ(&self, cx: &Cx, wanted: &str, changes: &mut Map) -> Result<()> {
        let mut sfn = self.sfn.to_owned();
        if let (None, true, Some(source)) = (self.rendered, sfn.is_empty(), self.source) {
            let args = Args::positional([source, self.saltenv])
                .with("source_hash", wanted)
                .with("verify_ssl", self.verify_ssl.clone());
            sfn = match cx.call("cp.cache_file", args)? {
                Value::Str(path) => path,
                _ => String::new(),
            };
        }
        let new = match self.rendered {
            Some(bytes) => Contents::Bytes(bytes),
            None if sfn.is_empty() => {
                changes.insert("sum", "Checksum differs");
                return Ok(());
            }
            None => Contents::File(&sfn),
        };
        let diff = match with_file(cx, self.name, new, true, true) {
            Ok(diff) => diff.unwrap_or_default(),
            Err(e) if e.is_execution() => e.text(),
            Err(e) => return Err(e),
        };
        changes.insert("diff", diff);
        Ok(())
    }

    fn label_differs(&self, cx: &Cx, changes: &mut Map) -> Result<()> {
        let Some(now) = label(cx, self.name)? else {
            tracing::error!("Unable to get current selinux attributes");
            // Stock stumbles over its own error here.
            return Err(brine_core::CallError::exception(
                "AttributeError",
                "'ValueError' object has no attribute 'strerror'",
            ));
        };
        for ((word, _, part), now) in self.selinux.parts().into_iter().zip(&now) {
            if let Some(part) = part.filter(|part| part != now) {
                changes.insert("selinux", map! {word.to_lowercase() => part});
            }
        }
        Ok(())
    }
}

/// What would have to be changed of a file, given where its new contents lie (`sfn`) or what they are (`contents`).
///
/// CLI Example: salt '*' file.check_file_meta /etc/httpd/conf.d/httpd.conf None salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root root '755' None base
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn check_file_meta(
    cx: &Cx,
    name: String,
    sfn: Value,
    source: Value,
    source_sum: Value,
    user: Value,
    group: Value,
    mode: Value,
    attrs: Option<String>,
    saltenv: String,
    #[default(Value::Nil)] contents: Value,
    seuser: Option<String>,
    serole: Option<String>,
    setype: Option<String>,
    serange: Option<String>,
    #[default(true)] verify_ssl: Value,
    #[default(false)] follow_symlinks: bool,
) -> Result<Map> {
    let sum = source_sum.as_map().cloned().unwrap_or_default();
    Compared {
        name: &name,
        sfn: sfn.as_str().unwrap_or_default(),
        rendered: None,
        source: source.as_str(),
        source_sum: &sum,
        user: &user,
        group: &group,
        mode: &mode,
        attrs: attrs.as_deref(),
        saltenv: &saltenv,
        contents: &contents,
        selinux: Selinux::of([&seuser, &serole, &setype, &serange]),
        verify_ssl: &verify_ssl,
        follow_symlinks,
    }
    .changes(cx)
}

/// What both checks are given.
struct Check<'a> {
    wanted: Wanted<'a>,
    contents: &'a Value,
    keep_mode: bool,
    selinux: Selinux<'a>,
    follow_symlinks: bool,
}

impl Check<'_> {
    /// The changes that there would be, or why that cannot be known.
    fn run(self, cx: &Cx, source: Value, source_hash: Value) -> Result<std::result::Result<Map, String>> {
        let found = source_list(cx, source, source_hash, self.wanted.saltenv.to_owned())?;
        let source = found.first().and_then(Value::as_str).map(str::to_owned);
        let hash = found.get(1).cloned().unwrap_or_default();
        let [user, group, mode, attrs] = self.wanted.looks;
        let wanted = Wanted { source: source.as_deref(), source_hash: &hash, ..self.wanted };
        let mut managed = Managed::default();
        let mut mode = mode.clone();
        if self.contents.is_nil() {
            managed = wanted.fetch(cx)?;
            if let Some(sum) = managed.source_sum.get_str("hsum").map(str::to_lowercase) {
                managed.source_sum.insert("hsum", sum);
            }
            if !managed.comment.is_empty() {
                return Ok(Err(managed.comment));
            }
            let here = managed.sfn.truthy() || managed.rendered.is_some();
            if let (Some(source), true, true) = (&source, here, self.keep_mode) {
                mode = kept_mode(cx, source, wanted.saltenv, &["salt", "file"]).unwrap_or(mode);
            }
        }
        let compared = Compared {
            name: wanted.name,
            sfn: managed.sfn.as_str().unwrap_or_default(),
            rendered: managed.rendered.as_deref(),
            source: source.as_deref(),
            source_sum: &managed.source_sum,
            user,
            group,
            mode: &mode,
            attrs: attrs.as_str(),
            saltenv: wanted.saltenv,
            contents: self.contents,
            selinux: self.selinux,
            verify_ssl: wanted.verify_ssl,
            follow_symlinks: self.follow_symlinks,
        };
        let changes = compared.changes(cx)?;
        if let Some(sfn) = managed.sfn.as_str() {
            clean_tmp(cx, sfn)?;
        }
        Ok(Ok(changes))
    }
}

/// The mode of a source, for a file that is to have the same; `None` where that cannot be said.
pub(super) fn kept_mode(cx: &Cx, source: &str, saltenv: &str, schemes: &[&str]) -> Option<Value> {
    let scheme = Url::parse(source, true).scheme;
    if !schemes.contains(&scheme.as_str()) && !source.starts_with('/') {
        return None;
    }
    let args = Args::positional([source]).with("saltenv", saltenv).with("octal", true);
    match cx.call("cp.stat_file", args) {
        Ok(mode) => Some(mode),
        Err(e) => {
            tracing::warn!("Unable to stat {source}: {e}");
            None
        }
    }
}

/// What would have to be changed of a file, as text, with the result that a state has in test mode.
///
/// CLI Example: salt '*' file.check_managed /etc/httpd/conf.d/httpd.conf salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root, root, '755' jinja True None None base
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn check_managed(
    cx: &Cx,
    name: String,
    source: Value,
    source_hash: Value,
    source_hash_name: Value,
    user: Value,
    group: Value,
    mode: Value,
    attrs: Value,
    template: Value,
    context: Value,
    defaults: Value,
    saltenv: String,
    #[default(Value::Nil)] contents: Value,
    #[default(false)] skip_verify: bool,
    seuser: Option<String>,
    serole: Option<String>,
    setype: Option<String>,
    serange: Option<String>,
    #[default(false)] follow_symlinks: bool,
    kwargs: KwArgs,
) -> Result<Vec<Value>> {
    let yes = Value::Bool(true);
    let check = Check {
        wanted: Wanted {
            name: &name,
            template: template.as_str(),
            source: None,
            source_hash: &Value::Nil,
            source_hash_name: source_hash_name.as_str(),
            looks: [&user, &group, &mode, &attrs],
            saltenv: &saltenv,
            context: &context,
            defaults: &defaults,
            skip_verify,
            verify_ssl: &yes,
            use_etag: false,
            kwargs: &kwargs.0,
        },
        contents: &contents,
        keep_mode: false,
        selinux: Selinux::of([&seuser, &serole, &setype, &serange]),
        follow_symlinks,
    };
    let mut changes = match check.run(cx, source, source_hash)? {
        Ok(changes) => changes,
        Err(comment) => return Ok(vec![false.into(), comment.into()]),
    };
    // What lies among temporary files may belong to anybody.
    if name.starts_with(&*std::env::temp_dir().to_string_lossy()) {
        changes.retain(|key, _| !matches!(key.as_str(), Some("user" | "group" | "mode")));
    }
    if changes.is_empty() {
        return Ok(vec![true.into(), format!("The file {name} is in the correct state").into()]);
    }
    let lines = changes.iter().map(|(key, value)| format!("{}: {}\n", python_str(key), python_str(value)));
    let text: String = std::iter::once("The following values are set to be changed:\n".to_owned()).chain(lines).collect();
    Ok(vec![Value::Nil, text.into()])
}

/// What would have to be changed of a file; a list of `False` and a text where that cannot be known.
///
/// CLI Example: salt '*' file.check_managed_changes /etc/httpd/conf.d/httpd.conf salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root, root, '755' jinja True None None base
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn check_managed_changes(
    cx: &Cx,
    name: String,
    source: Value,
    source_hash: Value,
    source_hash_name: Value,
    user: Value,
    group: Value,
    mode: Value,
    attrs: Value,
    template: Value,
    context: Value,
    defaults: Value,
    saltenv: String,
    #[default(Value::Nil)] contents: Value,
    #[default(false)] skip_verify: bool,
    #[default(false)] keep_mode: bool,
    seuser: Option<String>,
    serole: Option<String>,
    setype: Option<String>,
    serange: Option<String>,
    #[default(true)] verify_ssl: Value,
    #[default(false)] follow_symlinks: bool,
    kwargs: KwArgs,
) -> Result {
    let check = Check {
        wanted: Wanted {
            name: &name,
            template: template.as_str(),
            source: None,
            source_hash: &Value::Nil,
            source_hash_name: source_hash_name.as_str(),
            looks: [&user, &group, &mode, &attrs],
            saltenv: &saltenv,
            context: &context,
            defaults: &defaults,
            skip_verify,
            verify_ssl: &verify_ssl,
            use_etag: false,
            kwargs: &kwargs.0,
        },
        contents: &contents,
        keep_mode,
        selinux: Selinux::of([&seuser, &serole, &setype, &serange]),
        follow_symlinks,
    };
    Ok(match check.run(cx, source, source_hash)? {
        Ok(changes) => changes.into(),
        Err(comment) => vec![Value::Bool(false), comment.into()].into(),
    })
}
