//! What many functions of `file` begin with: their arguments, users that must be there, names of owners, patterns of paths.

use brine_core::call::{Args, Cx, Given, KwArgs, Result};
use brine_core::posixpath::expanduser;
use brine_core::state::Outcome;
use brine_core::target::{Anchor, Regex, fnmatch};
use brine_core::text::python_str;
use brine_core::Value;

/// The file that a state is of.
pub(super) fn name_of(given: &Given) -> String {
    expanduser(&given.text("name").unwrap_or_default())
}

/// The arguments of these names, handed on.
pub(super) fn handed(mut args: Args, given: &Given, names: &[&str]) -> Args {
    for name in names {
        args = args.with(name, given.value(name));
    }
    args
}

/// Whether sources come from elsewhere by HTTP or FTP.
fn from_elsewhere(source: &Value) -> bool {
    let one = |url: &str| {
        let url = url.to_lowercase();
        ["http:", "https:", "ftp:"].iter().any(|scheme| url.starts_with(scheme))
    };
    match source {
        Value::List(list) => list.iter().any(|url| url.as_str().is_some_and(one)),
        other => other.as_str().is_some_and(one),
    }
}

/// Warns of a checksum that nobody looks at.
pub(super) fn warn_of_hash(source: &Value, source_hash: &Value) {
    if !source.is_nil() && !from_elsewhere(source) && source_hash.truthy() {
        tracing::warn!("source_hash is only used with 'http', 'https' or 'ftp'");
    }
}

/// Failed, with this for a reason.
pub(super) fn error(name: &str, text: impl Into<String>) -> Outcome {
    Outcome::failed(name, text.into())
}

/// What a state says of a user and a group that are not there; empty text where both are. In test mode a state before this one
/// may be about to make them.
pub(super) fn check_user(cx: &Cx, user: &Value, group: &Value) -> Result<String> {
    let missing = |function: &str, name: &Value| -> Result<bool> {
        Ok(name.truthy() && cx.call(function, Args::positional([name.clone()]))? == Value::from(""))
    };
    let mut text = String::new();
    if missing("file.user_to_uid", user)? {
        text.push_str(&format!("User {} is not available ", python_str(user)));
    }
    if missing("file.group_to_gid", group)? {
        text.push_str(&format!("Group {} is not available", python_str(group)));
    }
    if !text.is_empty() && cx.test {
        tracing::warn!("{text}");
        return Ok(String::new());
    }
    Ok(text)
}

/// The user of a state; `owner`, as others call it, will do.
pub(super) fn owner(user: Value, kwargs: &KwArgs) -> Value {
    match kwargs.0.get("owner") {
        Some(owner) if !user.truthy() => {
            tracing::warn!("Use of argument owner found, \"owner\" is invalid, please use \"user\"");
            owner.clone()
        }
        _ => user,
    }
}

/// The user and the group that links and copies get where a state names none: the minion's own user and that user's group.
pub(super) fn own_user(cx: &Cx, user: Value, group: Value) -> Result<(Value, Value)> {
    let user = if user.is_nil() { cx.opts.get("user").cloned().unwrap_or_default() } else { user };
    if !group.is_nil() {
        return Ok((user, group));
    }
    if cx.registry.get("user.info").is_none() {
        return Ok((user.clone(), user));
    }
    let info = cx.call("user.info", Args::positional([user.clone()]))?;
    let gid = info.get("gid").cloned().unwrap_or_else(|| 0.into());
    let group = cx.call("file.gid_to_group", Args::positional([gid]))?;
    Ok((user, group))
}

/// Whether a name is to be taken: it fits `include`, if there is one, and not `exclude`. Either may be a list; `E@` marks a
/// regular expression among shell patterns.
pub(super) fn chosen(name: &str, include: &Value, exclude: &Value) -> Result<bool> {
    let fits = |patterns: &Value| -> Result<bool> {
        let one = |pattern: &Value| -> Result<bool> {
            let pattern = python_str(pattern);
            match pattern.strip_prefix("E@") {
                Some(regex) => {
                    let regex = Regex::new(regex, Anchor::Search)
                        .map_err(|e| brine_core::CallError::exception("re.error", e.to_string()))?;
                    Ok(regex.is_match(name).unwrap_or(false))
                }
                None => Ok(fnmatch(name, &pattern)),
            }
        };
        match patterns {
            Value::List(list) => {
                for pattern in list {
                    if one(pattern)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            pattern => one(pattern),
        }
    };
    Ok((!include.truthy() || fits(include)?) && (!exclude.truthy() || !fits(exclude)?))
}

/// What `file.accumulated` has gathered for a file in this run.
pub(super) fn accumulated(cx: &Cx, name: &str) -> Option<Value> {
    let step = cx.step.as_ref()?;
    step.run.shared(|shared| shared.get("accumulators").and_then(|all| all.get(name)).cloned())
}

/// Two values of a list.
pub(super) fn pair(list: Value) -> (Value, Value) {
    match list {
        Value::List(list) => {
            let mut list = list.into_iter();
            (list.next().unwrap_or_default(), list.next().unwrap_or_default())
        }
        other => (other, Value::Nil),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_names() {
        let none = Value::Nil;
        assert!(chosen("a/b.txt", &none, &none).unwrap());
        assert!(chosen("a/b.txt", &"*.txt".into(), &none).unwrap());
        assert!(!chosen("a/b.txt", &"*.md".into(), &none).unwrap());
        assert!(!chosen("a/b.txt", &none, &vec!["x", "E@b\\."].into()).unwrap());
        assert!(chosen("a/b.txt", &vec!["*.md", "a/*"].into(), &"E@^c".into()).unwrap());
        assert!(chosen("a", &none, &"E@(".into()).is_err());
    }
}
