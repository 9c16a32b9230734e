//! Grains of the process and its environment: user, path, shell, locale, time zone, machine id, boot parameters.

use super::read;
use brine_core::{Map, Value, map};
use nix::unistd::{Gid, Group, Uid, User};
use sha2::{Digest, Sha256};
use std::path::Path;

pub(super) fn cwd() -> Map {
    std::env::current_dir().map(|d| map! {"cwd" => d.to_string_lossy().into_owned()}).unwrap_or_default()
}

pub(super) fn machine_id() -> Map {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find(|p| Path::new(p).exists())
        .and_then(read::trimmed)
        .map(|id| map! {"machine_id" => id})
        .unwrap_or_default()
}

/// 31 bits of the SHA-256 of the minion's id.
pub(super) fn server_id(id: &str) -> i64 {
    let hash = Sha256::digest(id.as_bytes());
    let last: [u8; 4] = [hash[28], hash[29], hash[30], hash[31]];
    i64::from(u32::from_be_bytes(last) & 0x7fff_ffff)
}

/// `path`, `systempath`.
pub(super) fn collect() -> Map {
    let path = std::env::var_os("PATH").unwrap_or_default().to_string_lossy().trim().to_owned();
    let parts: Vec<String> = path.split(':').map(str::to_owned).collect();
    map! {"path" => path, "systempath" => parts}
}

pub(super) fn shell() -> Map {
    map! {"shell" => std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into())}
}

pub(super) fn transactional() -> Map {
    map! {"transactional" => read::which("transactional-update").is_some()}
}

/// `efi`, `efi-secure-boot`.
pub(super) fn efi() -> Map {
    let dir =
        ["/sys/firmware/efi/efivars", "/sys/firmware/efi/vars"].into_iter().find(|p| Path::new(p).exists());
    let secure = dir.is_some_and(|dir| {
        let found: Vec<String> =
            read::names(dir).into_iter().filter(|n| n.starts_with("SecureBoot-")).collect();
        let [only] = found.as_slice() else { return false };
        let file =
            if dir.ends_with("efivars") { format!("{dir}/{only}") } else { format!("{dir}/{only}/data") };
        read::bytes(file).is_some_and(|b| b.last() == Some(&1))
    });
    map! {"efi" => dir.is_some(), "efi-secure-boot" => secure}
}

/// `username`, `groupname`, `pid`, `gid`, `uid`.
pub(super) fn process() -> Map {
    let uid = Uid::effective();
    let user = User::from_uid(uid).ok().flatten();
    let group = user.as_ref().and_then(|u| Group::from_gid(u.gid).ok().flatten());
    map! {
        "username" => user.map_or_else(|| uid.to_string(), |u| u.name),
        "groupname" => group.map_or_else(String::new, |g| g.name),
        "pid" => std::process::id(),
        "gid" => Gid::effective().as_raw(),
        "uid" => uid.as_raw(),
    }
}

/// `kernelparams`: each a name and its value, or nothing where there is no `=` (or more than one).
pub(super) fn kernel_parameters() -> Map {
    let Some(line) = read::text("/proc/cmdline") else { return Map::new() };
    let params: Vec<Value> = words(&line)
        .into_iter()
        .map(|word| {
            let parts: Vec<&str> = word.split('=').collect();
            let value = if let [_, value] = parts.as_slice() { Some(value.trim_matches('"')) } else { None };
            Value::List(vec![parts.first().copied().unwrap_or("").into(), value.into()])
        })
        .collect();
    map! {"kernelparams" => params}
}

/// Words as a shell splits them: quotes group, a backslash escapes; no expansion.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_ascii_whitespace() => out.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some('"'), '\\') => {
                let next = chars.next();
                let word = word.get_or_insert_default();
                if !matches!(next, Some('"' | '\\')) {
                    word.push('\\');
                }
                word.extend(next);
            }
            (Some(q), c) if c == q => quote = None,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

/// `locale_info`: the character locale as Python's `locale.getlocale` names it, and the zone's abbreviation now.
pub(super) fn locale() -> Map {
    let (language, encoding) = locale_of(|name| std::env::var(name).ok());
    let zone = local_zone_name().unwrap_or_else(|| "unknown".into());
    map! {"locale_info" => map! {
        "defaultlanguage" => language,
        "defaultencoding" => encoding,
        "detectedencoding" => "utf-8",
        "timezone" => zone,
    }}
}

fn locale_of(var: impl Fn(&str) -> Option<String>) -> (Option<String>, Option<String>) {
    let set = |name: &str| var(name).filter(|v| !v.is_empty());
    let chosen =
        set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_else(|| "C".into());
    let usable = available(&chosen);
    let plain = matches!(chosen.as_str(), "C" | "POSIX") || !usable;
    // Python leaves a plain C locale for C.UTF-8, unless LC_ALL insists.
    if plain && set("LC_ALL").is_some() {
        return (None, None);
    }
    let name = if plain { "C.UTF-8" } else { &chosen };
    let name = name.split('@').next().unwrap_or(name);
    let (language, encoding) = name.split_once('.').unwrap_or((name, "ISO8859-1"));
    let language = if matches!(language, "C" | "POSIX") { "en_US" } else { language };
    let flat: String = encoding.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let encoding = match flat.strip_prefix("iso8859") {
        _ if flat == "utf8" => "UTF-8".into(),
        Some(part) => format!("ISO8859-{part}"),
        None => encoding.to_owned(),
    };
    (Some(language.to_owned()), Some(encoding))
}

/// Whether the C library has this locale compiled.
fn available(name: &str) -> bool {
    let (language, encoding) = name.split_once('.').unwrap_or((name, ""));
    let flat: String = encoding.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let short = if flat.is_empty() { language.to_owned() } else { format!("{language}.{flat}") };
    if language == "C" || language == "POSIX" {
        return flat.is_empty() || flat == "utf8";
    }
    let safe = short.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    safe && (Path::new("/usr/lib/locale").join(&short).exists() || in_archive(&short).unwrap_or(false))
}

/// Whether the archive of locales has one of this name: its head says where its names are.
fn in_archive(name: &str) -> Option<bool> {
    let file = std::fs::File::open("/usr/lib/locale/locale-archive").ok()?;
    let head = read::bytes_at(&file, 0, 28)?;
    let number = |at: usize| Some(u32::from_ne_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let (from, used) = (number(20)?, number(24)?);
    let names = read::bytes_at(&file, from.into(), used as usize)?;
    Some(names.split(|b| *b == 0).any(|n| n == name.as_bytes()))
}

/// The abbreviation of the local zone now (`CET`).
pub(crate) fn local_zone_name() -> Option<String> {
    let zone = tz::TimeZone::local().ok()?;
    Some(zone.find_current_local_time_type().ok()?.time_zone_designation().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_shells() {
        assert_eq!(words(r#"a  b="c d" 'e\f' "g\"h" i\ j"#), ["a", "b=c d", r"e\f", "g\"h", "i j"]);
        assert_eq!(words("\"\""), [""]);
    }

    #[test]
    fn a_c_locale_is_utf8_unless_insisted_upon() {
        let with = |pairs: &'static [(&str, &str)]| {
            locale_of(move |n| pairs.iter().find(|(k, _)| *k == n).map(|(_, v)| (*v).to_owned()))
        };
        let utf8 = (Some("en_US".to_owned()), Some("UTF-8".to_owned()));
        assert_eq!(with(&[]), utf8);
        assert_eq!(with(&[("LANG", "C")]), utf8);
        assert_eq!(with(&[("LC_ALL", "C.UTF-8")]), utf8);
        assert_eq!(with(&[("LC_ALL", "C")]), (None, None));
        assert_eq!(with(&[("LANG", "xx_YY.UTF-8")]), utf8);
    }

    #[test]
    fn the_server_id_is_stocks() {
        assert_eq!(server_id("stockm"), 1_374_471_545);
    }
}
