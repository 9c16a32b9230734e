//! `file.recurse`: a folder of the tree, with all that is in it, on this machine.

use super::common::{check_user, chosen, error, owner, pair};
use super::managed::outcome;
use super::walk::{clean, required};
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::mode::normalize_mode;
use brine_core::posixpath::{basename, dirname, expanduser, join, normpath, relpath};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A `salt://` URL as path and environment.
fn parse(url: &str) -> (String, Option<String>) {
    let rest = url.strip_prefix("salt://").unwrap_or(url);
    let rest = rest.strip_prefix('|').unwrap_or(rest);
    match rest.split_once("?saltenv=") {
        Some((path, env)) => (path.to_owned(), Some(env.to_owned())),
        None => (rest.split("?env=").next().unwrap_or_default().to_owned(), None),
    }
}

/// What of a folder goes where.
#[derive(Default)]
struct Plan {
    /// Places with their URLs; links come last: what they lead to must be there first.
    files: Vec<(String, String)>,
    dirs: BTreeSet<String>,
    links: BTreeMap<String, String>,
    keep: BTreeSet<String>,
}

/// What is taken of a folder.
struct Choice<'a> {
    name: &'a str,
    source: &'a str,
    keep_symlinks: bool,
    include_pat: &'a Value,
    exclude_pat: &'a Value,
    maxdepth: Option<i64>,
    include_empty: bool,
}

impl Choice<'_> {
    /// Whether a path below the folder is taken: it leads nowhere else, is not too deep, and fits the patterns.
    fn takes(&self, path: &str) -> Result<bool> {
        if format!("/{path}/").contains("/../") {
            return Ok(false);
        }
        let depth = path.trim_matches('/').matches('/').count();
        if self.maxdepth.is_some_and(|most| i64::try_from(depth).unwrap_or(i64::MAX) > most) {
            return Ok(false);
        }
        chosen(path, self.include_pat, self.exclude_pat)
    }

    fn plan(&self, cx: &Cx) -> Result<Plan> {
        let (folder, own) = parse(self.source);
        let saltenv = own.unwrap_or_else(|| cx.saltenv().to_owned());
        let folder = if folder.ends_with('/') { folder } else { format!("{folder}/") };
        let ask = |function: &str| cx.call(function, Args::positional([saltenv.as_str(), &folder]));
        let texts = |list: Value| -> Vec<String> { list.as_list().unwrap_or_default().iter().map(python_str).collect() };
        // Listings are of paths below the root, which is where they are compared.
        let below = |path: &str| relpath(&format!("/{path}"), &format!("/{folder}"));
        let place = |path: &str| join(self.name, &[normpath(path)]);
        let mut plan = Plan::default();
        let mut names = texts(ask("cp.list_master")?);
        let mut links = Map::new();
        if self.keep_symlinks {
            links = ask("cp.list_master_symlinks")?.as_map().cloned().unwrap_or_default();
            for (link, target) in &links {
                let link = python_str(link);
                let path = below(&link);
                if self.takes(&path)? {
                    let inside = format!("{link}/");
                    names.retain(|name| !name.starts_with(&inside));
                    plan.keep.insert(place(&path));
                    plan.links.insert(path, python_str(target));
                }
            }
        }
        let links_at: BTreeSet<String> = plan.keep.clone();
        for name in names.iter().filter(|name| !name.trim().is_empty()) {
            let path = below(name);
            if !self.takes(&path)? {
                continue;
            }
            let dest = place(&path);
            let dir = dirname(&dest).to_owned();
            if !links_at.contains(&dir) {
                plan.dirs.insert(dir);
            }
            plan.keep.insert(dest.clone());
            plan.files.push((dest, format!("salt://{name}?saltenv={saltenv}")));
        }
        if self.include_empty {
            for dir in texts(ask("cp.list_master_dirs")?) {
                let path = below(&dir);
                let inside = links.keys().any(|link| dir.starts_with(&format!("{}/", python_str(link))));
                if self.takes(&path)? && !inside {
                    plan.dirs.insert(place(&path));
                    plan.keep.insert(place(&path));
                }
            }
        }
        plan.files.sort_by_key(|(dest, _)| links_at.contains(dest));
        Ok(plan)
    }
}

/// What a `recurse` of low data makes, for directories that are cleaned.
pub(super) fn kept_by(cx: &Cx, low: &Map) -> Result<BTreeSet<String>> {
    let text = |key: &str| low.get(key).map(python_str).unwrap_or_default();
    let flag = |key: &str| low.get(key).is_some_and(Value::truthy);
    let value = |key: &str| low.get(key).cloned().unwrap_or_default();
    let (name, source) = (text("name"), text("source"));
    let choice = Choice {
        name: &name,
        source: &source,
        keep_symlinks: flag("keep_symlinks"),
        include_pat: &value("include_pat"),
        exclude_pat: &value("exclude_pat"),
        maxdepth: value("maxdepth").as_int(),
        include_empty: flag("include_empty"),
    };
    Ok(choice.plan(cx)?.keep)
}

/// The result of the whole, as those of the parts are added.
struct Whole {
    outcome: Outcome,
    comments: BTreeMap<usize, (String, Vec<String>)>,
}

impl Whole {
    fn say(&mut self, path: &str, comment: &Value) {
        let lines: Vec<String> = match comment {
            Value::List(list) => list.iter().map(python_str).collect(),
            other => vec![python_str(other)],
        };
        match self.comments.values_mut().find(|(known, _)| known == path) {
            Some((_, known)) => known.extend(lines),
            None => {
                self.comments.insert(self.comments.len(), (path.to_owned(), lines));
            }
        }
    }

    /// The worst result counts; comments only of what was not in order.
    fn add(&mut self, path: &str, part: Outcome) {
        if part.result == Some(false) || self.outcome.result == Some(true) {
            self.outcome.result = part.result;
        }
        if part.result != Some(true) && part.comment.truthy() {
            self.say(path, &part.comment);
        }
        if !part.changes.is_empty() {
            self.outcome.changes.insert(path, part.changes);
        }
    }

    fn end(mut self, name: &str) -> Outcome {
        let texts: Vec<String> = self
            .comments
            .values()
            .map(|(path, lines)| format!("\n#### {path} ####\n{}", lines.join("\n")))
            .collect();
        let mut text = texts.join("\n").trim().to_owned();
        if text.is_empty() {
            text = format!("Recursively updated {name}");
        }
        if self.outcome.changes.is_empty() && self.outcome.result == Some(true) {
            text = format!("The directory {name} is in the correct state");
        }
        self.outcome.comment = text.into();
        self.outcome
    }
}

/// What is made of each part.
struct Parts<'a> {
    cx: &'a Cx,
    name: &'a str,
    clean: bool,
    replace: bool,
    user: Value,
    group: Value,
    dir_mode: Value,
    /// What `file.managed` is given beside place, source and owner.
    managed: Args,
}

impl Parts<'_> {
    /// Removes what is of another kind; whether anything further is to be done.
    fn clear(&self, whole: &mut Whole, path: &str, test: &str, done: &str) -> Result<bool> {
        if self.cx.test {
            whole.add(path, Outcome::would(self.name, test));
            return Ok(false);
        }
        self.cx.call("file.remove", Args::positional([path]))?;
        whole.add(path, Outcome::new(self.name).with_changes(map! {"diff" => done}));
        Ok(true)
    }

    fn file(&self, whole: &mut Whole, path: &str, source: &str) -> Result<()> {
        if self.clean && self.replace && Path::new(path).is_dir() {
            let test = format!("Replacing directory {path} with a file");
            if !self.clear(whole, path, &test, "Replaced directory with a new file")? {
                return Ok(());
            }
        }
        let args = self.managed.clone().with("name", path).with("source", source);
        let args = args.with("user", self.user.clone()).with("group", self.group.clone());
        let ret = self.cx.call_state("file.managed", args)?;
        whole.add(path, outcome(ret, path));
        Ok(())
    }

    fn dir(&self, whole: &mut Whole, path: &str) -> Result<()> {
        if basename(path) == ".." {
            return Ok(());
        }
        let at = Path::new(path);
        if self.clean && at.exists() && !at.is_dir() {
            let test = format!("Replacing {path} with a directory");
            if !self.clear(whole, path, &test, "Replaced file with a directory")? {
                return Ok(());
            }
        }
        let args = Args::positional([path])
            .with("user", self.user.clone())
            .with("group", self.group.clone())
            .with("recurse", Value::List(Vec::new()))
            .with("dir_mode", self.dir_mode.clone())
            .with("makedirs", true);
        let ret = self.cx.call_state("file.directory", args)?;
        whole.add(path, outcome(ret, path));
        Ok(())
    }
}

/// See to it that a directory has all that a folder of the tree (`salt://`) has, with these owners and modes; with `clean`
/// nothing else.
///
/// name: the directory
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn recurse(
    cx: &Cx,
    name: String,
    source: Value,
    #[default(true)] keep_source: bool,
    #[default(false)] clean: bool,
    #[default(Value::Nil)] require: Value,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] group: Value,
    #[default(Value::Nil)] dir_mode: Value,
    #[default(Value::Nil)] file_mode: Value,
    #[default(Value::Nil)] sym_mode: Value,
    #[default(Value::Nil)] template: Value,
    #[default(Value::Nil)] context: Value,
    #[default(true)] replace: bool,
    #[default(Value::Nil)] defaults: Value,
    #[default(false)] include_empty: bool,
    #[default("")] backup: Value,
    #[default(Value::Nil)] include_pat: Value,
    #[default(Value::Nil)] exclude_pat: Value,
    #[default(Value::Nil)] maxdepth: Value,
    #[default(false)] keep_symlinks: bool,
    #[default(false)] force_symlinks: bool,
    #[default(Value::Nil)] win_owner: Value,
    #[default(Value::Nil)] win_perms: Value,
    #[default(Value::Nil)] win_deny_perms: Value,
    #[default(true)] win_inheritance: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    // These count on another system.
    let _unread = (win_owner, win_perms, win_deny_perms, win_inheritance);
    let name = expanduser(&name);
    let user = owner(user, &kwargs);
    if kwargs.0.contains("mode") {
        return Ok(error(&name, "'mode' is not allowed in 'file.recurse'. Please use 'file_mode' and 'dir_mode'."));
    }
    let keep_mode = file_mode.as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("keep"));
    let mode_of = |mode: &Value| normalize_mode(mode).map_or(Value::Nil, Value::from);
    let dir_mode = mode_of(&dir_mode);
    let file_mode = if keep_mode { "keep".into() } else { mode_of(&file_mode) };
    let missing = check_user(cx, &user, &group)?;
    if !missing.is_empty() {
        return Ok(error(&name, missing));
    }
    if !name.starts_with('/') {
        return Ok(error(&name, format!("Specified file {name} is not an absolute path")));
    }
    let sources: Vec<String> = match &source {
        Value::List(list) => list.iter().map(python_str).collect(),
        one => vec![python_str(one)],
    };
    let sources: Vec<&str> = sources.iter().map(|source| source.trim_end_matches('/')).collect();
    if let Some(wrong) = sources.iter().find(|source| !source.starts_with("salt://")) {
        return Ok(error(&name, format!("Invalid source '{wrong}' (must be a salt:// URI)")));
    }
    let list: Vec<Value> = sources.iter().map(|source| Value::from(*source)).collect();
    let args = Args::positional([list.into(), Value::from(""), cx.saltenv().into()]);
    let source = match cx.call("file.source_list", args) {
        Ok(found) => python_str(&pair(found).0),
        Err(e) if e.is_execution() => return Ok(error(&name, format!("Recurse failed: {}", e.text()))),
        Err(e) => return Err(e),
    };
    let (folder, own) = parse(&source);
    let saltenv = own.unwrap_or_else(|| cx.saltenv().to_owned());
    let args = Args::none().with("saltenv", saltenv.as_str()).with("prefix", format!("{folder}/"));
    let dirs = cx.call("cp.list_master_dirs", args)?;
    if !dirs.as_list().unwrap_or_default().iter().any(|dir| dir.as_str() == Some(&folder)) {
        let text =
            format!("The directory '{folder}' does not exist on the salt fileserver in saltenv '{saltenv}'");
        return Ok(error(&name, text));
    }
    let at = Path::new(&name);
    if !at.is_dir() {
        if at.exists() {
            return Ok(error(&name, format!("The path {name} exists and is not a directory")));
        }
        if !cx.test {
            let args = Args::none()
                .with("name", name.as_str())
                .with("user", user.clone())
                .with("group", group.clone())
                .with("mode", dir_mode.clone());
            cx.call("file.makedirs_perms", args)?;
        }
    }
    let mut managed = Args::none()
        .with("keep_source", keep_source)
        .with("mode", file_mode)
        .with("template", template)
        .with("makedirs", true)
        .with("replace", replace)
        .with("context", context)
        .with("defaults", defaults)
        .with("backup", backup);
    for (key, value) in kwargs.clean() {
        if !matches!(key.as_str(), Some("mode" | "makedirs" | "env")) {
            managed.keyword.insert(key, value);
        }
    }
    let choice = Choice {
        name: &name,
        source: &source,
        keep_symlinks,
        include_pat: &include_pat,
        exclude_pat: &exclude_pat,
        maxdepth: maxdepth.as_int(),
        include_empty,
    };
    let mut plan = choice.plan(cx)?;
    let mut whole = Whole { outcome: Outcome::new(name.as_str()), comments: BTreeMap::new() };
    for (path, target) in &plan.links {
        let path = join(&name, &[path]);
        let args = Args::positional([path.as_str(), target])
            .with("makedirs", true)
            .with("force", force_symlinks)
            .with("user", user.clone())
            .with("group", group.clone())
            .with("mode", mode_of(&sym_mode));
        let ret = cx.call_state("file.symlink", args)?;
        whole.add(&path, outcome(ret, &path));
    }
    let parts = Parts { cx, name: &name, clean, replace, user, group, dir_mode, managed };
    for dir in &plan.dirs {
        cx.cancel.check()?;
        parts.dir(&mut whole, dir)?;
    }
    for (dest, url) in &plan.files {
        cx.cancel.check()?;
        parts.file(&mut whole, dest, url)?;
    }
    if clean {
        plan.keep.extend(required(cx, &name, &require)?);
        let removed = self::clean(cx, &name, &plan.keep, &exclude_pat)?;
        if !removed.is_empty() {
            if cx.test {
                if whole.outcome.result == Some(true) {
                    whole.outcome.result = None;
                }
                whole.say("removed", &removed.into());
            } else {
                whole.outcome.changes.insert("removed", removed);
            }
        }
    }
    Ok(whole.end(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_folder_and_environment() {
        assert_eq!(parse("salt://a/b"), ("a/b".into(), None));
        assert_eq!(parse("salt://a?saltenv=dev"), ("a".into(), Some("dev".into())));
    }
}
