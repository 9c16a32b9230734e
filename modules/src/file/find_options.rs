//! The options of `file.find`: what a file must be, and what is done with it.

use super::hash;
use super::owner::{group_name, user_name};
use crate::python::shlex;
use brine_core::call::{Args, Cx};
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use nix::unistd::{Group, User};
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a file must be.
pub(super) enum Criterion {
    Name(Regex),
    Type(BTreeSet<char>),
    Owner(BTreeSet<u32>),
    Group(BTreeSet<u32>),
    Size(i128, i128),
    /// Seconds since 1970, and whether it must be newer.
    Modified(i64, bool),
    Grep(Regex),
}

/// What is done with a file.
pub(super) enum Action {
    Print(Vec<String>),
    Delete,
    Exec(String),
}

/// All options.
pub(super) struct Options {
    pub(super) criteria: Vec<Criterion>,
    pub(super) actions: Vec<Action>,
    pub(super) mindepth: i128,
    pub(super) maxdepth: Option<i128>,
    pub(super) test: bool,
}

impl Options {
    /// Reads options; the error is Python's text.
    pub(super) fn new(given: &Map) -> Result<Self, String> {
        let depth = |key: &str| given.get(key).and_then(Value::as_int).map(i128::from);
        let mut options = Self {
            criteria: Vec::new(),
            actions: Vec::new(),
            mindepth: depth("mindepth").unwrap_or(0),
            maxdepth: depth("maxdepth"),
            test: given.get("test").is_some_and(Value::truthy),
        };
        for (key, value) in given {
            let key = python_str(key);
            if key.starts_with('_') || matches!(key.as_str(), "mindepth" | "maxdepth" | "test") {
                continue;
            }
            if !value.truthy() {
                return Err(format!("missing value for \"{key}\" option"));
            }
            options.one(&key, &python_str(value))?;
        }
        options.criteria.sort_by_key(Criterion::cost);
        if options.actions.is_empty() {
            options.actions.push(Action::Print(vec!["path".into()]));
        }
        Ok(options)
    }

    fn one(&mut self, key: &str, value: &str) -> Result<(), String> {
        let criterion = match key {
            "name" => Criterion::Name(shell(value, "")?),
            "iname" => Criterion::Name(shell(value, "(?i)")?),
            "regex" => Criterion::Name(regex(value, "")?),
            "iregex" => Criterion::Name(regex(value, "(?i)")?),
            "type" => Criterion::Type(types(value)?),
            "owner" => Criterion::Owner(ids(value, "user", |name| {
                User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
            })?),
            "group" => Criterion::Group(ids(value, "group", |name| {
                Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
            })?),
            "size" => {
                let (least, most) = size(value)?;
                Criterion::Size(least, most)
            }
            "mtime" => {
                let (since, newer) = interval(value)?;
                Criterion::Modified(since, newer)
            }
            "grep" => {
                let found = Regex::new(value, Anchor::Search);
                Criterion::Grep(found.map_err(|_| format!("invalid regular expression: \"{value}\""))?)
            }
            "print" => {
                let words: Vec<String> = value.replace(',', " ").split_whitespace().map(str::to_owned).collect();
                self.actions.push(Action::Print(if words.is_empty() { vec!["path".into()] } else { words }));
                return Ok(());
            }
            "delete" => {
                let wanted = if value.contains('a') { "bcdpfls" } else { value };
                self.actions.push(Action::Delete);
                Criterion::Type(types(wanted)?)
            }
            "exec" => {
                self.actions.push(Action::Exec(value.to_owned()));
                return Ok(());
            }
            other => return Err(format!("invalid option \"{other}\"")),
        };
        self.criteria.push(criterion);
        Ok(())
    }
}

impl Criterion {
    /// Names first, then what needs a look at the file, then what needs its contents.
    fn cost(&self) -> u8 {
        match self {
            Criterion::Name(_) => 0,
            Criterion::Grep(_) => 2,
            _ => 1,
        }
    }

    /// Whether a file is so.
    pub(super) fn holds(&self, name: &str, path: &str, meta: &Metadata) -> bool {
        match self {
            Criterion::Name(regex) => regex.is_match(name).unwrap_or(false),
            Criterion::Type(types) => types.contains(&letter(meta)),
            Criterion::Owner(uids) => uids.contains(&meta.uid()),
            Criterion::Group(gids) => gids.contains(&meta.gid()),
            Criterion::Size(least, most) => (*least..=*most).contains(&i128::from(meta.size())),
            Criterion::Modified(since, true) => meta.mtime() >= *since,
            Criterion::Modified(since, false) => meta.mtime() <= *since,
            Criterion::Grep(regex) => {
                meta.is_file()
                    && fs::read(path).is_ok_and(|data| {
                        !data.is_empty() && regex.is_match(&String::from_utf8_lossy(&data)).unwrap_or(false)
                    })
            }
        }
    }
}

impl Action {
    /// Does it; `None` where there is nothing to tell.
    pub(super) fn run(&self, cx: &Cx, path: &str, meta: &Metadata, test: bool) -> Option<Value> {
        match self {
            Action::Print(words) => {
                let mut all: Vec<Value> = words.iter().filter_map(|word| printed(word, path, meta)).collect();
                Some(if all.len() == 1 { all.remove(0) } else { all.into() })
            }
            Action::Delete if test => Some(path.into()),
            Action::Delete => {
                let gone = match fs::symlink_metadata(path) {
                    Ok(own) if own.is_dir() => fs::remove_dir_all(path),
                    _ if meta.is_file() || fs::symlink_metadata(path).is_ok_and(|own| own.is_symlink()) => {
                        fs::remove_file(path)
                    }
                    // As stock, which then says that it has.
                    _ => Ok(()),
                };
                gone.is_ok().then(|| path.into())
            }
            Action::Exec(command) => Some(exec(cx, command, path)),
        }
    }
}

fn exec(cx: &Cx, command: &str, path: &str) -> Value {
    let command = command.replace("{}", path);
    let failed = |why: String| {
        tracing::error!("Exception while executing command \"{command}\":\n\n{why}");
        Value::from(format!("{path}: Failed"))
    };
    let words: Vec<Value> = match shlex::split(&command) {
        Ok(words) => words.into_iter().map(Value::from).collect(),
        Err(e) => return failed(e.to_string()),
    };
    let args = Args::positional([Value::List(words)]).with("python_shell", false).with("ignore_retcode", true);
    match cx.call("cmd.run_all", args.with("strip", false)) {
        Ok(out) => {
            let text = |key: &str| out.as_map().and_then(|m| m.get_str(key)).unwrap_or_default().to_owned();
            if !text("stderr").is_empty() {
                tracing::error!("Error running command: {command}\n\n{}", text("stderr"));
            }
            format!("{command}:\n{}\n", text("stdout")).into()
        }
        Err(e) => failed(e.to_string()),
    }
}

fn printed(word: &str, path: &str, meta: &Metadata) -> Option<Value> {
    Some(match word {
        "path" => path.into(),
        "name" => crate::python::path::basename(path).into(),
        "size" => meta.size().into(),
        "type" => letter(meta).to_string().into(),
        // The last three octal digits, read as a number.
        "mode" => (meta.mode() & 0o777).into(),
        "mtime" => meta.mtime().into(),
        "user" => user_name(meta.uid()),
        "group" => group_name(meta.gid()),
        "md5" if meta.is_file() => hash::of_file(path, "md5").unwrap_or_default().into(),
        "md5" => "".into(),
        _ => return None,
    })
}

/// The letter of a type of files.
pub(super) fn letter(meta: &Metadata) -> char {
    match meta.mode() & 0o170_000 {
        0o060_000 => 'b',
        0o020_000 => 'c',
        0o040_000 => 'd',
        0o100_000 => 'f',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '?',
    }
}

/// Stock's own translation of shell patterns: `.`, `?` and `*` only, and a match from the start.
fn shell(pattern: &str, flags: &str) -> Result<Regex, String> {
    let text = pattern.replace('.', "\\.").replace('?', ".?").replace('*', ".*");
    regex(&format!("{text}$"), flags)
}

fn regex(pattern: &str, flags: &str) -> Result<Regex, String> {
    Regex::new(&format!("{flags}{pattern}"), Anchor::Match)
        .map_err(|_| format!("invalid regular expression: \"{pattern}\""))
}

fn types(value: &str) -> Result<BTreeSet<char>, String> {
    let letters = value.chars().filter(|c| *c != ',' && !c.is_whitespace());
    letters
        .map(|c| if "bcdflps".contains(c) { Ok(c) } else { Err(format!("invalid file type \"{c}\"")) })
        .collect()
}

fn ids(value: &str, what: &str, find: impl Fn(&str) -> Option<u32>) -> Result<BTreeSet<u32>, String> {
    let names = value.replace(',', " ");
    names
        .split_whitespace()
        .map(|name| {
            let number = name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse().ok()).flatten();
            number.or_else(|| find(name)).ok_or_else(|| format!("no such {what} \"{name}\""))
        })
        .collect()
}

/// The least and the greatest size that `+10k` and the like mean.
fn size(value: &str) -> Result<(i128, i128), String> {
    let text = value.trim();
    let (style, text) = match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => ('=', text),
    };
    let power = text.chars().last().and_then(|c| "bkmgt".find(c.to_ascii_lowercase()));
    let (text, unit) = match power {
        Some(power) => (text[..text.len() - 1].trim(), 1_i128 << (10 * power)),
        None => (text, 1),
    };
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as Python's int(float)")]
    let number = match text.trim().parse::<i128>() {
        Ok(n) => n.checked_mul(unit),
        Err(_) => text.trim().parse::<f64>().ok().map(|x| (x * unit as f64) as i128),
    };
    let number = number.ok_or_else(|| format!("invalid size: \"{value}\""))?;
    Ok(match style {
        '-' => (0, number),
        '+' => (number, i128::from(i64::MAX)),
        _ => (number, number + unit - 1),
    })
}

/// The moment that `+3d` and the like mean, and whether files must be newer.
fn interval(value: &str) -> Result<(i64, bool), String> {
    let wrong = || format!("invalid time interval: '{value}'");
    let text = value.trim();
    let (newer, mut text) = match text.chars().next() {
        Some('-') => (true, &text[1..]),
        Some('+') => (false, &text[1..]),
        _ => (false, text),
    };
    let mut units = &[('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)][..];
    let (mut sum, mut finest) = (0.0, None);
    while !text.trim_start().is_empty() {
        text = text.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, rest) = (&text[..end], text[end..].trim_start());
        let unit = rest.chars().next().map(|c| c.to_ascii_lowercase()).ok_or_else(wrong)?;
        let at = units.iter().position(|(letter, _)| *letter == unit).ok_or_else(wrong)?;
        let well_formed = number.starts_with(|c: char| c.is_ascii_digit());
        let number: f64 = number.parse().ok().filter(|_| well_formed).ok_or_else(wrong)?;
        sum += number * f64::from(units[at].1);
        finest = Some(units[at].1);
        units = &units[at + 1..];
        text = &rest[1..];
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let finest = finest.ok_or_else(|| "unsupported operand type(s) for /: 'int' and 'NoneType'".to_owned())?;
    #[expect(clippy::cast_possible_truncation, reason = "as Python's int(float)")]
    let ago = (sum / f64::from(finest)) as i64 * i64::from(finest);
    Ok((i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(ago), newer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_intervals_are_read() {
        assert_eq!(size("10k"), Ok((10_240, 11_263)));
        assert_eq!(size("+1m"), Ok((1 << 20, i64::MAX.into())));
        assert_eq!(size("-1.5k"), Ok((0, 1536)));
        assert_eq!(size("x"), Err("invalid size: \"x\"".into()));
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let (since, newer) = interval("-1d 2h").unwrap();
        assert!(newer && (now - since - 93_600).abs() < 5);
        for bad in ["x", "3", "2h1d", "1x", ".5d"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
        assert_eq!(types("f, d"), Ok(['f', 'd'].into()));
        assert_eq!(types("q"), Err("invalid file type \"q\"".into()));
    }
}
