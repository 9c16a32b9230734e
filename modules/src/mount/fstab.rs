//! `fstab`: what the machine mounts when it starts.

use super::{joined, only_asks, unread, unwritten, write};
use crate::settings;
use brine_core::call::{CallError, KwArgs, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// How the lines of such a file are made: what stands in them, in order; how many words there may be; how one is written.
pub(super) struct Form {
    pub(super) keys: &'static [&'static str],
    pub(super) least: usize,
    pub(super) write: fn(&[String]) -> String,
    /// File systems that have no device, which are told apart by their place.
    pub(super) special: &'static [&'static str],
}

const FSTAB: Form = Form {
    keys: &["device", "name", "fstype", "opts", "dump", "pass_num"],
    least: 4,
    write: |words| match words {
        [device, name, fstype, opts, dump, pass] => {
            format!("{device}\t\t{name}\t{fstype}\t{opts}\t{dump} {pass}\n")
        }
        _ => String::new(),
    },
    special: &[
        "none",
        "tmpfs",
        "sysfs",
        "proc",
        "fusectl",
        "debugfs",
        "securityfs",
        "devtmpfs",
        "cgroup",
        "nfs",
        "nfs4",
        "glusterfs",
        "btrfs",
    ],
};

impl Form {
    /// The words of a line; `None` for one that is none of these.
    fn words(&self, line: &str) -> Option<Vec<String>> {
        if line.starts_with('#') {
            return None;
        }
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        if words.len() < self.least || words.len() > self.keys.len() {
            return None;
        }
        words.resize(self.keys.len(), "0".to_owned());
        Some(words)
    }

    /// Whether a line says the same as another in these things.
    fn fits(&self, words: &[String], wanted: &[String], about: &[usize]) -> bool {
        let sorted = |opts: &str| {
            let mut all: Vec<String> = opts.split(',').map(str::to_owned).collect();
            all.sort_unstable();
            all
        };
        about.iter().all(|at| match self.keys[*at] {
            "opts" => sorted(&words[*at]) == sorted(&wanted[*at]),
            _ => words[*at] == wanted[*at],
        })
    }

    fn places(&self, names: &[&str]) -> Option<Vec<usize>> {
        names.iter().map(|name| self.keys.iter().position(|key| key == name)).collect()
    }
}

/// What a new line is to replace, and when it is to.
pub(super) struct Wish {
    pub(super) words: Vec<String>,
    pub(super) match_on: Value,
    pub(super) not_change: bool,
    pub(super) only_asks: bool,
}

/// Sets one line of a file: `present`, `change` or `new`.
pub(super) fn set(form: &Form, config: &str, wish: &Wish) -> Result<&'static str> {
    let fstype = form.keys.iter().position(|key| *key == "fstype").map_or("", |at| wish.words[at].as_str());
    let names: Vec<String> = match &wish.match_on {
        Value::List(all) => all.iter().map(python_str).collect(),
        Value::Str(auto) if auto == "auto" => {
            vec![if form.special.contains(&fstype) { "name" } else { "device" }.to_owned()]
        }
        Value::Str(one) => vec![one.clone()],
        _ => return Err(CallError::execution("match_on must be a string or list of strings")),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let about = form.places(&names).ok_or_else(|| {
        let unknown: Vec<&str> = names.iter().copied().filter(|name| !form.keys.contains(name)).collect();
        CallError::execution(format!("Unrecognized keys in match_on: \"{}\"", unknown.join(", ")))
    })?;
    if !Path::new(config).is_file() {
        return Err(CallError::execution(format!("Bad config file \"{config}\"")));
    }
    let text = settings::text(config).map_err(|e| unread(config, &e))?;
    let all: Vec<usize> = (0..form.keys.len()).collect();
    let (mut out, mut ret) = (String::new(), None);
    for line in settings::lines(&text) {
        let words = form.words(line).filter(|words| form.fits(words, &wish.words, &about));
        match words {
            Some(words) if wish.not_change || form.fits(&words, &wish.words, &all) => {
                ret = Some("present");
                out += line;
            }
            Some(_) => {
                ret = Some("change");
                out += &(form.write)(&wish.words);
            }
            None => out += line,
        }
    }
    let ret = ret.unwrap_or_else(|| {
        out += &(form.write)(&wish.words);
        "new"
    });
    if ret != "present" && !wish.only_asks {
        write(config, &out)?;
    }
    Ok(ret)
}

/// What such a file says, by place. A place that is there twice gets a longer name.
pub(super) fn read(config: &str) -> Result<Map> {
    let mut all = Map::new();
    if !Path::new(config).is_file() {
        return Ok(all);
    }
    let text = settings::text(config).map_err(|e| crate::hashutil::file_error(&e, config))?;
    for words in settings::lines(&text).filter_map(|line| FSTAB.words(line)) {
        let [device, mut name, fstype, opts, dump, pass]: [String; 6] = match words.try_into() {
            Ok(words) => words,
            Err(_) => continue,
        };
        while all.contains(&name) {
            name.push('_');
        }
        let opts: Vec<&str> = opts.split(',').collect();
        all.insert(
            name,
            map! { "device" => device, "fstype" => fstype, "opts" => opts, "dump" => dump, "pass" => pass },
        );
    }
    Ok(all)
}

/// Removes the lines of a place and a device.
pub(super) fn remove(name: &str, device: &Value, config: &str) -> Result<bool> {
    let text = settings::text(config).map_err(|e| unread(config, &e))?;
    let device = (!device.is_nil()).then(|| python_str(device));
    let goes = |line: &&str| {
        FSTAB.words(line).is_some_and(|words| words[1] == name && device.as_ref().is_none_or(|d| words[0] == *d))
    };
    let left: Vec<&str> = settings::lines(&text).filter(|line| !goes(line)).collect();
    let left = left.concat();
    if left != text {
        settings::write(config, left.as_bytes()).map_err(|e| unwritten(config, &e))?;
    }
    Ok(true)
}

/// What the machine mounts when it starts, by place.
///
/// CLI Example: salt '*' mount.fstab
#[exec]
pub(super) fn fstab(#[default("/etc/fstab")] config: String) -> Result<Map> {
    read(&config)
}

/// Remove the line of a place and a device.
///
/// CLI Example: salt '*' mount.rm_fstab /mnt/foo /dev/sdg
#[exec]
pub(super) fn rm_fstab(name: String, device: Value, #[default("/etc/fstab")] config: String) -> Result<bool> {
    remove(&name, &device, &config)
}

/// Set the line of a device, or of a place where there is no device: `present` if it says so already, `change` if it said
/// something else, `new` if there was none. `match_on` names what a line is found by, `not_change` lets one that is found as it
/// is, and with `test=True` nothing is written.
///
/// CLI Example: salt '*' mount.set_fstab /mnt/foo /dev/sdz1 ext4
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn set_fstab(
    name: String,
    device: String,
    fstype: String,
    #[default("defaults")] opts: Value,
    #[default(0)] dump: Value,
    #[default(0)] pass_num: Value,
    #[default("/etc/fstab")] config: String,
    #[default(false)] test: Value,
    #[default("auto")] match_on: Value,
    #[default(false)] not_change: bool,
    kwargs: KwArgs,
) -> Result<&'static str> {
    let space = |text: &str| text.replace("\\ ", "\\040");
    let words = vec![
        space(&device),
        name,
        fstype,
        space(&joined(&opts)),
        python_str(&dump),
        python_str(&pass_num),
    ];
    set(&FSTAB, &config, &Wish { words, match_on, not_change, only_asks: only_asks(&test, &kwargs) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_and_compared() {
        let words = FSTAB.words("/dev/sda1 / ext4 ro,noatime\n").unwrap();
        assert_eq!(words[4..], ["0", "0"]);
        let other = FSTAB.words("/dev/sda1 /x ext4 noatime,ro 0 1").unwrap();
        assert!(FSTAB.fits(&words, &other, &[0, 2, 3]) && !FSTAB.fits(&words, &other, &[1]));
        assert!(FSTAB.words("# a b c d").is_none() && FSTAB.words("a b c").is_none());
        assert_eq!((FSTAB.write)(&words), "/dev/sda1\t\t/\text4\tro,noatime\t0 0\n");
    }
}
