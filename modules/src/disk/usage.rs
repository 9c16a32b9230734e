//! Functions of `disk` that read what `df` prints.

use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// The flags of `df` that may be asked for.
const FLAGS: &str = "aBhHiklPtTxv";

/// One option for `df` of the flags in a text or a list, or nothing.
fn flags(args: Option<&Value>, caller: &str) -> Result<Option<String>> {
    let Some(args) = args else { return Ok(None) };
    let asked: Vec<String> = match args {
        Value::List(list) => list.iter().map(python_str).collect(),
        one => python_str(one).chars().map(String::from).collect(),
    };
    for flag in &asked {
        if flag.chars().count() != 1 || !FLAGS.contains(flag.as_str()) {
            return Err(CallError::execution(format!("Invalid flag passed to {caller}")));
        }
    }
    Ok(Some(asked.concat()).filter(|f| !f.is_empty()).map(|f| format!("-{f}")))
}

fn df(cx: &Cx, option: &str, more: Option<&str>) -> Result<String> {
    let mut words = vec!["df", option];
    words.extend(more);
    tools::run(cx, &words)
}

/// A line's columns; a name with spaces is one column, as the next one is a number.
fn columns(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    while words.len() >= 2 && !words[1].bytes().all(|b| b.is_ascii_digit()) {
        let next = words.remove(1);
        words[0] = format!("{} {next}", words[0]);
    }
    (words.len() >= 2).then_some(words)
}

/// Lines below the heading, those that `df` broke after a long name joined again.
fn rows(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut held: Option<String> = None;
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with("Filesystem")) {
        let line = match held.take() {
            Some(name) => format!("{name} {line}"),
            None => line.to_owned(),
        };
        if line.split_whitespace().count() == 1 {
            held = Some(line);
        } else {
            out.push(line);
        }
    }
    out
}

fn usage_table(text: &str) -> Map {
    let mut out = Map::new();
    for words in rows(text).iter().filter_map(|r| columns(r)) {
        let [filesystem, blocks, used, available, capacity, point, ..] = words.as_slice() else {
            tracing::error!("Problem parsing disk usage information");
            out = Map::new();
            continue;
        };
        out.insert(
            point,
            map! {
                "filesystem" => filesystem, "1K-blocks" => blocks, "used" => used, "available" => available,
                "capacity" => capacity,
            },
        );
    }
    out
}

/// Return usage information for volumes mounted on this minion. `args` are flags of `df`.
///
/// CLI Example: salt '*' disk.usage
#[exec]
fn usage(cx: &Cx, args: Option<Value>) -> Result<Map> {
    let flags = flags(args.as_ref(), "disk.usage")?;
    if !Path::new("/etc/mtab").is_file() {
        tracing::error!("df cannot run without /etc/mtab");
        return Ok(Map::new());
    }
    Ok(usage_table(&df(cx, "-P", flags.as_deref())?))
}

/// Return inode usage information for volumes mounted on this minion. `args` are flags of `df`.
///
/// CLI Example: salt '*' disk.inodeusage
#[exec]
fn inodeusage(cx: &Cx, args: Option<Value>) -> Result<Map> {
    let flags = flags(args.as_ref(), "disk.inodeusage")?;
    Ok(inode_table(&df(cx, "-iP", flags.as_deref())?))
}

fn inode_table(text: &str) -> Map {
    let mut out = Map::new();
    for line in text.lines().filter(|l| !l.starts_with("Filesystem")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [filesystem, inodes, used, free, percent, point, ..] => {
                out.insert(
                    *point,
                    map! {
                        "inodes" => *inodes, "used" => *used, "free" => *free, "use" => *percent,
                        "filesystem" => *filesystem,
                    },
                );
            }
            _ => {
                tracing::error!("Problem parsing inode usage information");
                out = Map::new();
            }
        }
    }
    out
}

/// Return partition information for volumes mounted on this minion: how full each is, or the one named.
///
/// CLI Example: salt '*' disk.percent /var
#[exec]
fn percent(cx: &Cx, args: Option<Value>) -> Result {
    let table = usage_table(&df(cx, "-P", None)?);
    let all: Map =
        table.iter().map(|(k, v)| (k.clone(), v.get("capacity").cloned().unwrap_or_default())).collect();
    Ok(match args.filter(Value::truthy) {
        None => all.into(),
        Some(wanted) => match all.get_key(&wanted) {
            Some(one) => one.clone(),
            None => {
                tracing::error!("Partition '{}' does not exist", python_str(&wanted));
                Map::new().into()
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_df_are_read() {
        let text = "Filesystem     1024-blocks    Used Available Capacity Mounted on\n/dev/very/long/name\n   100 40 60 40% /\nmap auto home 5 1 4 20% /home\n";
        let got = usage_table(text);
        assert_eq!(got.get("/").and_then(|r| r.get("filesystem")), Some(&"/dev/very/long/name".into()));
        assert_eq!(got.get("/home").and_then(|r| r.get("filesystem")), Some(&"map auto home".into()));
        assert_eq!(got.get("/").and_then(|r| r.get("1K-blocks")), Some(&"100".into()));
        let inodes = inode_table("Filesystem Inodes IUsed IFree IUse% Mounted on\ntmpfs 10 1 9 10% /run\n");
        assert_eq!(inodes.get("/run").and_then(|r| r.get("use")), Some(&"10%".into()));
    }

    #[test]
    fn only_dfs_flags_pass() {
        assert_eq!(flags(Some(&"hT".into()), "disk.usage").unwrap().as_deref(), Some("-hT"));
        assert_eq!(flags(Some(&Value::List(vec![])), "disk.usage").unwrap(), None);
        let wrong = flags(Some(&"h;".into()), "disk.usage").unwrap_err();
        assert_eq!(wrong.to_string(), "Invalid flag passed to disk.usage");
    }
}
