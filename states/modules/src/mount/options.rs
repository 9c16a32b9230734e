//! Which options of a mount differ from those that are in force. The kernel does not show all of them as they were given.

use brine_core::call::{Args, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// Options that the kernel never shows.
const INVISIBLE: &[&str] = &[
    "_netdev",
    "actimeo",
    "bg",
    "comment",
    "defaults",
    "delay_connect",
    "direct-io-mode",
    "intr",
    "loop",
    "nointr",
    "nobootwait",
    "nofail",
    "password",
    "reconnect",
    "retry",
    "soft",
    "auto",
    "users",
    "bind",
    "nonempty",
    "transform_symlinks",
    "port",
    "backup-volfile-servers",
];

/// Options with a value that it never shows.
const INVISIBLE_KEYS: &[&str] =
    &["actimeo", "comment", "credentials", "direct-io-mode", "password", "port", "retry", "secretfile"];

/// What a state says beyond that.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) invisible: Vec<String>,
    pub(super) invisible_keys: Vec<String>,
    pub(super) ignored_keys: Map,
    pub(super) translations: Map,
}

impl Extra {
    fn is_invisible_key(&self, key: &str) -> bool {
        INVISIBLE_KEYS.contains(&key) || self.invisible_keys.iter().any(|known| known == key)
    }

    fn is_ignored(&self, fstype: &str, key: &str) -> bool {
        match self.ignored_keys.get(fstype) {
            Some(Value::List(keys)) => keys.iter().any(|known| known.as_str() == Some(key)),
            Some(_) => false,
            None => fstype == "ramfs" && key == "size",
        }
    }

    fn translated(&self, opt: &str) -> String {
        match (self.translations.get(opt), opt) {
            (Some(other), _) => python_str(other),
            (None, "tcp" | "udp") => format!("proto={opt}"),
            (None, other) => other.to_owned(),
        }
    }
}

/// A size in kilobytes, as the kernel shows it, if the option is one with a unit.
fn size(opt: &str) -> Option<String> {
    let rest = opt.strip_prefix("size=")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u128 = rest[..digits].parse().ok()?;
    let factor = match rest[digits..].chars().next()? {
        'k' => 1,
        'm' => 1024,
        'g' => 1024 * 1024,
        _ => return None,
    };
    Some(format!("size={}k", number.checked_mul(factor)?))
}

fn numbered(cx: &Cx, opt: String) -> Result<String> {
    let mut parts = opt.split('=');
    let (key, given) = (parts.next().unwrap_or_default(), parts.next());
    let function = match key {
        "uid" => "user.info",
        "gid" => "group.info",
        _ => return Ok(opt),
    };
    let Some(given) = given else { return Ok(opt) };
    if !given.is_empty() && given.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(format!("{key}={given}"));
    }
    let known = cx.call(function, Args::positional([given]))?;
    Ok(format!("{key}={}", known.get(key).map_or_else(|| given.to_owned(), python_str)))
}

/// The options that are not in force, as the kernel would show them; and the last option, so shown.
pub(super) fn missing(
    cx: &Cx,
    opts: &[String],
    fstype: &str,
    active: &mut Map,
    extra: &Extra,
) -> Result<(Vec<String>, String)> {
    let texts = |key: &str, active: &Map| -> Vec<String> {
        active.get(key).and_then(Value::as_list).unwrap_or_default().iter().map(python_str).collect()
    };
    let shown = texts("opts", active);
    let mut superopts = texts("superopts", active);
    let (mut missing, mut last) = (Vec::new(), String::new());
    for opt in opts {
        let mut opt = extra.translated(opt);
        let key = |opt: &str| opt.split('=').next().unwrap_or_default().to_owned();
        if extra.is_invisible_key(&key(&opt)) {
            opt = key(&opt);
        }
        if let Some(size) = size(&opt) {
            opt = size;
        }
        if fstype == "cifs" && key(&opt) == "user" {
            opt = format!("username={}", opt.split('=').nth(1).unwrap_or_default());
        }
        if extra.is_ignored(fstype, &key(&opt)) {
            opt = key(&opt);
        }
        opt = numbered(cx, opt)?;
        // As in stock: where the kernel shows a size, options count as that size.
        for known in &mut superopts {
            if let Some(size) = size(known) {
                opt.clone_from(&size);
                *known = size;
            }
        }
        let hidden = INVISIBLE.contains(&opt.as_str())
            || extra.invisible.contains(&opt)
            || extra.is_ignored(fstype, &opt)
            || extra.is_invisible_key(&opt);
        if !hidden && !shown.contains(&opt) && !superopts.contains(&opt) {
            missing.push(opt.clone());
        }
        last = opt;
    }
    active.insert("superopts", superopts);
    Ok((missing, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_kilobytes() {
        assert_eq!(size("size=2m").unwrap(), "size=2048k");
        assert_eq!(size("size=1g").unwrap(), "size=1048576k");
        assert_eq!((size("size=10"), size("size=5%"), size("mode=1")), (None, None, None));
    }
}
