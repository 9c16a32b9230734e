//! Files and directories that go: `file.tidied`, `file.pruned`, `file.retention_schedule`.

use super::common::error;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::clock::Clock;
use brine_core::posixpath::{expanduser, join};
use brine_core::schedule::strptime;
use brine_core::state::Outcome;
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A size as people write it, in bytes: units of a thousand end in `b`, others are of 1024. 0 for what is none.
fn bytes_of(size: &str) -> i128 {
    let size = size.trim();
    let end = size.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(size.len());
    let (value, unit) = size.split_at(end);
    let unit = match unit.trim_start().to_lowercase() {
        unit if unit.is_empty() => "b".to_owned(),
        unit => unit,
    };
    let mut letters = unit.chars();
    let power = letters.next().and_then(|letter| "bkmgtpezy".find(letter)).and_then(|at| u32::try_from(at).ok());
    let (base, power) = match (power, letters.as_str()) {
        (Some(power @ 1..), "b") => (1000_i128, power),
        (Some(power @ 1..), "" | "ib") => (1024, power),
        (Some(0), "") => (1, 0),
        _ => return 0,
    };
    let factor = base.pow(power);
    match value.parse::<i128>() {
        Ok(whole) => whole.saturating_mul(factor),
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as coarse as Python's")]
        Err(_) => value.parse::<f64>().map_or(0, |value| (value * factor as f64) as i128),
    }
}

/// What of a tree is to go.
struct Tidy<'a> {
    age: f64,
    size: f64,
    rmdirs: bool,
    rmlinks: bool,
    followlinks: bool,
    full_path: bool,
    time: &'a str,
    only: Option<&'a str>,
    both: bool,
    matches: Vec<Regex>,
    exclude: Vec<Regex>,
    today: i64,
}

fn unix_seconds() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "seconds are enough for days")]
    let now = brine_core::clock::unix_now() as i64;
    now
}

/// The day of a moment, counted from 1970, where this machine is.
fn day(unix: i64) -> i64 {
    let clock = Clock::local(unix);
    (unix + clock.offset).div_euclid(86_400)
}

impl Tidy<'_> {
    #[expect(clippy::cast_precision_loss, reason = "sizes and ages are compared with numbers of any kind")]
    fn goes(&self, path: &str, name: &str, meta: &Metadata) -> bool {
        let (allowed, size) = match () {
            () if meta.is_symlink() => (self.rmlinks, 0.0),
            () if meta.is_dir() => (self.rmdirs, 0.0),
            () => (true, meta.len() as f64),
        };
        let time = match self.time {
            "ctime" => meta.ctime(),
            "mtime" => meta.mtime(),
            _ => meta.atime(),
        };
        let old = (self.today - day(time)).abs() as f64 >= self.age;
        let large = size >= self.size;
        let counts = match self.only {
            Some("age") => old,
            Some(_) => large,
            None if self.both => old && large,
            None => old || large,
        };
        let name = if self.full_path { path } else { name };
        let hit = |all: &[Regex]| all.iter().any(|regex| regex.is_match(name).unwrap_or(false));
        counts && allowed && hit(&self.matches) && !hit(&self.exclude)
    }

    /// All that goes, the deepest first.
    fn find(&self, dir: &str, depth: usize, found: &mut Vec<Value>) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        let (mut dirs, mut files) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() { dirs.push(name) } else { files.push(name) }
        }
        for name in &dirs {
            let path = join(dir, &[name]);
            // Links in a circle lead back here; the kernel follows forty.
            if self.followlinks && depth < 40 || !Path::new(&path).is_symlink() {
                self.find(&path, depth + 1, found);
            }
        }
        for name in files.iter().chain(&dirs) {
            let path = join(dir, &[name]);
            match fs::symlink_metadata(&path) {
                Ok(meta) if self.goes(&path, name, &meta) => found.push(path.into()),
                Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                    tracing::warn!("Unable to read {path} due to permissions error.");
                }
                _ => {}
            }
        }
    }
}

fn patterns(given: &Value) -> Result<Vec<Regex>> {
    let one = |pattern: &Value| {
        Regex::new(&python_str(pattern), Anchor::Match)
            .map_err(|e| CallError::exception("re.error", e.to_string()))
    };
    match given {
        // Text is the list of its letters.
        Value::Str(text) => text.chars().map(|letter| one(&letter.to_string().into())).collect(),
        other => other.as_list().unwrap_or_default().iter().map(one).collect(),
    }
}

/// Remove what is old or large from a tree. `matches` and `exclude` are regular expressions of names.
///
/// name: the tree
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn tidied(
    cx: &Cx,
    name: String,
    #[default(0)] age: f64,
    #[default(Value::Nil)] matches: Value,
    #[default(false)] rmdirs: bool,
    #[default(0)] size: Value,
    #[default(Value::Nil)] exclude: Value,
    #[default(false)] full_path_match: bool,
    #[default(false)] followlinks: bool,
    #[default("atime")] time_comparison: Value,
    #[default("OR")] age_size_logical_operator: String,
    #[default(Value::Nil)] age_size_only: Value,
    #[default(true)] rmlinks: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _unread = kwargs;
    let name = expanduser(&name);
    let operator = age_size_logical_operator.to_uppercase();
    if !matches!(operator.as_str(), "AND" | "OR") {
        tracing::warn!("Logical operator must be 'AND' or 'OR'. Defaulting to 'OR'...");
    }
    let only = age_size_only.as_str().filter(|only| !only.is_empty()).map(str::to_lowercase);
    let only = only.filter(|only| {
        let known = matches!(only.as_str(), "age" | "size");
        if !known {
            tracing::warn!("age_size_only parameter must be 'age' or 'size' if set. Defaulting to 'None'...");
        }
        known
    });
    if !name.starts_with('/') {
        return Ok(error(&name, format!("Specified file {name} is not an absolute path")));
    }
    if !Path::new(&name).is_dir() {
        return Ok(error(&name, format!("{name} does not exist or is not a directory.")));
    }
    let time = time_comparison.as_str().map(str::to_lowercase).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "sizes are compared with numbers of any kind")]
    let size = match &size {
        Value::Str(text) => bytes_of(text) as f64,
        other => other.as_float().unwrap_or(0.0),
    };
    let tidy = Tidy {
        age,
        size,
        rmdirs,
        rmlinks,
        followlinks,
        full_path: full_path_match,
        time: &time,
        only: only.as_deref(),
        both: operator == "AND",
        matches: if matches.is_nil() { patterns(&vec![".*"].into())? } else { patterns(&matches)? },
        exclude: patterns(&exclude)?,
        today: day(unix_seconds()),
    };
    let mut found = Vec::new();
    tidy.find(&name, 0, &mut found);
    if found.is_empty() {
        return Ok(Outcome::ok(name.as_str(), format!("Nothing to remove from directory {name}")));
    }
    if cx.test {
        let changes = map! {"removed" => found};
        return Ok(Outcome::would(name.as_str(), format!("{name} is set for tidy")).with_changes(changes));
    }
    let mut removed = Vec::new();
    let text = format!("Removed {} files or directories from directory {name}", found.len());
    for path in found {
        match cx.call("file.remove", Args::positional([path.clone()])) {
            Ok(_) => removed.push(path),
            Err(e) if e.is_execution() => {
                return Ok(error(&name, e.text()).with_changes(map! {"removed" => removed}));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(Outcome::ok(name.as_str(), text).with_changes(map! {"removed" => removed}))
}

/// See to it that there is no empty directory; with `recurse` none of all that are empty below it.
///
/// name: the directory
#[exec]
pub(super) fn pruned(
    cx: &Cx,
    name: String,
    #[default(false)] recurse: bool,
    #[default(false)] ignore_errors: bool,
    #[default(Value::Nil)] older_than: Value,
) -> Result<Outcome> {
    let name = expanduser(&name);
    let recurse = recurse || ignore_errors;
    if !Path::new(&name).is_dir() {
        return Ok(Outcome::ok(name.as_str(), format!("Directory {name} is not present")));
    }
    if cx.test {
        let text = format!("Directory {name} is set for removal");
        return Ok(Outcome::would(name.as_str(), text).with_changes(map! {"deleted" => name.as_str()}));
    }
    let args = Args::positional([name.as_str()])
        .with("recurse", recurse)
        .with("verbose", true)
        .with("older_than", older_than);
    let Value::Map(mut done) = cx.call("file.rmdir", args)? else { return Ok(Outcome::new(name.as_str())) };
    let result = done.remove("result").is_some_and(|result| result.truthy());
    let mut deleted = done.get("deleted").and_then(Value::as_list).unwrap_or_default().to_vec();
    deleted.sort_by_key(python_str);
    let below = |deleted: Vec<Value>| {
        let text = format!("Recursively removed empty directories under {name}");
        Outcome::ok(name.as_str(), text).with_changes(map! {"deleted" => deleted})
    };
    if result {
        return Ok(match (recurse, deleted.is_empty()) {
            (true, false) => below(deleted),
            (true, true) => Outcome::new(name.as_str()),
            (false, _) => Outcome::ok(name.as_str(), format!("Removed directory {name}"))
                .with_changes(map! {"deleted" => name.as_str()}),
        });
    }
    if ignore_errors && !deleted.is_empty() {
        return Ok(below(deleted));
    }
    Ok(error(&name, format!("Failed to remove directory {name}")).with_changes(done))
}

/// Files by parts of the moment they are of: year, month and so on. The first of some parts are found, the newest of them first.
type ByTime = BTreeMap<Vec<i64>, String>;

/// The first file of each of the `count` newest periods, a period being the first `depth` parts of a moment.
fn firsts(files: &ByTime, depth: usize, count: usize) -> BTreeSet<String> {
    let mut periods: BTreeMap<&[i64], &String> = BTreeMap::new();
    for (time, name) in files {
        periods.entry(&time[..depth]).or_insert(name);
    }
    periods.values().rev().take(count).map(|name| (*name).clone()).collect()
}

/// Parts of a moment by month and by week; the last is the moment itself, in microseconds.
fn parts(clock: &Clock, exact: i64) -> (Vec<i64>, Vec<i64>) {
    let week = clock.strftime("%V").parse().unwrap_or(0);
    let week_day = clock.strftime("%u").parse().unwrap_or(0);
    (
        vec![clock.year, clock.month.into(), clock.day.into(), clock.hour.into(), exact],
        vec![clock.year, week, week_day, exact],
    )
}

/// Remove files of a directory by when they are of, all but the newest and the first of some periods (`retain`). When they are of
/// is in their names (`strptime_format`), or when they were changed.
///
/// name: the directory
#[exec]
pub(super) fn retention_schedule(
    cx: &Cx,
    name: String,
    retain: Map,
    strptime_format: Option<String>,
    #[default(Value::Nil)] timezone: Value,
) -> Result<Outcome> {
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.retention_schedule"));
    }
    if !Path::new(&name).is_dir() {
        return Ok(error(&name, "Name provided to file.retention must be a directory"));
    }
    let format = strptime_format.filter(|format| !format.is_empty());
    if format.is_none() && !timezone.is_nil() {
        return Err(CallError::Arguments("tzinfo argument must be None or of a tzinfo subclass, not type 'str'".into()));
    }
    let all = cx.call("file.readdir", Args::positional([name.as_str()]))?;
    let (mut by_month, mut by_week) = (ByTime::new(), ByTime::new());
    let (mut relevant, mut ignored) = (BTreeSet::new(), BTreeSet::new());
    for file in all.as_list().unwrap_or_default().iter().map(python_str) {
        let moment = match &format {
            Some(format) => strptime(&file, format).map(|moment| {
                let micros = moment.micros();
                (Clock::at(micros.div_euclid(1_000_000), 0), micros)
            }),
            None if file == "." || file == ".." => None,
            None => {
                let path = join(&name, &[&file]);
                fs::symlink_metadata(&path).ok().map(|meta| {
                    (Clock::local(meta.mtime()), meta.mtime() * 1_000_000 + meta.mtime_nsec() / 1000)
                })
            }
        };
        match moment {
            Some((clock, exact)) => {
                let (month, week) = parts(&clock, exact);
                by_month.insert(month, file.clone());
                by_week.insert(week, file.clone());
                relevant.insert(file);
            }
            None => {
                ignored.insert(file);
            }
        }
    }
    let mut retained = BTreeSet::new();
    for (rule, count) in &retain {
        let count = match count {
            Value::Str(all) if all == "all" => usize::MAX - 1,
            other => {
                let text = python_str(other);
                let wrong = || {
                    let text = brine_core::text::python_repr(&text.as_str().into());
                    CallError::exception("ValueError", format!("invalid literal for int() with base 10: {text}"))
                };
                usize::try_from(text.trim().parse::<i64>().map_err(|_| wrong())?.max(0)).unwrap_or(0)
            }
        };
        let rule = python_str(rule);
        let (files, depth, count) = match rule.as_str() {
            "first_of_year" => (&by_month, 1, count),
            "first_of_month" => (&by_month, 2, count),
            "first_of_day" => (&by_month, 3, count),
            "first_of_hour" => (&by_month, 4, count),
            "most_recent" => (&by_month, 5, count),
            // Stock counts one more.
            "first_of_week" => (&by_week, 2, count + 1),
            _ => return Err(CallError::exception("KeyError", format!("'{rule}'"))),
        };
        retained.extend(firsts(files, depth, count));
    }
    let newest = |set: &BTreeSet<String>| set.iter().rev().map(|name| Value::from(name.as_str())).collect::<Vec<_>>();
    let deleted: BTreeSet<String> = relevant.difference(&retained).cloned().collect();
    let mut ret = Outcome::new(name.as_str());
    if !deleted.is_empty() {
        ret.changes = map! {
            "retained" => newest(&retained), "deleted" => newest(&deleted), "ignored" => newest(&ignored),
        };
    }
    if cx.test {
        ret.comment = format!("{} backups would have been removed from {name}.\n", deleted.len()).into();
        if !deleted.is_empty() {
            ret.result = None;
        }
        return Ok(ret);
    }
    for file in deleted.iter().rev() {
        cx.call("file.remove", Args::positional([join(&name, &[file])]))?;
    }
    ret.comment = format!("{} backups were removed from {name}.\n", deleted.len()).into();
    Ok(ret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (size, want) in
            [("10", 10), ("1k", 1024), ("1 KiB", 1024), ("2kb", 2000), ("1.5m", 1_572_864), ("x", 0), ("1q", 0)]
        {
            assert_eq!(bytes_of(size), want, "{size}");
        }
    }

    #[test]
    fn the_first_of_the_newest_periods_stay() {
        let file = |year, month, at| (vec![year, month, 1, 0, at], format!("{year}-{month}-{at}"));
        let files: ByTime = [file(2024, 1, 1), file(2024, 1, 2), file(2024, 2, 3), file(2025, 1, 4)].into();
        assert_eq!(firsts(&files, 2, 2), BTreeSet::from(["2024-2-3".into(), "2025-1-4".into()]));
        assert_eq!(firsts(&files, 1, 9), BTreeSet::from(["2024-1-1".into(), "2025-1-4".into()]));
        assert!(firsts(&files, 1, 0).is_empty());
    }
}
