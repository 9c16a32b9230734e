//! Which distribution this is: `os`, `os_family`, `osfullname`, `osrelease`, `oscodename` and the `lsb_distrib_*`
//! grains, from `os-release`, `lsb-release` and the older `*-release` files.

mod names;

use super::read;
use brine_core::Map;
use names::{family_of, os_of};
use std::collections::BTreeMap;

/// The files, or what stands for them in a test.
pub(super) struct Files {
    os_release: Option<BTreeMap<String, String>>,
    lsb_release: Option<String>,
    /// The first line of the first `<distro>-release` file.
    other: Option<String>,
    centos: Option<String>,
}

/// The grains of this machine.
pub(super) fn grains() -> Map {
    let os_release = ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(read::text);
    derive(&Files {
        os_release: os_release.as_deref().map(parse_os_release),
        lsb_release: read::text("/etc/lsb-release"),
        other: other_release(),
        centos: read::text("/etc/centos-release"),
    })
}

fn other_release() -> Option<String> {
    const NOT: [&str; 6] =
        ["lsb-release", "os-release", "system-release", "oem-release", "board-release", "plesk-release"];
    read::names("/etc")
        .into_iter()
        .filter(|n| n.ends_with("-release") && !NOT.contains(&n.as_str()))
        .find_map(|n| read::text(format!("/etc/{n}"))?.lines().next().map(str::to_owned))
}

/// `os-release` with the three mandatory keys filled in.
fn parse_os_release(text: &str) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = [("NAME", "Linux"), ("ID", "linux"), ("PRETTY_NAME", "Linux")]
        .map(|(k, v)| (k.into(), v.into()))
        .into();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let value = value.trim_end();
        let inner =
            ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(value);
        let mut plain = String::with_capacity(inner.len());
        let mut chars = inner.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some(n)) if "\\$\"'`".contains(*n) => plain.extend(chars.next()),
                _ => plain.push(c),
            }
        }
        out.insert(key.to_owned(), plain);
    }
    out
}

/// `lsb_distrib_id` and its kin from `/etc/lsb-release`.
fn parse_lsb(text: &str, grains: &mut Map) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if !matches!(key, "DISTRIB_ID" | "DISTRIB_RELEASE" | "DISTRIB_CODENAME" | "DISTRIB_DESCRIPTION") {
            continue;
        }
        let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
        let end = value
            .find(|c: char| !(c.is_alphanumeric() || c.is_whitespace() || "_.-".contains(c)))
            .unwrap_or(value.len());
        if end > 0 {
            grains.insert(format!("lsb_{}", key.to_lowercase()), value[..end].trim_end());
        }
    }
}

fn derive(files: &Files) -> Map {
    let mut grains = Map::new();
    if let Some(text) = &files.lsb_release {
        parse_lsb(text, &mut grains);
    }
    let empty = BTreeMap::new();
    let release = files.os_release.as_ref().unwrap_or(&empty);
    let field = |key: &str| release.get(key).map(String::as_str).filter(|s| !s.is_empty());
    if let Some(name) = field("NAME") {
        grains.insert("os", os_of(name, field("ID")));
        grains.insert("os_family", "");
        if let Some(code) = field("VERSION_CODENAME") {
            grains.insert("oscodename", code);
        }
        grains.insert("osfullname", name.trim());
    }
    if grains.get_str("lsb_distrib_description").unwrap_or("").to_lowercase().starts_with("antergos") {
        grains.insert("osfullname", "Antergos Linux");
    } else if !grains.contains("lsb_distrib_id") {
        if files.os_release.is_some() {
            lsb_from_os_release(release, &mut grains);
        } else if let Some(text) = &files.centos {
            lsb_from_centos(text, &mut grains);
        }
    }
    let (name, version, codename) = fallback(files, release);
    let lsb = |grains: &Map, key: &str| grains.get_str(key).map(|s| s.trim().to_owned());
    if !grains.contains("osfullname") {
        let id = lsb(&grains, "lsb_distrib_id").unwrap_or_else(|| name.clone());
        let id = if id.to_lowercase().starts_with("nilrt") { "nilrt".into() } else { id };
        grains.insert("osfullname", id);
    }
    // These give no minor release in os-release; the older file does.
    let code = lsb(&grains, "lsb_distrib_codename").unwrap_or_default();
    if code.contains("CentOS Linux 7") || code.contains("CentOS Linux 8") {
        grains.remove("lsb_distrib_release");
    }
    let release_text = lsb(&grains, "lsb_distrib_release").unwrap_or(version);
    grains.insert("osrelease", release_text);
    let os = grains.get_str("os").unwrap_or("").to_owned();
    if let Some(inner) = code.split_once('(').map(|(_, r)| r.split(')').next().unwrap_or(r)) {
        if os.contains("AstraLinuxSE") {
            let first = inner.split_whitespace().next().unwrap_or("").to_lowercase();
            grains.insert("lsb_distrib_codename", first);
        } else if os.contains("Rocky") || os.contains("AlmaLinux") {
            grains.insert("lsb_distrib_codename", inner);
        }
    }
    let code = lsb(&grains, "lsb_distrib_codename").unwrap_or_default();
    let code = if code.is_empty() || code.contains("Red Hat") { codename } else { code };
    grains.insert("oscodename", code);
    if !grains.contains("os") {
        let os = os_of(grains.get_str("osfullname").unwrap_or(""), None);
        grains.insert("os", os);
    }
    let family = family_of(grains.get_str("os").unwrap_or("")).to_owned();
    grains.insert("os_family", family);
    grains
}

fn lsb_from_os_release(release: &BTreeMap<String, String>, grains: &mut Map) {
    let field = |key: &str| release.get(key).map(String::as_str);
    if let Some(name) = field("NAME") {
        grains.insert("lsb_distrib_id", name.trim());
    }
    if let Some(version) = field("VERSION_ID") {
        grains.insert("lsb_distrib_release", version);
    }
    if let Some(code) = field("VERSION_CODENAME").or_else(|| field("PRETTY_NAME")) {
        grains.insert("lsb_distrib_codename", code);
    }
    if let Some((vendor, version)) = field("CPE_NAME").and_then(cpe)
        && matches!(vendor.to_lowercase().as_str(), "suse" | "opensuse")
    {
        grains.insert("os", "SUSE");
        if field("NAME") == Some("openSUSE Leap") {
            grains.insert("osfullname", "Leap");
        } else if field("VERSION") == Some("Tumbleweed") {
            grains.insert("osfullname", "Tumbleweed");
        }
        if let (Some(version), "opensuse") = (version, vendor.as_str()) {
            grains.insert("lsb_distrib_release", version);
        }
    }
    if field("ID").map(str::trim) == Some("mendel")
        && let Some(version) = field("PRETTY_NAME").and_then(|p| p.split_whitespace().nth(2))
    {
        grains.insert("lsb_distrib_release", version);
    }
}

/// Vendor and version of a CPE name, old or new form.
fn cpe(name: &str) -> Option<(String, Option<String>)> {
    let parts: Vec<&str> = name.split(':').collect();
    if parts.len() < 5 || parts[0] != "cpe" {
        return None;
    }
    let real = |s: &str| (!s.is_empty() && s != "*").then(|| s.to_owned());
    if parts[1].starts_with('/') {
        return Some((parts[2].to_owned(), real(parts[4])));
    }
    (parts[1] == "2.3" && parts.len() >= 6).then(|| (parts[3].to_owned(), real(parts[5])))
}

fn lsb_from_centos(text: &str, grains: &mut Map) {
    grains.insert("lsb_distrib_id", "CentOS");
    for line in text.lines() {
        if let Some(version) = dotted(line) {
            let two: Vec<&str> = version.splitn(3, '.').take(2).collect();
            if two.len() == 2 {
                grains.insert("lsb_distrib_release", two.join("."));
            }
        }
        if let Some(code) = in_brackets(line) {
            grains.insert("lsb_distrib_codename", code);
        }
    }
}

/// Name, most exact version and code name, for what the other files leave open.
fn fallback(files: &Files, release: &BTreeMap<String, String>) -> (String, String, String) {
    let field = |key: &str| release.get(key).cloned();
    let other = files.other.as_deref().unwrap_or("");
    let candidates = [field("VERSION_ID"), dotted(other), field("PRETTY_NAME").as_deref().and_then(dotted)];
    let version = candidates.into_iter().flatten().fold(String::new(), |best, next| {
        let dots = |s: &str| s.matches('.').count();
        if best.is_empty() || dots(&next) > dots(&best) { next } else { best }
    });
    let from_version = field("VERSION").and_then(|v| {
        in_brackets(&v).or_else(|| Some(v.split_once(',')?.1.trim().to_owned())).filter(|s| !s.is_empty())
    });
    let codename = field("VERSION_CODENAME")
        .or_else(|| field("UBUNTU_CODENAME"))
        .or(from_version)
        .or_else(|| in_brackets(other))
        .unwrap_or_default();
    (field("NAME").unwrap_or_default(), version, codename)
}

/// The first number with dots in a text.
fn dotted(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|w| w.trim_matches('.'))
        .find(|w| !w.is_empty())
        .map(str::to_owned)
}

/// What stands in round brackets.
fn in_brackets(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('(')?;
    Some(rest.split_once(')')?.0.to_owned())
}

#[cfg(test)]
mod tests;
