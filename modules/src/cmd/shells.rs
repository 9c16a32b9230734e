//! What shells and interpreters this machine has.

use brine_core::text::python_os_error;
use super::spawn::{Launch, own_session};
use super::wait::{End, Source, wait};
use super::which;
use brine_core::call::{Cx, Result};
use brine_core::{Map, map};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Name, how to ask for the version, and the text before it.
const KNOWN: [(&str, &[&str], &str); 10] = [
    ("bash", &["bash", "--version"], "version "),
    ("bash-test-error", &["bash", "--version"], "versioZ "),
    ("bash-test-env", &["bash", "-c", "declare"], "HOME="),
    ("zsh", &["zsh", "--version"], "zsh "),
    ("tcsh", &["tcsh", "--version"], "tcsh "),
    ("powershell", &["powershell", "-NonInteractive", "$PSVersionTable"], "PSVersion"),
    ("perl", &["perl", "-e", "printf \"%vd\\n\", $^V;"], ""),
    ("python", &["python", "-V"], "Python "),
    ("ruby", &["ruby", "-v"], "ruby "),
    ("php", &["php", "-v"], "PHP "),
];

/// The lines of `/etc/shells` that name a shell.
pub(super) fn listed() -> Vec<String> {
    let text = std::fs::read_to_string("/etc/shells").unwrap_or_default();
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect()
}

/// Version and path of a shell or interpreter.
pub(super) fn info(cx: &Cx, shell: &str) -> Result<Map> {
    let Some((_, argv, before)) = KNOWN.iter().find(|(name, ..)| *name == shell) else {
        let text = format!("Salt does not know how to get the version number for {shell}");
        return Ok(map! { "error" => text, "installed" => () });
    };
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let failed = |reason: String| {
        let text = format!("Unable to run command '{}' Reason: {reason}", argv.join(" "));
        map! { "error" => text, "installed" => false }
    };
    let mut env = crate::environ::current(cx);
    env.entry("HOME".into()).or_insert(super::identity::home(None)?.into());
    let launch =
        Launch { argv: &argv, env: &env, cwd: Path::new("/"), identity: None, umask: None, session: own_session(cx), terminal: false };
    let (out, end) = std::io::pipe()?;
    let child = match launch.start(Stdio::null(), end.try_clone()?.into(), end.into()) {
        Ok(child) => child,
        Err(e) => return Ok(failed(python_os_error(&e, &argv[0]))),
    };
    let out: Source = Box::new(out);
    let End::Exited(_, outputs) = wait(cx, child, None, vec![out], Some(Duration::from_secs(10)), |_, _| ())?
    else {
        return Ok(failed("Timed out.".into()));
    };
    let stdout = String::from_utf8_lossy(&outputs[0]).into_owned();
    let mut info = map! { "installed" => (), "path" => which::which(&argv[0]) };
    if let Some(raw) = raw_version(&stdout, before) {
        info.insert("version_raw", raw.as_str());
        let digits: &str = raw.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or("");
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            let mut parts: Vec<&str> = digits.split('.').take(3).collect();
            if parts.len() == 1 {
                parts.push("0");
            }
            info.insert("installed", true);
            info.insert("version", parts.join("."));
        }
    }
    if !info.contains("version") {
        let text =
            format!("The version regex pattern for shell {shell}, could not find the version string");
        info.insert("error", text);
        info.insert("stdout", stdout);
    }
    Ok(info)
}

/// The word after `before`, without regard to case; it must start with a digit unless it is an assignment.
fn raw_version(stdout: &str, before: &str) -> Option<String> {
    let lower = stdout.to_ascii_lowercase();
    let marker = before.to_ascii_lowercase();
    if before.ends_with('=') {
        let line = stdout.lines().find(|line| line.contains(before))?;
        return Some(line[line.find(before)?..].to_owned());
    }
    let mut from = 0;
    while let Some(at) = lower.get(from..)?.find(&marker) {
        let rest = stdout[from + at + marker.len()..].trim_start_matches(' ');
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            return rest.split_whitespace().next().map(str::to_owned);
        }
        from += at + marker.len().max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::raw_version;

    #[test]
    fn versions_are_found() {
        let bash = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\nCopyright";
        assert_eq!(raw_version(bash, "version ").as_deref(), Some("5.2.15(1)-release"));
        assert_eq!(raw_version(bash, "versioZ "), None);
        assert_eq!(raw_version("5.36.0\n", "").as_deref(), Some("5.36.0"));
        assert_eq!(raw_version("BASH=1\nHOME=/root\n", "HOME=").as_deref(), Some("HOME=/root"));
    }
}
