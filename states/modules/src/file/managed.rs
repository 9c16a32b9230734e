//! `file.managed`: contents, owner and mode of a file.

use super::common::{accumulated, check_user, error, owner, pair, warn_of_hash};
use super::contents::{Given, given};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::mode::normalize_mode;
use brine_core::posixpath::expanduser;
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// A result as execution functions take and give it.
pub(super) fn fresh(name: &str) -> Map {
    map! {"changes" => Map::new(), "comment" => "", "name" => name, "result" => true}
}

/// What an execution function returned as a result of a state.
pub(crate) fn outcome(ret: Value, name: &str) -> Outcome {
    let Value::Map(mut ret) = ret else { return Outcome::new(name) };
    Outcome {
        name: ret.remove("name").unwrap_or_else(|| name.into()),
        changes: match ret.remove("changes") {
            Some(Value::Map(changes)) => changes,
            _ => Map::new(),
        },
        result: match ret.remove("result") {
            Some(Value::Nil) => None,
            result => Some(result.is_some_and(|result| result.truthy())),
        },
        comment: ret.remove("comment").unwrap_or_default(),
        more: ret,
    }
}

/// The scheme of a URL.
pub(super) fn scheme(url: &str) -> String {
    match url.split_once(':') {
        Some((scheme, _))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            scheme.to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

/// What `file.managed` was told, without what contents were made of.
struct Managed<'a> {
    name: &'a str,
    source: Value,
    source_hash: Value,
    source_hash_name: Value,
    keep_source: bool,
    user: Value,
    group: Value,
    mode: Value,
    keep_mode: bool,
    attrs: Value,
    template: Value,
    context: Value,
    defaults: Value,
    contents: Value,
    skip_verify: bool,
    verify_ssl: Value,
    use_etag: bool,
    follow_symlinks: bool,
    show_changes: bool,
    selinux: Map,
    saltenv: String,
    /// What only `file.manage_file` takes.
    more: Map,
    kwargs: Map,
}

impl Managed<'_> {
    fn with_selinux(&self, mut args: Args) -> Args {
        for key in ["seuser", "serole", "setype", "serange"] {
            if let Some(value) = self.selinux.get(key).filter(|value| value.truthy()) {
                args = args.with(key, value.clone());
            }
        }
        args
    }

    /// The arguments that `file.check_managed_changes` and `file.get_managed` begin alike with.
    fn with_source(&self, args: Args) -> Args {
        let mut args = args
            .with("name", self.name)
            .with("source", self.source.clone())
            .with("source_hash", self.source_hash.clone())
            .with("source_hash_name", self.source_hash_name.clone())
            .with("user", self.user.clone())
            .with("group", self.group.clone())
            .with("mode", self.mode.clone())
            .with("attrs", self.attrs.clone())
            .with("template", self.template.clone())
            .with("context", self.context.clone())
            .with("defaults", self.defaults.clone())
            .with("saltenv", self.saltenv.as_str())
            .with("skip_verify", self.skip_verify)
            .with("verify_ssl", self.verify_ssl.clone());
        for (key, value) in &self.kwargs {
            args.keyword.insert(key.clone(), value.clone());
        }
        args
    }

    /// The checksum of a file from elsewhere, known early: where it fits, its contents are not looked at again.
    fn fits_already(&mut self, cx: &Cx) -> Result<bool> {
        let checked = || -> Result<(Value, Value, bool)> {
            let args = Args::positional([
                self.source.clone(), self.source_hash.clone(), self.saltenv.as_str().into(),
            ]);
            let (source, hash) = pair(cx.call("file.source_list", args)?);
            let url = source.as_str().unwrap_or_default();
            let elsewhere = !matches!(scheme(url).as_str(), "salt" | "file") && !url.starts_with('/');
            if !(source.truthy() && hash.truthy() && elsewhere) {
                return Ok((source, hash, false));
            }
            let args = Args::positional([
                self.name.into(), source.clone(), hash.clone(), self.source_hash_name.clone(), self.saltenv.as_str().into(),
            ]);
            let sum = cx.call("file.get_source_sum", args.with("verify_ssl", self.verify_ssl.clone()))?;
            let form = sum.get("hash_type").cloned().unwrap_or_default();
            let here = cx.call("file.get_hash", Args::positional([self.name.into(), form]))?;
            let fits = sum.get("hsum") == Some(&here);
            Ok((source, hash, fits))
        };
        match checked() {
            Ok((source, hash, fits)) => {
                (self.source, self.source_hash) = (source, hash);
                Ok(fits)
            }
            Err(e) if e.is_execution() || e.is_os_error() => {
                tracing::error!("Failed checking existing file's hash against specified source_hash: {e}");
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// The file stays as it is; owner and mode are seen to.
    fn only_perms(&self, cx: &Cx, ret: Map) -> Result<Outcome> {
        let args = Args::positional([
            self.name.into(), ret.into(), self.user.clone(), self.group.clone(), self.mode.clone(), self.attrs.clone(),
            self.follow_symlinks.into(),
        ]);
        let (ret, perms) = pair(cx.call("file.check_perms", self.with_selinux(args))?);
        let mut ret = outcome(ret, self.name);
        if cx.test {
            let now = perms.get("lmode").filter(|now| self.mode.truthy() && **now != self.mode);
            ret.comment = match now {
                Some(now) => format!(
                    "File {} will be updated with permissions {} from its current state of {}",
                    self.name,
                    python_str(&self.mode),
                    python_str(now)
                ),
                None => format!("File {} not updated", self.name),
            }
            .into();
        } else if ret.changes.is_empty() && ret.result == Some(true) {
            ret.comment =
                format!("File {} exists with proper permissions. No changes made.", self.name).into();
        }
        Ok(ret)
    }

    /// What would be changed.
    fn test(&self, cx: &Cx, ret: Map) -> Result<Outcome> {
        let args = self
            .with_source(Args::none())
            .with("contents", self.contents.clone())
            .with("keep_mode", self.keep_mode)
            .with("follow_symlinks", self.follow_symlinks);
        let changes = cx.call("file.check_managed_changes", self.with_selinux(args))?;
        let mut ret = outcome(ret.into(), self.name);
        match changes {
            Value::List(_) => {
                let (result, comment) = pair(changes);
                ret.result = (!result.is_nil()).then(|| result.truthy());
                ret.comment = comment;
            }
            Value::Map(mut changes) if !changes.is_empty() => {
                ret.result = None;
                ret.comment = format!(
                    "The file {} is set to be changed\nNote: No changes made, actual changes may\nbe different due to other \
                     states.",
                    self.name
                )
                .into();
                if changes.contains("diff") && !self.show_changes {
                    changes.insert("diff", "<show_changes=False>");
                }
                ret.changes = changes;
            }
            _ => ret.comment = format!("The file {} is in the correct state", self.name).into(),
        }
        Ok(ret)
    }

    fn manage(&self, cx: &Cx, dest: &str, sfn: &Value, sum: &Value, ret: Map) -> Result<Value> {
        let mut args = Args::positional([
            dest.into(), sfn.clone(), ret.into(), self.source.clone(), sum.clone(), self.user.clone(), self.group.clone(),
            self.mode.clone(), self.attrs.clone(), self.saltenv.as_str().into(),
        ])
        .with("template", self.template.clone())
        .with("show_changes", self.show_changes)
        .with("contents", self.contents.clone())
        .with("follow_symlinks", self.follow_symlinks)
        .with("skip_verify", self.skip_verify)
        .with("keep_mode", self.keep_mode)
        .with("use_etag", self.use_etag);
        for (key, value) in self.more.iter().chain(&self.kwargs) {
            args.keyword.insert(key.clone(), value.clone());
        }
        cx.call("file.manage_file", self.with_selinux(args))
    }

    /// Removes the source from the cache where it is not to be kept.
    fn drop_source(&self, cx: &Cx, sfn: &Value) {
        if self.keep_source {
            return;
        }
        let source = self.source.as_str().unwrap_or_default();
        let mut sfn = python_str(sfn);
        if sfn.is_empty() && scheme(source) == "salt" {
            let known = cx.call("cp.is_cached", Args::positional([source, &self.saltenv]));
            sfn = known.map(|known| python_str(&known)).unwrap_or_default();
        }
        if !sfn.is_empty() && let Err(e) = std::fs::remove_file(&sfn) {
            tracing::debug!("{sfn}: {e}");
        }
    }

    /// Brings the source and puts it in place, after `check_cmd` has seen it.
    fn apply(mut self, cx: &Cx, ret: Map, check: Option<&Check>) -> Result<Outcome> {
        let name = self.name;
        let unable = |e: &CallError| error(name, format!("Unable to manage file: {}", e.text()));
        let args = Args::positional([
            self.source.clone(), self.source_hash.clone(), self.saltenv.as_str().into(),
        ]);
        if matches!(self.source, Value::List(_)) {
            match cx.call("file.source_list", args) {
                Ok(found) => (self.source, self.source_hash) = pair(found),
                Err(e) if e.is_execution() => {
                    let failed = Outcome { more: ret_more(&ret), ..unable(&e) };
                    return Ok(failed);
                }
                Err(e) => return Err(e),
            }
        }
        let more = ret_more(&ret);
        let failed = |e: CallError| match e {
            CallError::Cancelled => Err(CallError::Cancelled),
            e => Ok(Outcome { more: more.clone(), ..unable(&e) }),
        };
        let args = self.with_source(Args::none()).with("use_etag", self.use_etag).with("__contents", true);
        let found = match cx.call("file.get_managed", args) {
            Ok(Value::List(found)) => found,
            Ok(other) => vec![other],
            Err(e) => return failed(e),
        };
        let at = |at: usize| found.get(at).cloned().unwrap_or_default();
        let (mut sfn, mut sum, comment) = (at(0), at(1), python_str(&at(2)));
        let mut ret = ret;
        let mut checked = None;
        if let Some(check) = check {
            match check.run(cx, &self, &sfn, &sum)? {
                Checked::Fits(temporary) => {
                    if let Some(temporary) = temporary {
                        sfn = temporary.path().to_string_lossy().into_owned().into();
                        if let Some(sum) = sum.as_map_mut() {
                            sum.remove("__contents");
                        }
                        checked = Some(temporary);
                    }
                    ret = fresh(name);
                }
                Checked::Failed(outcome) => return Ok(*outcome),
            }
        }
        if !comment.is_empty() && self.contents.is_nil() {
            return Ok(Outcome { more, ..error(name, format!("Unable to manage file: {comment}")) });
        }
        let done = self.manage(cx, name, &sfn, &sum, ret);
        let original = if checked.is_some() { at(0) } else { sfn };
        drop(checked);
        self.drop_source(cx, &original);
        match done {
            Ok(ret) => Ok(outcome(ret, name)),
            Err(e) => failed(e),
        }
    }
}

/// What a result holds beside the four keys.
fn ret_more(ret: &Map) -> Map {
    let mut more = ret.clone();
    more.retain(|key, _| !matches!(key.as_str(), Some("name" | "changes" | "comment" | "result")));
    more
}

/// A command that must be content with a file before it is put in place.
struct Check {
    command: String,
    dir: String,
    suffix: String,
}

/// What came of it.
enum Checked {
    /// The new file, if it is another than the one that is there.
    Fits(Option<tempfile::NamedTempFile>),
    Failed(Box<Outcome>),
}

impl Check {
    fn run(&self, cx: &Cx, managed: &Managed<'_>, sfn: &Value, sum: &Value) -> Result<Checked> {
        let name = managed.name;
        let dir = if self.dir.is_empty() { std::env::temp_dir() } else { self.dir.clone().into() };
        let temporary = tempfile::Builder::new().prefix("__salt.tmp.").suffix(&self.suffix).tempfile_in(&dir);
        let temporary = temporary?;
        let path = temporary.path().to_string_lossy().into_owned();
        let stop = |text: String| Ok(Checked::Failed(Box::new(error(name, text))));
        if cx.call("file.file_exists", Args::positional([name]))?.truthy()
            && let Err(e) = cx.call("file.copy", Args::positional([name, &path]))
        {
            return stop(format!("Unable to copy file {name} to {path}: {}", e.text()));
        }
        let ret = match managed.manage(cx, &path, sfn, sum, fresh(name)) {
            Ok(ret) => outcome(ret, name),
            Err(CallError::Cancelled) => return Err(CallError::Cancelled),
            Err(e) => {
                managed.drop_source(cx, sfn);
                return stop(format!("Unable to check_cmd file: {}", e.text()));
            }
        };
        if ret.changes.is_empty() {
            return Ok(Checked::Fits(None));
        }
        let mut options = Map::new();
        if let Some(shell) = cx.grains.get("shell") {
            options.insert("shell", shell.clone());
        }
        match run_check(cx, &self.command, &path, options)? {
            None => Ok(Checked::Fits(Some(temporary))),
            Some(failed) => {
                let mut ret = fresh(name);
                ret.update(failed);
                Ok(Checked::Failed(Box::new(outcome(ret.into(), name))))
            }
        }
    }
}

/// Runs a command with a file behind it; what it says where it fails, as parts of a result.
fn run_check(cx: &Cx, command: &str, file: &str, options: Map) -> Result<Option<Map>> {
    let mut args = Args::positional([format!("{command} {file}")]);
    args.keyword = options;
    let said = cx.call("cmd.run_all", args)?;
    if said.get("retcode").and_then(Value::as_int) == Some(0) {
        return Ok(None);
    }
    let mut comment = "check_cmd execution failed".to_owned();
    for key in ["stdout", "stderr"] {
        if let Some(text) = said.get(key).filter(|text| text.truthy()) {
            comment.push('\n');
            comment.push_str(&python_str(text));
        }
    }
    Ok(Some(map! {"comment" => comment, "skip_watch" => true, "result" => false}))
}

/// Run a command with a file behind it, as `check_cmd` of states does. `True` where it succeeds.
///
/// cmd: the command
#[exec]
pub(super) fn mod_run_check_cmd(
    cx: &Cx,
    cmd: String,
    filename: String,
    check_cmd_opts: KwArgs,
) -> Result {
    Ok(run_check(cx, &cmd, &filename, check_cmd_opts.clean())?.map_or(Value::Bool(true), Value::from))
}

/// See to it that a file has these contents, owner and mode. Contents are a source (`salt://`, a path, a URL; or a list, of
/// which the first one there counts), or given as text, or in pillar or grains; all may be templates.
///
/// name: the file
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn managed(
    cx: &Cx,
    name: String,
    #[default(Value::Nil)] source: Value,
    #[default("")] source_hash: Value,
    #[default(Value::Nil)] source_hash_name: Value,
    #[default(true)] keep_source: bool,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] mode: Value,
    #[default(Value::Nil)] attrs: Value,
    #[default(Value::Nil)] template: Value,
    #[default(false)] makedirs: bool,
    #[default(Value::Nil)] dir_mode: Value,
    #[default(Value::Nil)] context: Value,
    #[default(true)] replace: bool,
    #[default(Value::Nil)] defaults: Value,
    #[default("")] backup: Value,
    #[default(true)] show_changes: bool,
    #[default(true)] create: bool,
    #[default(Value::Nil)] contents: Value,
    #[default("")] tmp_dir: String,
    #[default("")] tmp_ext: String,
    #[default(Value::Nil)] contents_pillar: Value,
    #[default(Value::Nil)] contents_grains: Value,
    #[default(true)] contents_newline: bool,
    #[default(":")] contents_delimiter: Value,
    #[default(Value::Nil)] encoding: Value,
    #[default("strict")] encoding_errors: Value,
    #[default(true)] allow_empty: bool,
    #[default(true)] follow_symlinks: bool,
    #[default(Value::Nil)] check_cmd: Value,
    #[default(false)] skip_verify: bool,
    #[default(Value::Nil)] selinux: Value,
    #[default(Value::Nil)] win_owner: Value,
    #[default(Value::Nil)] win_perms: Value,
    #[default(Value::Nil)] win_deny_perms: Value,
    #[default(true)] win_inheritance: Value,
    #[default(false)] win_perms_reset: Value,
    #[default(true)] verify_ssl: Value,
    #[default(false)] use_etag: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    // These count on another system.
    let _unread = (win_owner, win_perms, win_deny_perms, win_inheritance, win_perms_reset);
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Destination file name is required"));
    }
    let keep_mode = mode.as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("keep"));
    let mode = if keep_mode { Value::Nil } else { normalize_mode(&mode).map_or(Value::Nil, Value::from) };
    let count = [&contents, &contents_pillar, &contents_grains].iter().filter(|given| !given.is_nil()).count();
    if source.truthy() && count > 0 {
        return Ok(error(
            &name,
            "'source' cannot be used in combination with 'contents', 'contents_pillar', or 'contents_grains'",
        ));
    }
    if keep_mode && count > 0 {
        return Ok(error(
            &name,
            "Mode preservation cannot be used in combination with 'contents', 'contents_pillar', or 'contents_grains'",
        ));
    }
    if count > 1 {
        return Ok(error(
            &name,
            "Only one of 'contents', 'contents_pillar', and 'contents_grains' is permitted",
        ));
    }
    warn_of_hash(&source, &source_hash);
    let mut replace = replace;
    if !source.truthy() && count == 0 && replace {
        replace = false;
        tracing::warn!(
            "State for file: {name} - Neither 'source' nor 'contents' nor 'contents_pillar' nor 'contents_grains' was defined, \
             yet 'replace' was set to 'True'. As there is no source to replace the file with, 'replace' has been set to 'False' \
             to avoid reading the file unnecessarily."
        );
    }
    let mut ret = fresh(&name);
    if kwargs.0.contains("file_mode") {
        let text =
            "The 'file_mode' argument will be ignored.  Please use 'mode' instead to set file permissions.";
        ret.insert("warnings", vec![text]);
    }
    let more = ret_more(&ret);
    let stop = |text: String| Ok(Outcome { more: more.clone(), ..error(&name, text) });
    let saltenv = cx.saltenv().to_owned();
    let wanted = Given {
        contents,
        pillar: contents_pillar,
        grains: contents_grains,
        delimiter: contents_delimiter,
        newline: contents_newline,
        allow_empty,
        template: &template,
        context: &context,
        defaults: &defaults,
        saltenv: &saltenv,
    };
    let contents = match given(cx, wanted)? {
        Ok(contents) => contents,
        Err((result, comment)) => {
            return Ok(Outcome { result, comment, more, ..Outcome::new(name.as_str()) });
        }
    };
    let user = owner(user, &kwargs);
    let path = Path::new(&name);
    if !create && !path.is_file() {
        let text = format!("File {name} is not present and is not set for creation");
        return Ok(Outcome { more, ..Outcome::ok(name.as_str(), text) });
    }
    let missing = check_user(cx, &user, &group)?;
    if !missing.is_empty() {
        return stop(missing);
    }
    if !name.starts_with('/') {
        return stop(format!("Specified file {name} is not an absolute path"));
    }
    if path.is_dir() {
        return stop(format!("Specified target {name} is a directory"));
    }
    let mut context = context;
    match &context {
        Value::Nil => context = Map::new().into(),
        Value::Map(_) => {}
        _ => return stop("Context must be formed as a dict".into()),
    }
    if defaults.truthy() && defaults.as_map().is_none() {
        return stop("Defaults must be formed as a dict".into());
    }
    let mut clean = kwargs.clean();
    clean.remove("env");
    let mut job = Managed {
        name: &name,
        source,
        source_hash,
        source_hash_name,
        keep_source,
        user,
        group,
        mode,
        keep_mode,
        attrs,
        template,
        context,
        defaults,
        contents,
        skip_verify,
        verify_ssl,
        use_etag,
        follow_symlinks,
        show_changes,
        selinux: selinux.as_map().cloned().unwrap_or_default(),
        saltenv,
        more: map! {
            "backup" => backup, "makedirs" => makedirs, "dir_mode" => dir_mode, "encoding" => encoding,
            "encoding_errors" => encoding_errors,
        },
        kwargs: clean,
    };
    let exists = path.exists();
    let untemplated = job.contents.is_nil() && !job.template.truthy();
    if untemplated && job.source.truthy() && !skip_verify && exists && replace && job.fits_already(cx)? {
        replace = false;
    }
    if !replace && exists {
        return job.only_perms(cx, ret);
    }
    if let Some(accumulated) = accumulated(cx, &name)
        && let Some(context) = job.context.as_map_mut()
    {
        context.insert("accumulator", accumulated);
    }
    if cx.test {
        return match job.test(cx, ret) {
            Err(e) if e.is_execution() => stop(format!("Unable to manage file: {}", e.text())),
            other => other,
        };
    }
    let check = check_cmd.truthy().then(|| Check { command: python_str(&check_cmd), dir: tmp_dir, suffix: tmp_ext });
    job.apply(cx, ret, check.as_ref())
}
