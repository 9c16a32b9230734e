//! States of keys that may log in: `ssh_auth.present`, `absent` and `manage`.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::ssh::split;
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

state_module! { "ssh_auth": absent, manage, present }

/// Where the keys of a user are unless told otherwise.
const CONFIG: &str = ".ssh/authorized_keys";

/// A key as a state names it, and what else is wished of it.
#[derive(Clone)]
struct Key {
    name: Value,
    user: Value,
    enc: Value,
    comment: Value,
    source: Value,
    options: Value,
    config: Value,
    hash: Value,
}

/// How many words a comment may be.
#[derive(Clone, Copy, PartialEq)]
enum Comment {
    /// All that is left of the line.
    Rest,
    /// One word; else it is not taken over.
    Word,
}

impl Key {
    /// The same with what the name says: options, kind, key, comment.
    fn read(mut self, whole: Comment, bare: Comment) -> Result<Self> {
        let name = python_str(&self.name);
        let take = |words: &str, before: usize, how: Comment| -> Option<(Vec<String>, Option<String>)> {
            let mut rest = words.trim_start();
            let mut found = Vec::new();
            for _ in 0..before {
                let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if word.is_empty() {
                    return None;
                }
                found.push(word.to_owned());
                rest = tail.trim_start();
            }
            // What stands behind a line feed is trimmed only by a split into words.
            let comment = match how {
                Comment::Rest => Some(rest.to_owned()).filter(|rest| !rest.is_empty()),
                Comment::Word => Some(rest.trim_end().to_owned())
                    .filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)),
            };
            Some((found, comment))
        };
        let index = || CallError::exception("IndexError", "list index out of range");
        let (key, comment) = match split(&name) {
            None => {
                let (words, comment) = take(&name, 1, bare).ok_or_else(index)?;
                (words.into_iter().next().ok_or_else(index)?, comment)
            }
            Some((options, rest)) => {
                if !options.is_empty() {
                    self.options = options.split(',').map(Value::from).collect::<Vec<_>>().into();
                }
                let (words, comment) = take(rest, 2, whole).ok_or_else(index)?;
                let [enc, key] = &words[..] else { return Err(index()) };
                self.enc = enc.as_str().into();
                (key.clone(), comment)
            }
        };
        self.name = key.into();
        if let Some(comment) = comment {
            self.comment = comment.into();
        }
        Ok(self)
    }

    fn shown(&self) -> (String, String) {
        (python_str(&self.name), python_str(&self.user))
    }

    fn option_list(&self) -> Value {
        if self.options.truthy() { self.options.clone() } else { Value::List(Vec::new()) }
    }

    fn in_file(&self, args: Args) -> Args {
        args.with("config", self.config.clone()).with("fingerprint_hash_type", self.hash.clone())
    }
}

fn has_source(key: &Key) -> bool {
    key.source.as_str() != Some("")
}

/// What was said of a file without keys.
fn error(cx: &Cx) -> Option<Value> {
    cx.job.remove_context("ssh_auth.error").filter(Value::truthy)
}

/// What would be done with the keys of a file: lines for those that are not `settled`.
fn file_in_test(cx: &Cx, key: &Key, settled: &str, all: &str, line: impl Fn(&str, &str) -> String) -> Result<(Option<bool>, Value)> {
    let args = Args::positional([key.user.clone(), key.source.clone(), key.config.clone()])
        .with("saltenv", cx.saltenv())
        .with("fingerprint_hash_type", key.hash.clone());
    let keys = cx.call("ssh.check_key_file", args)?.as_map().cloned().unwrap_or_default();
    let todo = keys.iter().filter(|(_, status)| status.as_str() != Some(settled));
    let text: String = todo.map(|(key, status)| line(&python_str(key), &python_str(status))).collect();
    if !text.is_empty() {
        return Ok((None, text.into()));
    }
    Ok(match error(cx) {
        Some(error) => (Some(false), error),
        None => (Some(true), format!("All host keys in file {} are already {all}", python_str(&key.source)).into()),
    })
}

fn check(cx: &Cx, key: &Key) -> Result<String> {
    let parts = [&key.user, &key.name, &key.enc, &key.comment, &key.option_list()].map(Clone::clone);
    Ok(python_str(&cx.call("ssh.check_key", key.in_file(Args::positional(parts)))?))
}

fn present_in_test(cx: &Cx, key: &Key) -> Result<(Option<bool>, Value)> {
    if key.source.truthy() {
        return file_in_test(cx, key, "exists", "present", |key, status| format!("Set to {status}: {key}\n"));
    }
    let key = key.clone().read(Comment::Word, Comment::Word)?;
    let (name, user) = key.shown();
    Ok(match check(cx, &key)?.as_str() {
        "update" => (None, format!("Key {name} for user {user} is set to be updated").into()),
        "add" => (None, format!("Key {name} for user {user} is set to be added").into()),
        "exists" => {
            (Some(true), format!("The authorized host key {name} is already present for user {user}").into())
        }
        _ => (None, key.comment),
    })
}

fn absent_in_test(cx: &Cx, key: &Key) -> Result<(Option<bool>, Value)> {
    if key.source.truthy() {
        return file_in_test(cx, key, "add", "absent", |key, _| format!("Set to remove: {key}\n"));
    }
    let key = key.clone().read(Comment::Word, Comment::Word)?;
    let (name, user) = key.shown();
    Ok(match check(cx, &key)?.as_str() {
        "update" | "exists" => (None, format!("Key {name} for user {user} is set for removal").into()),
        _ => (Some(true), "Key is already absent".into()),
    })
}

/// The source, where it can be had.
fn is_there(cx: &Cx, source: &Value) -> Result<bool> {
    let args = Args::positional([source.clone(), Value::Nil]).with("saltenv", cx.saltenv());
    Ok(cx.call("cp.get_url", args)?.truthy())
}

fn see_to(cx: &Cx, key: Key) -> Result<Outcome> {
    let asked = key.name.clone();
    let key = if has_source(&key) { key } else { key.read(Comment::Rest, Comment::Rest)? };
    if cx.test {
        let (result, comment) = present_in_test(cx, &key)?;
        return Ok(Outcome { result, ..Outcome::ok(asked, comment) });
    }
    let (name, user) = key.shown();
    let data = if !has_source(&key) {
        let args = Args::positional([key.user.clone(), key.name.clone()])
            .with("enc", key.enc.clone())
            .with("comment", key.comment.clone())
            .with("options", key.option_list());
        cx.call("ssh.set_auth_key", key.in_file(args))?
    } else if is_there(cx, &key.source)? {
        let args = Args::positional([key.user.clone(), key.source.clone()])
            .with("saltenv", cx.saltenv())
            .with("options", key.options.clone());
        cx.call("ssh.set_auth_key_from_file", key.in_file(args))?
    } else {
        "no key".into()
    };
    Ok(match data.as_str().unwrap_or_default() {
        "replace" => Outcome::ok(asked, format!("The authorized host key {name} for user {user} was updated"))
            .with_changes(map! { key.name => "Updated" }),
        "no change" => {
            Outcome::ok(asked, format!("The authorized host key {name} is already present for user {user}"))
        }
        "new" => Outcome::ok(asked, format!("The authorized host key {name} for user {user} was added"))
            .with_changes(map! { key.name => "New" }),
        "no key" => Outcome::failed(
            asked,
            format!("Failed to add the ssh key. Source file {} is missing", python_str(&key.source)),
        ),
        "fail" => Outcome::failed(
            asked,
            error(cx).unwrap_or_else(|| {
                "Failed to add the ssh key. Is the home directory available, and/or does the key file exist?".into()
            }),
        ),
        "invalid" | "Invalid public key" => {
            Outcome::failed(asked, "Invalid public ssh key, most likely has spaces or invalid syntax")
        }
        _ => Outcome::new(asked),
    })
}

/// See that a key may log in as a user.
///
/// name: the key, or a whole line: options, kind, key, comment. user: who. enc, comment, options: what the name does not say.
/// source: a file of keys, in place of the name. config: the user's file. fingerprint_hash_type: how keys are shown.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn present(
    cx: &Cx,
    name: Value,
    user: Value,
    #[default("ssh-rsa")] enc: Value,
    #[default("")] comment: Value,
    #[default("")] source: Value,
    options: Option<Value>,
    #[default(CONFIG)] config: Value,
    fingerprint_hash_type: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _ = kwargs;
    let (options, hash) = (options.into(), fingerprint_hash_type.into());
    see_to(cx, Key { name, user, enc, comment, source, options, config, hash })
}

fn take_away(cx: &Cx, key: Key) -> Result<Outcome> {
    let asked = key.name.clone();
    if cx.test {
        let (result, comment) = absent_in_test(cx, &key)?;
        return Ok(Outcome { result, ..Outcome::ok(asked, comment) });
    }
    let (changed, comment) = if !has_source(&key) {
        let key = key.read(Comment::Word, Comment::Rest)?;
        let args = key.in_file(Args::positional([key.user.clone(), key.name.clone()]));
        (key.name, cx.call("ssh.rm_auth_key", args)?)
    } else if is_there(cx, &key.source)? {
        let args = Args::positional([key.user.clone(), key.source.clone(), key.config.clone()])
            .with("saltenv", cx.saltenv())
            .with("fingerprint_hash_type", key.hash.clone());
        (asked.clone(), cx.call("ssh.rm_auth_key_from_file", args)?)
    } else {
        (asked.clone(), "".into())
    };
    let mut outcome = Outcome::ok(asked, comment);
    match outcome.comment.as_str() {
        Some("User authorized keys file not present") => outcome.result = Some(false),
        Some("Key removed") => drop(outcome.changes.insert(changed, "Removed")),
        _ => {}
    }
    Ok(outcome)
}

/// See that a key may not log in as a user. Arguments as for `ssh_auth.present`.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn absent(
    cx: &Cx,
    name: Value,
    user: Value,
    #[default("ssh-rsa")] enc: Value,
    #[default("")] comment: Value,
    #[default("")] source: Value,
    options: Option<Value>,
    #[default(CONFIG)] config: Value,
    fingerprint_hash_type: Option<Value>,
) -> Result<Outcome> {
    let (options, hash) = (options.into(), fingerprint_hash_type.into());
    take_away(cx, Key { name, user, enc, comment, source, options, config, hash })
}

/// See that these keys may log in as a user, and no others. `ssh_keys`: the keys, or whole lines; the other arguments are as
/// for `ssh_auth.present`.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn manage(
    cx: &Cx,
    name: Value,
    ssh_keys: Vec<Value>,
    user: Value,
    #[default("ssh-rsa")] enc: Value,
    #[default("")] comment: Value,
    #[default("")] source: Value,
    options: Option<Value>,
    #[default(CONFIG)] config: Value,
    fingerprint_hash_type: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _ = kwargs;
    let (options, hash) = (options.into(), fingerprint_hash_type.into());
    let base = Key { name, user, enc, comment, source, options, config, hash };
    let mut outcome = Outcome::new("");
    let lines: Vec<String> = ssh_keys.iter().map(python_str).collect();
    let kept: BTreeSet<&str> = lines.iter().flat_map(|line| line.split(' ')).collect();
    let args = base.in_file(Args::none().with("user", base.user.clone()));
    let now: Map = cx.call("ssh.auth_keys", args)?.as_map().cloned().unwrap_or_default();
    for key in now.keys().filter(|key| !kept.contains(python_str(key).as_str())) {
        if cx.test {
            outcome.comment = format!("{} Key set for removal", python_str(key)).into();
            outcome.result = None;
        } else {
            let gone = take_away(cx, Key { name: key.clone(), ..base.clone() })?;
            outcome.changes.insert(key.clone(), gone.comment);
        }
    }
    for key in ssh_keys {
        let one = see_to(cx, Key { name: key, ..base.clone() })?;
        if one.changes.is_empty() {
            let text = format!("{}\n{}", python_str(&outcome.comment), python_str(&one.comment));
            outcome.comment = text.trim().into();
        } else {
            outcome.changes.update(one.changes);
        }
        match one.result {
            Some(true) => {}
            other => outcome.result = other,
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        let nothing = || Value::from("");
        Key {
            name: name.into(),
            user: "u".into(),
            enc: "ssh-rsa".into(),
            comment: nothing(),
            source: nothing(),
            options: Value::Nil,
            config: CONFIG.into(),
            hash: Value::Nil,
        }
    }

    #[test]
    fn a_name_may_be_a_whole_line() {
        let got = key("no-pty,a ssh-dss AAAA my key").read(Comment::Rest, Comment::Rest).unwrap();
        assert_eq!((got.name, got.enc, got.comment), ("AAAA".into(), "ssh-dss".into(), "my key".into()));
        assert_eq!(got.options, vec!["no-pty", "a"].into());
        let got = key("AAAA me there").read(Comment::Word, Comment::Word).unwrap();
        assert_eq!((got.name, got.comment), ("AAAA".into(), "".into()));
        let got = key("AAAA me there").read(Comment::Rest, Comment::Rest).unwrap();
        assert_eq!(got.comment, "me there".into());
        assert!(key("").read(Comment::Rest, Comment::Rest).is_err());
    }
}
