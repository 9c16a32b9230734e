//! The `hosts` execution module: addresses and names in the hosts file (option `hosts.file`).

use crate::settings;
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::Path;

module! {
    "hosts": add_host, get_alias, get_ip, has_pair, list_hosts, rm_host, set_comment, set_host
}

/// What a line of the file says. Lines of one address are one entry, where the first of them stands.
enum Entry {
    /// A line that is a comment as a whole.
    Comment(String),
    /// An address.
    Host { ip: String, aliases: Vec<String>, comment: Option<Value> },
}

fn file(cx: &Cx) -> Result<String> {
    let file = cx.call("config.option", Args::positional(["hosts.file"]))?;
    Ok(if file.is_nil() { String::new() } else { python_str(&file) })
}

/// The path of the file, which is made if there is none.
fn made(cx: &Cx) -> Result<String> {
    let path = file(cx)?;
    if !Path::new(&path).exists() {
        std::fs::write(&path, "").map_err(|e| crate::hashutil::file_error(&e, &path))?;
    }
    Ok(path)
}

fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in settings::lines(text).map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            entries.push(Entry::Comment(line.to_owned()));
            continue;
        }
        let (names, remark) = match line.split_once('#') {
            Some((names, remark)) => (names, remark.trim_start()),
            None => (line, ""),
        };
        let mut words = names.split_whitespace().map(str::to_owned);
        let Some(first) = words.next() else { continue };
        let known = entries.iter_mut().find_map(|entry| match entry {
            Entry::Host { ip, aliases, comment } if *ip == first => Some((aliases, comment)),
            _ => None,
        });
        let remark = (!remark.is_empty()).then(|| remark.into());
        match known {
            Some((aliases, comment)) => {
                aliases.extend(words);
                if remark.is_some() {
                    *comment = remark;
                }
            }
            None => entries.push(Entry::Host { ip: first, aliases: words.collect(), comment: remark }),
        }
    }
    entries
}

fn read(cx: &Cx) -> Result<Vec<Entry>> {
    let path = file(cx)?;
    match settings::text(&path) {
        Ok(text) => Ok(parse(&text)),
        Err(e) => match e.raw_os_error() {
            Some(libc::ENOENT) => Ok(Vec::new()),
            Some(libc::EACCES) => Err(CallError::execution(format!("Permission denied reading from {path}"))),
            code => Err(CallError::execution(format!(
                "Error {} encountered reading from {path}: {}",
                code.unwrap_or_default(),
                settings::strerror(&e)
            ))),
        },
    }
}

fn write(path: &str, contents: &[u8]) -> Result<()> {
    settings::write(path, contents).map_err(|e| crate::hashutil::file_error(&e, path))
}

fn write_entries(path: &str, entries: &[Entry]) -> Result<()> {
    let mut out = String::new();
    for entry in entries {
        let line = match entry {
            Entry::Comment(line) => line.clone(),
            Entry::Host { ip, aliases, comment: None } => format!("{ip}\t\t{}", aliases.join(" ")),
            Entry::Host { ip, aliases, comment: Some(comment) } => {
                format!("{ip}\t\t{}\t\t# {}", aliases.join(" "), python_str(comment))
            }
        };
        if !line.trim().is_empty() {
            out += line.trim();
            out.push('\n');
        }
    }
    write(path, out.as_bytes())
}

fn names_of<'e>(entries: &'e [Entry], wanted: &str) -> Option<&'e [String]> {
    entries.iter().find_map(|entry| match entry {
        Entry::Host { ip, aliases, .. } if ip == wanted => Some(aliases.as_slice()),
        _ => None,
    })
}

/// What the hosts file says: a dict of addresses, each with its `aliases` and perhaps a `comment`. Lines that are comments are
/// lists of one line, under names of their own.
///
/// CLI Example: salt '*' hosts.list_hosts
#[exec]
fn list_hosts(cx: &Cx) -> Result<Map> {
    let mut comments = 0;
    let mut all = Map::new();
    for entry in read(cx)? {
        match entry {
            Entry::Comment(line) => {
                all.insert(format!("comment-{comments}"), vec![line]);
                comments += 1;
            }
            Entry::Host { ip, aliases, comment } => {
                let mut host = brine_core::map! { "aliases" => aliases };
                if let Some(comment) = comment {
                    host.insert("comment", comment);
                }
                all.insert(ip, host);
            }
        }
    }
    Ok(all)
}

/// The address of a host, or empty text.
///
/// CLI Example: salt '*' hosts.get_ip <hostname>
#[exec]
fn get_ip(cx: &Cx, host: String) -> Result<String> {
    let found = read(cx)?.into_iter().find_map(|entry| match entry {
        Entry::Host { ip, aliases, .. } if aliases.contains(&host) => Some(ip),
        _ => None,
    });
    Ok(found.unwrap_or_default())
}

/// The names of an address, in the order of the file.
///
/// CLI Example: salt '*' hosts.get_alias <ip addr>
#[exec]
fn get_alias(cx: &Cx, ip: String) -> Result<Vec<String>> {
    Ok(names_of(&read(cx)?, &ip).map(<[String]>::to_vec).unwrap_or_default())
}

fn pair(cx: &Cx, ip: &str, alias: &Value) -> Result<bool> {
    let entries = read(cx)?;
    let Some(names) = names_of(&entries, ip) else { return Ok(false) };
    let has = |alias: &Value| names.contains(&python_str(alias));
    Ok(match alias {
        Value::List(all) => all.iter().all(has),
        one => has(one),
    })
}

/// Whether an address has a name, or all names of a list.
///
/// CLI Example: salt '*' hosts.has_pair <ip> <alias>
#[exec]
fn has_pair(cx: &Cx, ip: String, alias: Value) -> Result<bool> {
    pair(cx, &ip, &alias)
}

/// The words of a line of bytes; none of one that is empty or a comment.
fn words(line: &[u8]) -> Vec<&[u8]> {
    let words: Vec<&[u8]> = line.split(|b| matches!(b, 9..=13 | b' ')).filter(|word| !word.is_empty()).collect();
    if words.first().is_some_and(|word| word.starts_with(b"#")) { Vec::new() } else { words }
}

/// Set the names of an address, whatever they were. Without a name, the address is removed.
///
/// CLI Example: salt '*' hosts.set_host <ip> <alias>
#[exec]
fn set_host(cx: &Cx, ip: String, alias: String, comment: Option<String>) -> Result<bool> {
    let path = made(cx)?;
    if !Path::new(&path).is_file() {
        return Ok(false);
    }
    let mut line = match comment.filter(|comment| !comment.is_empty()) {
        Some(comment) => format!("{ip}\t\t{alias}\t\t# {comment}\n"),
        None => format!("{ip}\t\t{alias}\n"),
    };
    if alias.trim().is_empty() {
        line.clear();
    }
    let old = std::fs::read(&path).map_err(|e| crate::hashutil::file_error(&e, &path))?;
    let mut new = Vec::with_capacity(old.len() + line.len());
    let mut replaced = false;
    for old_line in old.split_inclusive(|b| *b == b'\n') {
        if words(old_line).first() != Some(&ip.as_bytes()) {
            new.extend_from_slice(old_line);
        } else if !replaced {
            new.extend_from_slice(line.as_bytes());
            replaced = true;
        }
    }
    if !replaced {
        if new.last().is_some_and(|last| *last != b'\n') {
            new.push(b'\n');
        }
        new.extend_from_slice(line.as_bytes());
    }
    write(&path, &new)?;
    Ok(true)
}

/// Take a name from an address; with its last name the address goes too.
///
/// CLI Example: salt '*' hosts.rm_host <ip> <alias>
#[exec]
fn rm_host(cx: &Cx, ip: String, alias: String) -> Result<bool> {
    if !pair(cx, &ip, &alias.as_str().into())? {
        return Ok(true);
    }
    let path = made(cx)?;
    let old = std::fs::read(&path).map_err(|e| crate::hashutil::file_error(&e, &path))?;
    let mut new = Vec::with_capacity(old.len());
    for line in old.split_inclusive(|b| *b == b'\n') {
        // A line that is a comment has no words.
        let (names, remark) = match line.iter().position(|b| *b == b'#') {
            Some(at) if !words(line).is_empty() => (words(&line[..at]), line[at + 1..].trim_ascii()),
            _ => (words(line), &line[..0]),
        };
        if names.first() != Some(&ip.as_bytes()) {
            new.extend_from_slice(line);
            continue;
        }
        let left: Vec<&[u8]> = names.into_iter().skip(1).filter(|name| *name != alias.as_bytes()).collect();
        if left.is_empty() {
            continue;
        }
        new.extend_from_slice(ip.as_bytes());
        new.extend_from_slice(b"\t\t");
        for name in left {
            new.extend_from_slice(name);
            new.push(b' ');
        }
        if !remark.is_empty() {
            new.extend_from_slice(b"# ");
            new.extend_from_slice(remark);
        }
        new.push(b'\n');
    }
    write(&path, &new)?;
    Ok(true)
}

/// Give an address one more name.
///
/// CLI Example: salt '*' hosts.add_host <ip> <alias>
#[exec]
fn add_host(cx: &Cx, ip: String, alias: String) -> Result<bool> {
    let path = made(cx)?;
    if !Path::new(&path).is_file() {
        return Ok(false);
    }
    let mut entries = read(cx)?;
    if names_of(&entries, &ip).is_some_and(|names| names.contains(&alias)) {
        return Ok(true);
    }
    let known = entries.iter_mut().find_map(|entry| match entry {
        Entry::Host { ip: known, aliases, .. } if *known == ip => Some(aliases),
        _ => None,
    });
    match known {
        Some(aliases) => aliases.push(alias),
        None => entries.push(Entry::Host { ip, aliases: vec![alias], comment: None }),
    }
    write_entries(&path, &entries)?;
    Ok(true)
}

/// Set the comment of an address that is in the file.
///
/// CLI Example: salt '*' hosts.set_comment <ip> <comment>
#[exec]
fn set_comment(cx: &Cx, ip: String, comment: Value) -> Result<bool> {
    let path = made(cx)?;
    if !Path::new(&path).is_file() {
        return Ok(false);
    }
    let mut entries = read(cx)?;
    let known = entries.iter_mut().find_map(|entry| match entry {
        Entry::Host { ip: known, comment, .. } if *known == ip => Some(comment),
        _ => None,
    });
    let Some(old) = known else { return Ok(false) };
    if old.as_ref() != Some(&comment) {
        *old = Some(comment);
        write_entries(&path, &entries)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_address_are_one_entry() {
        let entries = parse("# a\n\n10.0.0.1 a b # first\r\n10.0.0.2\tc\n10.0.0.1 d#\n");
        assert_eq!(entries.len(), 3);
        assert_eq!(names_of(&entries, "10.0.0.1").unwrap(), ["a", "b", "d"]);
        assert_eq!(names_of(&entries, "10.0.0.9"), None);
        assert!(words(b" # 10.0.0.1").is_empty());
    }
}
