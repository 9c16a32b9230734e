//! What modules ask of systemd itself: whether it runs, which version it is, and whether what they start gets a scope of its
//! own, so that it lives on when the minion's service is stopped. Asked once in a job.

use crate::cmd::which::which;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::{Map, Value};
use std::process::{Command, Stdio};

fn once(cx: &Cx, key: &str, ask: impl FnOnce() -> Value) -> Value {
    cx.job.context(key).unwrap_or_else(|| {
        let value = ask();
        cx.job.set_context(key, value.clone());
        value
    })
}

/// Whether the machine was booted with systemd.
pub(crate) fn booted(cx: &Cx) -> bool {
    let look = || std::path::Path::new("/run/systemd/system").exists().into();
    once(cx, "salt.utils.systemd.booted", look).truthy()
}

/// The path of `systemctl`, where there is one but no systemd to ask (in a chroot, say); else nothing that is true.
pub(crate) fn offline(cx: &Cx) -> Value {
    if booted(cx) {
        return false.into();
    }
    once(cx, "salt.utils.systemd.offline", || which("systemctl").into())
}

fn systemctl(words: &[&str]) -> Option<(String, String)> {
    let out = Command::new("systemctl").args(words).stdin(Stdio::null()).output().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&out.stdout), text(&out.stderr)))
}

/// The number in the first line of `systemctl --version`.
fn number(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.lines().next()?.split(' ').collect();
    words.windows(2).find_map(|pair| {
        let digits: String = pair[1].chars().take_while(char::is_ascii_digit).collect();
        if pair[0].is_empty() { None } else { digits.parse().ok() }
    })
}

/// The version of systemd.
pub(crate) fn version(cx: &Cx) -> Option<i64> {
    let ask = || systemctl(&["--version"]).and_then(|(out, _)| number(&out)).into();
    once(cx, "salt.utils.systemd.version", ask).as_int()
}

/// Whether programs can be given a scope.
pub(crate) fn has_scope(cx: &Cx) -> bool {
    let talks = || {
        let refused = "Failed to get D-Bus connection: No such file or directory";
        systemctl(&["status"]).is_some_and(|(_, errors)| !errors.contains(refused)).into()
    };
    booted(cx)
        && version(cx).is_some_and(|version| version >= 205)
        && once(cx, "salt.utils.systemd.status", talks).truthy()
}

/// Whether programs are to be given one: they can be, and `systemd.scope` does not say no.
pub(crate) fn wants_scope(cx: &Cx) -> Result<bool> {
    Ok(has_scope(cx)
        && cx.call("config.get", Args::positional([Value::from("systemd.scope"), true.into()]))?.truthy())
}

/// What `cmd.run_all` says of these words.
pub(crate) fn run_all(cx: &Cx, words: Vec<Value>, merged: bool, ignored: bool) -> Result<Map> {
    let mut args = Args::positional([words]).with("python_shell", false);
    if merged {
        args = args.with("redirect_stderr", true);
    }
    if ignored {
        args = args.with("ignore_retcode", true);
    }
    match cx.call("cmd.run_all", args)? {
        Value::Map(map) => Ok(map),
        _ => Err(CallError::execution("cmd.run_all returned no dict")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_a_number_after_a_word() {
        assert_eq!(number("systemd 255 (255.4-1ubuntu8)\n+PAM"), Some(255));
        assert_eq!(number("systemd 252.1"), Some(252));
        assert_eq!(number(""), None);
        assert_eq!(number("systemd"), None);
    }
}
