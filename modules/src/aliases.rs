//! The `aliases` execution module: whom mail is forwarded to, in the file that option `aliases.file` names.

use crate::{python, settings};
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

module! {
    "aliases": get_target, has_target, list_aliases, rm_alias, set_target
}

/// One line: the alias, whom it leads to, what follows; only the last, for a line that is none.
type Line = (Option<String>, Value, String);

/// Name, target and comment of a line.
const LINE: &str = r"([^:#]*)\s*:?\s*([^#]*?)(\s+#.*|(?=\n?\Z))";

fn file(cx: &Cx) -> Result<String> {
    let file = cx.call("config.option", Args::positional(["aliases.file"]))?;
    Ok(python::path::realpath(&python_str(&file)))
}

fn parse(text: &str) -> Result<Vec<Line>> {
    let failed = |e: brine_core::target::RegexError| CallError::exception("RecursionError", e.to_string());
    let pattern = Regex::new(LINE, Anchor::Match).map_err(failed)?;
    let mut all = Vec::new();
    for line in settings::lines(text) {
        all.push(match pattern.find(line, 0).map_err(failed)? {
            Some(spans) => {
                let group = |i: usize| spans.get(i).copied().flatten().map_or("", |(from, to)| &line[from..to]);
                (Some(group(1).to_owned()), group(2).into(), group(3).to_owned())
            }
            None => (None, Value::Nil, line.trim().to_owned()),
        });
    }
    Ok(all)
}

fn read(cx: &Cx) -> Result<Vec<Line>> {
    let path = file(cx)?;
    if !Path::new(&path).is_file() {
        return Ok(Vec::new());
    }
    parse(&settings::text(&path).map_err(|e| crate::hashutil::file_error(&e, &path))?)
}

fn contents(lines: &[Line]) -> String {
    let mut out = String::new();
    for (alias, target, comment) in lines {
        let target = match target {
            Value::List(all) => all.iter().map(python_str).collect::<Vec<_>>().join(", "),
            Value::Nil => String::new(),
            one => python_str(one),
        };
        match alias.as_deref().filter(|alias| !alias.is_empty() && !target.is_empty()) {
            Some(alias) => out += &format!("{alias}: {target}{comment}\n"),
            None => out += &format!("{comment}\n"),
        }
    }
    out
}

/// Writes the file anew and lets the mail server read it.
fn write(cx: &Cx, lines: &[Line]) -> Result<()> {
    let path = file(cx)?;
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, &path);
    let old = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file);
    let (mode, uid, gid) = old.map_or((0o644, 0, 0), |old| (old.mode() & 0o7777, old.uid(), old.gid()));
    let folder = Path::new(&path).parent().unwrap_or(Path::new("/"));
    let open = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut new = tempfile::Builder::new().make_in(folder, open).map_err(failed)?;
    let now = new.as_file().metadata().map_err(failed)?;
    if (now.uid(), now.gid()) != (uid, gid) {
        std::os::unix::fs::fchown(new.as_file(), Some(uid), Some(gid)).map_err(failed)?;
    }
    new.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    new.write_all(contents(lines).as_bytes()).map_err(failed)?;
    new.persist(&path).map_err(|e| failed(e.error))?;
    if let Some(newaliases) = crate::cmd::which::which("newaliases") {
        cx.call("cmd.run", Args::positional([newaliases]))?;
    }
    Ok(())
}

fn all(cx: &Cx) -> Result<Map> {
    let named = read(cx)?.into_iter().filter_map(|(alias, target, _)| Some((alias.filter(|a| !a.is_empty())?, target)));
    Ok(named.collect())
}

/// All aliases, each with whom it leads to.
///
/// CLI Example: salt '*' aliases.list_aliases
#[exec]
fn list_aliases(cx: &Cx) -> Result<Map> {
    all(cx)
}

fn target_of(cx: &Cx, alias: &str) -> Result<Value> {
    Ok(all(cx)?.get(alias).cloned().unwrap_or_else(|| "".into()))
}

/// Whom an alias leads to; empty text if there is no such alias.
///
/// CLI Example: salt '*' aliases.get_target alias
#[exec]
fn get_target(cx: &Cx, alias: String) -> Result {
    target_of(cx, &alias)
}

/// Whether an alias leads to exactly this target, or exactly these.
///
/// CLI Example: salt '*' aliases.has_target alias target
#[exec]
fn has_target(cx: &Cx, alias: String, target: Value) -> Result<bool> {
    if target == Value::from("") {
        return Err(CallError::invocation("target can not be an empty string"));
    }
    let target = match target {
        Value::List(all) => all.iter().map(python_str).collect::<Vec<_>>().join(", ").into(),
        one => one,
    };
    Ok(all(cx)?.get(&alias).is_some_and(|known| *known == target))
}

/// Let an alias lead to this target, or to these, whatever it did before.
///
/// CLI Example: salt '*' aliases.set_target alias target
#[exec]
fn set_target(cx: &Cx, alias: String, target: Value) -> Result<bool> {
    if alias.is_empty() {
        return Err(CallError::invocation("alias can not be an empty string"));
    }
    if target == Value::from("") {
        return Err(CallError::invocation("target can not be an empty string"));
    }
    if target_of(cx, &alias)? == target {
        return Ok(true);
    }
    let mut done = false;
    let mut out = Vec::new();
    for line in read(cx)? {
        if line.0.as_deref() != Some(&alias) {
            out.push(line);
        } else if !done {
            out.push((line.0, target.clone(), line.2));
            done = true;
        }
    }
    if !done {
        out.push((Some(alias), target, String::new()));
    }
    write(cx, &out)?;
    Ok(true)
}

/// Remove an alias.
///
/// CLI Example: salt '*' aliases.rm_alias alias
#[exec]
fn rm_alias(cx: &Cx, alias: String) -> Result<bool> {
    if target_of(cx, &alias)?.truthy() {
        let left: Vec<Line> = read(cx)?.into_iter().filter(|line| line.0.as_deref() != Some(&alias)).collect();
        write(cx, &left)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_and_put_together() {
        let text = "# c\nroot:  me, you  # both\n\nalone\n";
        let lines = parse(text).unwrap();
        assert_eq!(lines[0], (None, Value::Nil, "# c".into()));
        assert_eq!(lines[1], (Some("root".into()), "me, you".into(), "  # both".into()));
        assert_eq!(contents(&lines[..2]), "# c\nroot: me, you  # both\n");
    }
}
