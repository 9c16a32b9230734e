//! The init system, systemd's version and features, and SELinux, without asking their tools where a file knows.

use super::read;
use brine_core::{Map, map};
use std::path::{Path, PathBuf};

/// The `init` grain.
pub(super) fn init_system() -> &'static str {
    if Path::new("/run/systemd/system").exists() {
        return "systemd";
    }
    let Some(raw) = read::text("/proc/1/cmdline") else { return "unknown" };
    let line = raw.replace('\0', " ");
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some(first) = words.first() else { return "unknown" };
    let program = if first.starts_with('/') { Some(PathBuf::from(first)) } else { read::which(first) };
    if let Some(path) = program.filter(|p| p.is_file() && p.to_string_lossy().ends_with("bin/init")) {
        return named_in(&path).unwrap_or("unknown");
    }
    let runs = |name: &str| read::which(name).is_some_and(|p| words.iter().any(|w| Path::new(w) == p));
    for name in ["supervisord", "dumb-init", "tini"] {
        if runs(name) {
            return name;
        }
    }
    if words == ["runit"] || words.contains(&"/sbin/my_init") { "runit" } else { "unknown" }
}

/// Which init system names itself in this program.
fn named_in(program: &Path) -> Option<&'static str> {
    let file = std::fs::File::open(program).ok()?;
    // The one named first; stock reads in pieces and takes the first piece that names one.
    ["upstart", "sysvinit", "systemd"]
        .into_iter()
        .filter_map(|name| Some((read::find_in(&file, name.as_bytes())?, name)))
        .min()
        .map(|(_, name)| name)
}

/// The `systemd` grain, where systemd's tools are installed.
pub(super) fn systemd() -> Option<Map> {
    let tool = read::which("systemctl")?;
    read::which("localectl")?;
    let (version, features) =
        from_library().or_else(|| from_tool(&tool)).unwrap_or_else(|| ("UNDEFINED".into(), String::new()));
    Some(map! {"version" => version, "features" => features})
}

/// Version and features as systemd's shared library carries them: the tool prints these very bytes.
fn from_library() -> Option<(String, String)> {
    let triplet = format!("/usr/lib/{}-linux-gnu/systemd", std::env::consts::ARCH);
    let dirs = [triplet.as_str(), "/usr/lib64/systemd", "/usr/lib/systemd", "/lib/systemd"];
    let (path, version) = dirs.iter().find_map(|dir| {
        read::names(dir).into_iter().find_map(|name| {
            let rest = name.strip_prefix("libsystemd-shared-")?.strip_suffix(".so")?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let after = &rest[digits.len()..];
            let plain = !digits.is_empty() && (after.is_empty() || after.starts_with(['.', '-']));
            plain.then(|| (Path::new(dir).join(&name), digits))
        })
    })?;
    let file = std::fs::File::open(path).ok()?;
    let at = read::find_in(&file, b"PAM +AUDIT ")
        .or_else(|| read::find_in(&file, b"PAM -AUDIT "))?
        .checked_sub(1)?;
    let bytes = read::bytes_at(&file, at, 4096)?;
    let text = std::str::from_utf8(bytes.split(|b| *b == 0).next()?).ok()?;
    (text.starts_with(['+', '-']) && text.contains("default-hierarchy=")).then(|| (version, text.to_owned()))
}

fn from_tool(tool: &Path) -> Option<(String, String)> {
    let text = read::output(tool, &["--version"])?;
    let mut lines = text.lines();
    let version = lines.next()?.strip_prefix("systemd ")?.split_whitespace().next()?.to_owned();
    Some((version, lines.next()?.to_owned()))
}

/// The `selinux` grain, where SELinux's tools are installed.
pub(super) fn selinux() -> Option<Map> {
    read::which("selinuxenabled")?;
    // What `is_selinux_enabled` and `getenforce` look at: the file system, and a policy other than none.
    let enforce = ["/sys/fs/selinux/enforce", "/selinux/enforce"].iter().find_map(read::trimmed);
    let mut out = map! {"enabled" => enforce.is_some()};
    if read::which("getenforce").is_some() {
        out.insert(
            "enforced",
            match enforce.as_deref() {
                Some("1") => "Enforcing",
                Some(_) => "Permissive",
                None => "Disabled",
            },
        );
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_says_what_the_tool_says() {
        let (Some(tool), Some(library)) = (read::which("systemctl"), from_library()) else { return };
        assert_eq!(from_tool(&tool), Some(library));
    }
}
