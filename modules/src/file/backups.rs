//! Backups that file states make, below `file_backup` in the cache directory: listed, put back, removed.

use super::place::{back_up, backup_root, put_back};
use crate::python::path::{expanduser, join, split};
use brine_core::call::{Cx, Result, exec};
use brine_core::text::{python_os_error, python_str};
use brine_core::{Map, Value, map};
use std::collections::BTreeMap;
use std::path::Path;

/// When a backup was made, in order.
type Moment = (u32, u32, u32, u32, u32, u32, u32);

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads what follows a file's name: `_Mon_Jan_02_10:20:30_123456_2026`.
fn moment(rest: &str) -> Option<Moment> {
    let parts: Vec<&str> = rest.strip_prefix('_')?.split('_').collect();
    let [day_name, month, day, time, micro, year] = parts[..] else { return None };
    let known = |all: &[&str], name: &str| all.iter().position(|n| n.eq_ignore_ascii_case(name));
    known(&DAYS, day_name)?;
    let month = u32::try_from(known(&MONTHS, month)?).ok()? + 1;
    let number = |text: &str, most: u32| text.parse().ok().filter(|n| *n <= most);
    let time: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = time[..] else { return None };
    let padded = format!("{micro:0<6}");
    Some((
        number(year, 9999)?,
        month,
        number(day, 31)?,
        number(hour, 23)?,
        number(minute, 59)?,
        number(second, 61)?,
        number(&padded, 999_999)?,
    ))
}

/// The moment as the functions show it.
fn shown(at: Moment) -> String {
    let (year, month, day, hour, minute, second, micro) = at;
    // The day of the week, by Sakamoto's method.
    const SHIFT: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let y = if month < 3 { year.saturating_sub(1) } else { year };
    let index = (y + y / 4 - y / 100 + y / 400 + SHIFT[month as usize - 1] + day + 6) % 7;
    format!(
        "{} {} {day:02} {year} {hour:02}:{minute:02}:{second:02}.{micro:06}",
        DAYS[index as usize],
        MONTHS[month as usize - 1]
    )
}

/// The backups among names in a folder, newest first, numbered.
fn numbered(dir: &Path, base: &str, names: &[String], limit: Option<usize>) -> Map {
    let mut found: BTreeMap<Moment, Map> = BTreeMap::new();
    for name in names {
        let Some(at) = name.strip_prefix(base).and_then(moment) else { continue };
        let location = dir.join(name);
        let Ok(meta) = std::fs::metadata(&location) else { continue };
        let shown = map! {
            "Backup Time" => shown(at), "Size" => meta.len(), "Location" => location.to_string_lossy().into_owned(),
        };
        found.insert(at, shown);
    }
    let newest = found.into_values().rev().take(limit.unwrap_or(usize::MAX));
    newest.enumerate().map(|(at, backup)| (Value::from(at as u64), Value::Map(backup))).collect()
}

fn limit_of(limit: Option<&Value>, function: &str) -> Option<usize> {
    match limit? {
        Value::Nil => None,
        Value::Str(text) => text.trim().parse().ok().or_else(|| {
            tracing::error!("file.{function}: 'limit' value must be numeric");
            None
        }),
        other => other.as_int().and_then(|n| usize::try_from(n).ok()),
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let mut names: Vec<String> = entries.iter().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The backups of a path are below the root at the path itself.
fn folder(cx: &Cx, path: &str) -> (std::path::PathBuf, String) {
    let path = expanduser(path);
    let (dir, base) = split(&path);
    let root = cx.opts.path("cachedir").join("file_backup");
    let below = dir.get(1..).unwrap_or_default();
    (join(&root.to_string_lossy(), &[below]).into(), base.to_owned())
}

/// The backups that were made of a file, newest first.
///
/// CLI Example: salt '*' file.list_backups /foo/bar/baz.txt
#[exec]
pub(super) fn list_backups(cx: &Cx, path: String, limit: Option<Value>) -> Result<Map> {
    let (dir, base) = folder(cx, &path);
    let limit = limit_of(limit.as_ref(), "list_backups");
    let files: Vec<String> = names(&dir).into_iter().filter(|name| dir.join(name).is_file()).collect();
    Ok(numbered(&dir, &base, &files, limit))
}

/// The backups that were made of all files in a directory.
///
/// CLI Example: salt '*' file.list_backups_dir /foo/bar/baz/
#[exec]
pub(super) fn list_backups_dir(cx: &Cx, path: String, limit: Option<Value>) -> Result<Map> {
    let (dir, _) = folder(cx, &path);
    let limit = limit_of(limit.as_ref(), "list_backups_dir");
    let all = names(&dir);
    let mut found = Map::new();
    for name in &all {
        let base = name.split('_').next().unwrap_or_default();
        if !found.contains(base) {
            let own: Vec<String> =
                all.iter().filter(|other| other.split('_').next() == Some(base)).cloned().collect();
            found.insert(base, numbered(&dir, base, &own, limit));
        }
    }
    Ok(found)
}

/// Where the backup of a number lies, or what is wrong with the number.
fn location(cx: &Cx, path: &str, backup_id: &Value) -> Result<std::result::Result<String, String>> {
    let text = python_str(backup_id);
    let wrong = || Ok(Err(format!("Invalid backup_id '{text}'")));
    // A number as people write it: no signs, spaces or zeros in front that would change its length.
    let Ok(number) = text.trim().parse::<i64>() else { return wrong() };
    if number.to_string().len() != text.chars().count() {
        return wrong();
    }
    let all = list_backups(cx, path.to_owned(), None)?;
    let found = all.get_key(&number.into()).and_then(|backup| backup.get("Location")).map(python_str);
    Ok(found.ok_or_else(|| format!("backup_id '{text}' does not exist for {path}")))
}

/// Put a backup of a file in its place, by its number in `file.list_backups`. What is there now is backed up first.
///
/// CLI Example: salt '*' file.restore_backup /foo/bar/baz.txt 0
#[exec]
pub(super) fn restore_backup(cx: &Cx, path: String, backup_id: Value) -> Result<Map> {
    let path = expanduser(&path);
    let backup = match location(cx, &path, &backup_id)? {
        Ok(backup) => backup,
        Err(comment) => return Ok(map! {"result" => false, "comment" => comment}),
    };
    back_up(&path, &backup_root(cx))?;
    Ok(match put_back(&backup, &path) {
        Ok(()) => map! {"result" => true, "comment" => format!("Successfully restored {backup} to {path}")},
        Err(e) => {
            let comment = format!("Unable to restore {backup} to {path}: {}", e.text());
            map! {"result" => false, "comment" => comment}
        }
    })
}

/// Remove a backup of a file, by its number in `file.list_backups`.
///
/// CLI Example: salt '*' file.delete_backup /var/cache/salt/minion/file_backup/home/foo/bar/baz.txt 0
#[exec]
pub(super) fn delete_backup(cx: &Cx, path: String, backup_id: Value) -> Result<Map> {
    let path = expanduser(&path);
    let backup = match location(cx, &path, &backup_id)? {
        Ok(backup) => backup,
        Err(comment) => return Ok(map! {"result" => false, "comment" => comment}),
    };
    Ok(match std::fs::remove_file(&backup) {
        Ok(()) => map! {"result" => true, "comment" => format!("Successfully removed {backup}")},
        Err(e) => {
            let comment = format!("Unable to remove {backup}: {}", python_os_error(&e, &backup));
            map! {"result" => false, "comment" => comment}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_are_read_from_their_names() {
        let at = moment("_Thu_Nov_26_01:02:03_4_2026").unwrap();
        assert_eq!(at, (2026, 11, 26, 1, 2, 3, 400_000));
        assert_eq!(shown(at), "Thu Nov 26 2026 01:02:03.400000");
        assert_eq!(shown((2000, 2, 29, 0, 0, 0, 0)), "Tue Feb 29 2000 00:00:00.000000");
        for bad in ["", "x", "_Thu_Nov_26_01:02:03_4", "_Foo_Nov_26_01:02:03_4_2026", "_Thu_Nov_26_01:02_4_2026"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<String> =
            ["a_Thu_Nov_26_01:02:03_4_2026", "a_Fri_Nov_27_01:02:03_4_2026", "other"].map(str::to_owned).into();
        for file in &files {
            std::fs::write(dir.path().join(file), "x").unwrap();
        }
        let all = numbered(dir.path(), "a", &files, None);
        assert_eq!(all.len(), 2);
        let newest = all.get_key(&0.into()).and_then(Value::as_map).unwrap();
        assert_eq!(newest.get_str("Backup Time"), Some("Fri Nov 27 2026 01:02:03.400000"));
        assert_eq!(numbered(dir.path(), "a", &files, Some(1)).len(), 1);
    }
}
