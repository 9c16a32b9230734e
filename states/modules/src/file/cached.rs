//! `file.cached` and `file.not_cached`: files from elsewhere in the minion's cache.

use super::managed::scheme;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::posixpath::{expanduser, realpath};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// A URL without user and password, wherever it stands in a text.
pub(crate) fn without_login(text: &str) -> String {
    for scheme in ["http", "https"] {
        let start = format!("{scheme}://");
        if let (Some(from), Some(to)) = (text.find(&start), text.rfind('@'))
            && from < to
        {
            return format!("{}{start}<redacted>@{}", &text[..from], &text[to + 1..]);
        }
    }
    text.to_owned()
}

/// The path of what is on this machine.
fn local_path(name: &str) -> String {
    let path = match name.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => name.strip_prefix("file:").unwrap_or(name),
    };
    realpath(&expanduser(path))
}

/// See to it that a file is in the minion's cache, with a checksum if one is given. What is on this machine must be there.
///
/// name: URL or path
#[exec]
pub(super) fn cached(
    cx: &Cx,
    name: String,
    #[default("")] source_hash: Value,
    #[default(Value::Nil)] source_hash_name: Value,
    #[default(false)] skip_verify: bool,
    #[default("base")] saltenv: String,
    #[default(false)] use_etag: bool,
) -> Result<Outcome> {
    let failed = |text: String| Ok(Outcome::failed(name.as_str(), text));
    let scheme = scheme(&name);
    let remote = matches!(scheme.as_str(), "http" | "https" | "ftp" | "swift" | "s3");
    if !skip_verify && !source_hash.truthy() && !use_etag && remote {
        return failed(format!(
            "Unable to verify upstream hash of source file {}, please set source_hash or set skip_verify or use_etag to True",
            without_login(&name)
        ));
    }
    let mut sum = Map::new();
    if source_hash.truthy() {
        let args = Args::none()
            .with("source", name.as_str())
            .with("source_hash", source_hash.clone())
            .with("source_hash_name", source_hash_name)
            .with("saltenv", saltenv.as_str());
        match cx.call("file.get_source_sum", args) {
            Ok(Value::Map(found)) => sum = found,
            Ok(_) => {}
            Err(e) if e.is_execution() => return failed(e.text()),
            Err(e) => return Err(e),
        }
    }
    let is_cached = || -> Result<String> {
        let args = Args::positional([name.as_str()]).with("saltenv", saltenv.as_str());
        Ok(python_str(&cx.call("cp.is_cached", args)?))
    };
    let hash = |path: &str, form: &Value| cx.call("file.get_hash", Args::positional([path.into(), form.clone()]));
    let own_form = cx.opts.get("hash_type").cloned().unwrap_or_else(|| "sha256".into());
    let wanted = sum.get("hsum").cloned();
    let form = sum.get("hash_type").cloned().unwrap_or_else(|| own_form.clone());
    if cx.test {
        let local = is_cached()?;
        let text = match &wanted {
            _ if local.is_empty() => format!("File will be cached: {name}"),
            None => format!("No hash found. File will be cached: {name}"),
            Some(wanted) if hash(&local, &own_form)? == *wanted => format!("File already cached: {name}"),
            Some(_) => format!("Hashes don't match.\nFile will be cached: {name}"),
        };
        return Ok(Outcome::would(name.as_str(), text));
    }
    let wanted = wanted.filter(|_| !skip_verify);
    if matches!(scheme.as_str(), "" | "file") {
        let path = local_path(&name);
        if !Path::new(&path).exists() {
            return failed(format!("File {path} is not present on the minion"));
        }
        let Some(wanted) = wanted else {
            return Ok(Outcome::ok(name.as_str(), format!("File {path} is present on the minion")));
        };
        let here = hash(&path, &form)?;
        let (here_text, wanted_text) = (python_str(&here), python_str(&wanted));
        if here == wanted {
            let text = format!("File {path} is present on the minion and has hash {here_text}");
            return Ok(Outcome::ok(name.as_str(), text));
        }
        return failed(format!(
            "File {path} is present on the minion, but the hash ({here_text}) does not match the specified hash ({wanted_text})"
        ));
    }
    let local = is_cached()?;
    let before = if local.is_empty() { Value::Nil } else { hash(&local, &form)? };
    let args = Args::positional([name.as_str()])
        .with("saltenv", saltenv.as_str())
        .with("source_hash", sum.get("hsum").cloned().unwrap_or_default())
        .with("use_etag", use_etag);
    let local = match cx.call("cp.cache_file", args) {
        Ok(local) => local,
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(e) => return failed(without_login(&e.text())),
    };
    let Some(local) = local.as_str().filter(|local| !local.is_empty()) else {
        let text = format!("Failed to cache {}, check minion log for more information", without_login(&name));
        return failed(text);
    };
    let after = hash(local, &form)?;
    let mut changes = Map::new();
    if before != after {
        changes.insert("hash", map! {"old" => before, "new" => after.clone()});
    }
    let after_text = python_str(&after);
    let outcome = match wanted {
        None => Outcome::ok(name.as_str(), format!("File is cached to {local}")),
        Some(wanted) if wanted == after => {
            Outcome::ok(name.as_str(), format!("File is already cached to {local} with hash {after_text}"))
        }
        Some(wanted) => Outcome::failed(
            name.as_str(),
            format!(
                "File is cached to {local}, but the hash ({after_text}) does not match the specified hash ({})",
                python_str(&wanted)
            ),
        ),
    };
    Ok(outcome.with_changes(changes))
}

/// See to it that a file is not in the minion's cache.
///
/// name: the URL
#[exec]
pub(super) fn not_cached(cx: &Cx, name: String, #[default("base")] saltenv: String) -> Result<Outcome> {
    if matches!(scheme(&name).as_str(), "" | "file") {
        let text = format!("File {} is a local path, no action taken", local_path(&name));
        return Ok(Outcome::ok(name.as_str(), text));
    }
    let args = Args::positional([name.as_str()]).with("saltenv", saltenv.as_str());
    let local = python_str(&cx.call("cp.is_cached", args)?);
    if local.is_empty() {
        return Ok(Outcome::ok(name.as_str(), format!("{name} is not cached")));
    }
    Ok(match std::fs::remove_file(&local) {
        Ok(()) => Outcome::ok(name.as_str(), format!("{local} was deleted")).with_changes(map! {"deleted" => true}),
        Err(e) => {
            let e = brine_core::text::python_os_error(&e, &local);
            Outcome::failed(name.as_str(), format!("Failed to delete {local}: {e}"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_login("https://u:p@h/x"), "https://<redacted>@h/x");
        assert_eq!(without_login("salt://u@h"), "salt://u@h");
    }
}
