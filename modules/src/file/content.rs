//! What is in files.

use super::stat::absolute;
use crate::hashutil::file_error;
use crate::python::path::expanduser;
use crate::python::re::{compile, failed};
use crate::python::shlex;
use crate::python::text::utf8;
use crate::tools;
use brine_core::call::{CallError, Cx, Result, VarArgs, exec};
use brine_core::target::{Anchor, fnmatch};
use brine_core::text::{file_lines, python_str};
use brine_core::{Map, Value};
use brine_render::config::glob;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How much of a file one call reads.
const LARGEST: u64 = 1 << 30;

fn bytes(path: &str) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| file_error(&e, path);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(CallError::execution(format!("{path} is too large to read")));
    }
    Ok(bytes)
}

/// A file's text, its line ends as they are.
fn text(path: &str) -> Result<String> {
    utf8(bytes(path)?)
}

/// The contents of a file.
///
/// CLI Example: salt '*' file.read /path/to/file
#[exec]
pub(super) fn read(path: String, #[default(false)] binary: Value) -> Result {
    if binary == Value::Bool(true) {
        return Ok(Value::Bytes(bytes(&path)?));
    }
    text(&path).map(Value::from)
}

/// Some bytes of a file, from a place in it.
///
/// CLI Example: salt '*' file.seek_read /path/to/file 4096 0
#[exec]
pub(super) fn seek_read(path: String, size: u64, offset: u64) -> Result {
    let path = expanduser(&path);
    let failed = |e: std::io::Error| file_error(&e, &path);
    let mut file = File::open(&path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut out = Vec::new();
    // Python has forgotten the name by then.
    file.take(size.min(LARGEST)).read_to_end(&mut out).map_err(|e| match file_error(&e, &path) {
        CallError::Exception { kind, message } => {
            CallError::exception(kind, message.split(": ").next().unwrap_or_default())
        }
        other => other,
    })?;
    Ok(Value::Bytes(out))
}

/// The names in a directory, `.` and `..` among them.
///
/// CLI Example: salt '*' file.readdir /path/to/dir/
#[exec]
pub(super) fn readdir(path: String) -> Result<Vec<String>> {
    let path = absolute(&path, "Dir path must be absolute.")?;
    if !Path::new(&path).is_dir() {
        return Err(CallError::invocation(format!("A valid directory was not specified: {path}")));
    }
    let mut names = vec![".".to_owned(), "..".to_owned()];
    for entry in fs::read_dir(&path).map_err(|e| file_error(&e, &path))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// Whether a text is in a file.
///
/// CLI Example: salt '*' file.contains /etc/crontab 'mymaintenance.sh'
#[exec]
pub(super) fn contains(path: String, text: Value) -> Result<bool> {
    let path = expanduser(&path);
    let wanted = python_str(&text);
    let wanted = wanted.trim();
    match Path::new(&path).exists().then(|| self::text(&path)) {
        // Empty files hold no text, not even the empty one.
        Some(Ok(text)) => Ok(!text.is_empty() && text.contains(wanted)),
        Some(Err(e)) => unreadable(e),
        None => Ok(false),
    }
}

/// A file that cannot be opened holds nothing; one that is no text is an error.
fn unreadable(e: CallError) -> Result<bool> {
    match &e {
        CallError::Exception { kind: "UnicodeDecodeError", .. } => Err(e),
        _ => Ok(false),
    }
}

/// Whether a line of a file matches a regular expression, after some characters are taken from its start.
///
/// CLI Example: salt '*' file.contains_regex /etc/crontab '^root'
#[exec]
pub(super) fn contains_regex(path: String, regex: String, #[default("")] lchar: String) -> Result<bool> {
    let path = expanduser(&path);
    if !Path::new(&path).exists() {
        return Ok(false);
    }
    let text = match text(&path) {
        Ok(text) => text,
        Err(e) => return unreadable(e),
    };
    let regex = compile(&regex, Anchor::Search, 0)?;
    for line in file_lines(&text, true) {
        if regex.is_match(line.trim_start_matches(|c| lchar.contains(c))).map_err(failed)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the contents of a file match a shell pattern.
///
/// CLI Example: salt '*' file.contains_glob /etc/foobar '*cheese*'
#[exec]
pub(super) fn contains_glob(path: String, glob_expr: String) -> Result<bool> {
    let path = expanduser(&path);
    match Path::new(&path).exists().then(|| text(&path)) {
        Some(Ok(text)) => Ok(!text.is_empty() && fnmatch(&text, &glob_expr)),
        Some(Err(e)) => unreadable(e),
        None => Ok(false),
    }
}

/// Runs `grep` on a file, or on those that a shell pattern names.
///
/// CLI Example: salt '*' file.grep /etc/sysconfig/network-scripts/ifcfg-eth0 ipaddr -- -i
#[exec]
pub(super) fn grep(cx: &Cx, path: String, pattern: Value, args: VarArgs) -> Result<Map> {
    let path = expanduser(&path);
    let mut files: Vec<String> =
        glob(Path::new(&path)).into_iter().map(|p| p.to_string_lossy().into_owned()).collect();
    if files.is_empty() {
        files.push(path);
    }
    let mut words = vec!["grep".to_owned()];
    for option in &args.0 {
        let option = python_str(option);
        let split = shlex::split(&option)?;
        if split.len() > 1 {
            return Err(CallError::invocation(format!(
                "Passing multiple command line arguments in a single string is not supported, please pass the following \
                 arguments separately: {option}"
            )));
        }
        words.extend(split);
    }
    words.push(python_str(&pattern));
    words.extend(files);
    tools::run_all(cx, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f").to_string_lossy().into_owned();
        fs::write(&path, "one\r\n  two\nTHREE\n").unwrap();
        assert_eq!(read(path.clone(), false.into()).unwrap(), "one\r\n  two\nTHREE\n".into());
        assert!(contains(path.clone(), " two ".into()).unwrap());
        assert!(contains_regex(path.clone(), "^two".into(), " ".into()).unwrap());
        assert!(!contains_regex(path.clone(), "^two".into(), String::new()).unwrap());
        assert!(contains_glob(path.clone(), "*two*".into()).unwrap());
        assert_eq!(seek_read(path.clone(), 3, 1).unwrap(), Value::Bytes(b"ne\r".to_vec()));
        assert!(!contains("/nonexistent".into(), "x".into()).unwrap());
        fs::write(&path, b"a\xff").unwrap();
        assert_eq!(
            read(path, false.into()).unwrap_err().to_string(),
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"
        );
    }
}
