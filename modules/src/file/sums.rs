//! The checksum that a source must have: as an expression, or out of a file of checksums.

use super::hash::HASHES;
use crate::cp::without_login;
use crate::hashutil::file_error;
use crate::python::path::basename;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::text::{file_lines, python_str};
use brine_core::{Map, Value, map};
use brine_files::url::Url;

/// What files may come by.
pub(super) const PROTOCOLS: &[&str] = &["salt", "file", "http", "https", "ftp", "swift", "s3"];

fn length_of(form: &str) -> Option<usize> {
    HASHES.iter().find(|(_, name)| *name == form).map(|(length, _)| *length)
}

fn of_length(length: usize) -> Option<&'static str> {
    HASHES.iter().find(|(known, _)| *known == length).map(|(_, name)| *name)
}

fn invalid(given: &str) -> CallError {
    let known: Vec<String> = HASHES.iter().map(|(length, name)| format!("{name} ({length})")).collect();
    CallError::execution(format!(
        "Source hash {} format is invalid. The supported formats are: 1) a hash, 2) an expression in the format \
         <hash_type>=<hash>, or 3) either a path to a local file containing hashes, or a URI of a remote hash file. \
         Supported protocols for remote hash files are: {}. The hash may also not be of a valid length, the following are \
         supported hash types and lengths: {}.",
        without_login(given),
        PROTOCOLS.join(", "),
        known.join(", ")
    ))
}

/// The checksum that a source must have, and its kind: `source_hash` is one, or names a file with one for `source`,
/// `file_name` or `source_hash_name`.
///
/// CLI Example: salt '*' file.get_source_sum /tmp/foo.tar.gz source=http://mydomain.tld/foo.tar.gz source_hash=499ae16dcae71eeb7c3a30c75ea7a1a6
#[exec]
pub(super) fn get_source_sum(
    cx: &Cx,
    #[default("")] file_name: String,
    #[default("")] source: String,
    #[default(Value::Nil)] source_hash: Value,
    source_hash_name: Option<String>,
    #[default("base")] saltenv: String,
    #[default(true)] verify_ssl: Value,
) -> Result<Map> {
    let Value::Str(given) = &source_hash else {
        return Err(CallError::Arguments(format!(
            "expected str, bytes or os.PathLike object, not {}",
            brine_core::text::python_type(&source_hash)
        )));
    };
    let scheme = Url::parse(given, true).scheme;
    let file = if given.starts_with('/') {
        Some(given.clone())
    } else if PROTOCOLS.contains(&scheme.as_str()) {
        let args = Args::positional([given.as_str(), &saltenv]).with("verify_ssl", verify_ssl);
        let cached = cx.call("cp.cache_file", args)?;
        match cached {
            Value::Str(path) if !path.is_empty() => Some(path),
            _ => {
                let text = format!("Source hash file {} not found", without_login(given));
                return Err(CallError::execution(text));
            }
        }
    } else if scheme.is_empty() {
        None
    } else {
        return Err(invalid(given));
    };
    if let Some(file) = file {
        let found = extract(&file, "", &file_name, &source, source_hash_name.as_deref())?;
        let (sum, form) = found.ok_or_else(|| invalid(given))?;
        return Ok(map! {"hsum" => sum.to_lowercase(), "hash_type" => form});
    }
    let (form, sum) = match given.split_once('=') {
        Some((form, sum)) => (form.trim(), sum.trim()),
        None => {
            let hex = !given.is_empty() && given.chars().all(|c| c.is_ascii_hexdigit());
            let form = of_length(given.len()).filter(|_| hex).ok_or_else(|| invalid(given))?;
            (form, given.as_str())
        }
    };
    let Some(length) = length_of(form) else {
        let known: Vec<&str> = HASHES.iter().rev().map(|(_, name)| *name).collect();
        return Err(CallError::execution(format!(
            "Invalid hash type '{form}'. Supported hash types are: {}. Either remove the hash type and simply use '{sum}' as \
             the source_hash, or change the hash type to a supported type.",
            known.join(", ")
        )));
    };
    let given_length = sum.chars().count();
    match of_length(given_length) {
        None => Err(invalid(given)),
        Some(fitting) if given_length != length => Err(CallError::execution(format!(
            "Invalid length ({given_length}) for hash type '{form}'. Either remove the hash type and simply use '{sum}' as the \
             source_hash, or change the hash type to '{fitting}'"
        ))),
        Some(_) => Ok(map! {"hash_type" => form, "hsum" => sum.to_lowercase()}),
    }
}

/// The first run of letters and digits in a line that is a checksum.
fn sum_in(line: &str, lengths: (usize, usize)) -> Option<&str> {
    let runs = line.split(|c: char| !c.is_ascii_alphanumeric());
    runs.into_iter().find(|run| {
        (lengths.0..=lengths.1).contains(&run.len()) && run.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether a line is about a name: it ends in `short` after one of the separators, or begins with `whole` and a space.
fn about(line: &str, short: &str, whole: &str, separators: &str) -> bool {
    match line.strip_suffix(short) {
        Some(before) => before.chars().next_back().is_some_and(|c| separators.contains(c)),
        None => line.strip_prefix(whole).is_some_and(|rest| rest.starts_with(brine_python::is_space)),
    }
}

/// The checksum in a file of them that belongs to a name, and its kind; the first one where none does.
fn extract(
    file: &str,
    form: &str,
    file_name: &str,
    source: &str,
    source_hash_name: Option<&str>,
) -> Result<Option<(String, &'static str)>> {
    const SPACES: &str = " \t\n\r\x0b\x0c";
    const SEPARATORS: &str = " \t\n\r\x0b\x0c\\/*";
    let lengths = match length_of(form) {
        Some(length) => (length, length),
        None => {
            if !form.is_empty() {
                tracing::warn!(
                    "file.extract_hash: Unsupported hash_type '{form}', falling back to matching any supported hash_type"
                );
            }
            (32, 128)
        }
    };
    let bytes = std::fs::read(file).map_err(|e| file_error(&e, file))?;
    let text = String::from_utf8_lossy(&bytes);
    let url = Url::parse(source, true);
    let source_base = basename(if url.path.is_empty() { &url.netloc } else { &url.path }).to_owned();
    let named = source_hash_name.filter(|name| !name.is_empty());
    let mut found: [Option<(String, &'static str)>; 4] = Default::default();
    for line in file_lines(&text, false) {
        let line = line.trim();
        let Some(sum) = sum_in(line, lengths) else { continue };
        let Some(form) = of_length(sum.len()) else { continue };
        let mut note = |at: usize, fits: bool| {
            if fits && found[at].is_none() {
                found[at] = Some((sum.to_owned(), form));
            }
        };
        note(3, true);
        if let Some(name) = named {
            note(0, about(line, name, name, SPACES));
        }
        if !file_name.is_empty() {
            note(1, about(line, basename(file_name), file_name, SEPARATORS));
        }
        if !source.is_empty() {
            note(2, about(line, &source_base, source, SEPARATORS));
        }
    }
    Ok(found.into_iter().flatten().next())
}

/// The checksum in a file of checksums that belongs to a file or source, and its kind.
///
/// CLI Example: salt '*' file.extract_hash /path/to/hash/file sha512 /etc/foo
#[exec]
pub(super) fn extract_hash(
    hash_fn: String,
    #[default("sha256")] hash_type: String,
    #[default("")] file_name: Value,
    #[default("")] source: Value,
    #[default(Value::Nil)] source_hash_name: Value,
) -> Result {
    let text = |value: &Value| if value.truthy() { python_str(value) } else { String::new() };
    let name = text(&source_hash_name);
    let found = extract(&hash_fn, &hash_type, &text(&file_name), &text(&source), Some(&name))?;
    Ok(found.map_or(Value::Nil, |(sum, form)| map! {"hsum" => sum, "hash_type" => form}.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_found_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sums").to_string_lossy().into_owned();
        let (a, b) = ("a".repeat(32), "B".repeat(64));
        std::fs::write(&file, format!("no sum\n{a}  ./one.tar\n{b} *two.tar\nx{a}x\n")).unwrap();
        let find = |name: &str, source: &str, hash_name: Option<&str>| {
            extract(&file, "", name, source, hash_name).unwrap().map(|(sum, _)| sum)
        };
        assert_eq!(find("/tmp/two.tar", "", None), Some(b.clone()));
        assert_eq!(find("/tmp/none", "http://h/d/one.tar", None), Some(a.clone()));
        assert_eq!(find("/tmp/two.tar", "", Some("./one.tar")), Some(a.clone()));
        assert_eq!(find("", "", None), Some(a));
        assert_eq!(extract(&file, "sha512", "", "", None).unwrap(), None);
    }
}
