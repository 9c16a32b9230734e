//! Attributes of files that `chattr` sets, and labels of SELinux.

use super::stat::{get_selinux_context, lsattr};
use crate::tools;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// The attributes of one file as letters, in the order that `lsattr` shows them; `None` where there is no such program.
fn attributes(cx: &Cx, path: &str) -> Result<Option<String>> {
    let Value::Map(all) = lsattr(cx, path.to_owned())? else { return Ok(None) };
    let letters = all.get(path).and_then(Value::as_list).unwrap_or_default();
    Ok(Some(letters.iter().map(python_str).collect()))
}

/// What must be added to and removed from a file's attributes.
#[derive(Debug, PartialEq)]
struct Difference {
    added: String,
    removed: String,
}

fn difference(old: &str, wanted: &str) -> Difference {
    let only = |these: &str, not: &str| {
        let mut out = String::new();
        for letter in these.chars().filter(|letter| !not.contains(*letter)) {
            if !out.contains(letter) {
                out.push(letter);
            }
        }
        out
    };
    // `e` cannot be taken from a file.
    Difference { added: only(wanted, old), removed: only(old, wanted).replace('e', "") }
}

impl Difference {
    fn is_none(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Whether a file has other attributes than these; not where `lsattr` cannot say.
pub(super) fn attributes_differ(cx: &Cx, path: &str, wanted: &str) -> Result<bool> {
    Ok(attributes(cx, path)?.is_some_and(|old| !difference(&old, wanted).is_none()))
}

/// What came of [`see_to_attributes`].
#[derive(Default)]
pub(super) struct Attributes {
    pub changes: Option<Map>,
    pub failed: Option<String>,
}

/// Sees to it that a file has these attributes and no others.
pub(super) fn see_to_attributes(cx: &Cx, path: &str, wanted: &str) -> Result<Attributes> {
    let mut seen = Attributes::default();
    let Some(old) = attributes(cx, path)? else { return Ok(seen) };
    let needed = difference(&old, wanted);
    if needed.is_none() {
        return Ok(seen);
    }
    let mut new = wanted.to_owned();
    if !cx.test {
        for (operator, letters) in [("+", &needed.added), ("-", &needed.removed)] {
            if !letters.is_empty() {
                tools::run(cx, &["chattr", &format!("{operator}{letters}"), path])?;
            }
        }
        let now = attributes(cx, path)?.unwrap_or_default();
        if !difference(&now, wanted).is_none() {
            seen.failed = Some(format!("Failed to change attributes to {wanted}"));
            new = now;
        }
    }
    if old != new {
        seen.changes = Some(map! {"old" => old, "new" => new});
    }
    Ok(seen)
}

/// Add attributes to files or remove some (`operator`: `add` or `remove`), which must be letters of `aAcCdDeijPsStTu`.
///
/// CLI Example: salt '*' file.chattr foo1.txt foo2.txt operator=add attributes=ai
#[exec]
pub(super) fn chattr(cx: &Cx, files: VarArgs, kwargs: KwArgs) -> Result<bool> {
    let given = |key: &str| kwargs.0.get(key).filter(|value| !value.is_nil()).map(python_str);
    let sign = match given("operator").as_deref() {
        Some("add") => "+",
        Some("remove") => "-",
        _ => return Err(CallError::invocation("Need an operator: 'add' or 'remove' to modify attributes.")),
    };
    let Some(attributes) = given("attributes") else {
        return Err(CallError::invocation("Need attributes: [aAcCdDeijPsStTu]"));
    };
    let mut words = vec!["chattr".to_owned(), format!("{sign}{attributes}")];
    words.extend(given("flags").map(|flags| format!("-{flags}")));
    if let Some(version) = given("version") {
        words.extend(["-v".to_owned(), version]);
    }
    words.extend(files.0.iter().map(python_str));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(tools::run(cx, &words)?.is_empty())
}

/// Parts of a label; what is `None` may be anything.
#[derive(Clone, Copy, Default)]
pub(super) struct Selinux<'a> {
    pub user: Option<&'a str>,
    pub role: Option<&'a str>,
    pub kind: Option<&'a str>,
    pub range: Option<&'a str>,
}

impl<'a> Selinux<'a> {
    /// The parts as functions are given them: user, role, type and range.
    pub(super) fn of([user, role, kind, range]: [&'a Option<String>; 4]) -> Self {
        Self { user: user.as_deref(), role: role.as_deref(), kind: kind.as_deref(), range: range.as_deref() }
    }

    /// Whether any part is asked for.
    pub(super) fn any(&self) -> bool {
        self.parts().iter().any(|(.., part)| part.is_some())
    }

    /// The parts: as `changes` and as comments name them.
    pub(super) fn parts(&self) -> [(&'static str, &'static str, Option<&str>); 4] {
        [
            ("User", "seuser", self.user.filter(|p| !p.is_empty())),
            ("Role", "serole", self.role.filter(|p| !p.is_empty())),
            ("Type", "setype", self.kind.filter(|p| !p.is_empty())),
            ("Range", "serange", self.range.filter(|p| !p.is_empty())),
        ]
    }
}

/// The four parts of a file's label; `None` where it has none.
pub(super) fn label(cx: &Cx, path: &str) -> Result<Option<[String; 4]>> {
    let text = python_str(&get_selinux_context(cx, path.to_owned())?);
    Ok(parts(&text))
}

fn parts(label: &str) -> Option<[String; 4]> {
    let parts: Vec<String> = label.split(':').map(str::to_owned).collect();
    parts.try_into().ok()
}

/// What came of [`see_to_selinux`].
#[derive(Default)]
pub(super) struct Label {
    pub changes: Option<Map>,
    pub comments: Vec<String>,
    pub result: Option<Value>,
}

/// Sees to it that a file's label has these parts.
pub(super) fn see_to_selinux(cx: &Cx, path: &str, wanted: &Selinux<'_>) -> Result<Label> {
    let mut seen = Label::default();
    let Some(now) = label(cx, path)? else {
        tracing::error!("Unable to get current selinux attributes");
        seen.result = Some(false.into());
        seen.comments.push("Failed to get selinux attributes".into());
        return Ok(seen);
    };
    let needed = wanted.parts().into_iter().zip(&now).map(|((word, key, part), now)| (word, key, part.filter(|p| p != now)));
    let needed: Vec<_> = needed.collect();
    if needed.iter().all(|(.., part)| part.is_none()) {
        return Ok(seen);
    }
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for ((word, _, part), now) in needed.iter().zip(&now) {
        if let Some(part) = part {
            old.push(format!("{word}: {now}"));
            new.push(format!("{word}: {part}"));
        }
    }
    let changes = map! {"Old" => old.join(" "), "New" => new.join(" ")};
    if cx.test {
        seen.comments.push(format!("File {path} selinux context to be updated"));
        seen.result = Some(Value::Nil);
        seen.changes = Some(changes);
        return Ok(seen);
    }
    let part = |at: usize| needed[at].2.map_or(Value::Nil, Value::from);
    // `chcon` is given a type with every other part.
    let kind = needed[2].2.unwrap_or(&now[2]);
    let result = set_selinux_context(cx, path.to_owned(), part(0), part(1), kind.into(), part(3), true)?;
    let Some(after) = parts(&python_str(&result)) else {
        tracing::error!("Unable to set current selinux attributes");
        seen.result = Some(false.into());
        seen.comments.push("Failed to set selinux attributes".into());
        return Ok(seen);
    };
    seen.comments.push(format!("The file {path} is set to be changed"));
    for ((_, key, part), after) in needed.iter().zip(&after) {
        if part.is_some_and(|part| part != after) {
            seen.comments.push(format!("Unable to update {key} context"));
            seen.result = Some(false.into());
        }
    }
    seen.changes = Some(changes);
    Ok(seen)
}

/// Set parts of the SELinux label of a path; with `persist`, also in the policy. Returns the label.
///
/// CLI Example: salt '*' file.set_selinux_context path <user> <role> <type> <range>
#[exec]
pub(super) fn set_selinux_context(
    cx: &Cx,
    path: String,
    #[default(Value::Nil)] user: Value,
    #[default(Value::Nil)] role: Value,
    #[default(Value::Nil)] r#type: Value,
    #[default(Value::Nil)] range: Value,
    #[default(false)] persist: bool,
) -> Result {
    let parts = [("-u", &user), ("-r", &role), ("-t", &r#type), ("-l", &range)];
    if !parts.iter().any(|(_, part)| part.truthy()) {
        return Ok(false.into());
    }
    if persist {
        let args = Args::positional([path.as_str()])
            .with("sel_type", r#type.clone())
            .with("sel_user", user.clone())
            .with("sel_level", range.clone());
        let done = cx.call("selinux.fcontext_add_policy", args)?;
        if done.get("retcode").and_then(Value::as_int) != Some(0) {
            return Err(CallError::execution(format!("Problem setting fcontext: {}", python_str(&done))));
        }
    }
    let mut words = vec!["chcon".to_owned()];
    for (option, part) in parts {
        if part.truthy() {
            words.extend([option.to_owned(), python_str(part)]);
        }
    }
    words.push(path.clone());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if tools::retcode(cx, &words)? == 0 { get_selinux_context(cx, path) } else { Ok(false.into()) }
}

/// Give a path the SELinux label that the policy has for it.
///
/// CLI Example: salt '*' file.restorecon /home/user/.ssh/authorized_keys
#[exec]
pub(super) fn restorecon(cx: &Cx, path: String, #[default(false)] recursive: bool) -> Result<bool> {
    let option = if recursive { "-FR" } else { "-F" };
    Ok(tools::retcode(cx, &["restorecon", option, &path])? == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_added_and_removed_but_extents() {
        let some = |added: &str, removed: &str| Difference { added: added.into(), removed: removed.into() };
        assert_eq!(difference("ae", "i"), some("i", "a"));
        assert_eq!(difference("e", ""), some("", ""));
        assert!(difference("ai", "ia").is_none());
    }

    #[test]
    fn a_label_has_four_parts() {
        assert!(parts("?").is_none());
        assert_eq!(parts("system_u:object_r:etc_t:s0").unwrap()[2], "etc_t");
    }
}
