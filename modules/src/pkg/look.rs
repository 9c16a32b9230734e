//! What belongs to packages, what is known of them, what was downloaded.

use super::apt::{ask, stdout, text};
use super::available::refresh;
use super::debian;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of packages; without names, of all packages.
///
/// CLI Example: salt '*' pkg.file_list httpd postfix
#[exec]
fn file_list(cx: &Cx, packages: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    cx.call("lowpkg.file_list", Args { positional: packages.0, keyword: Map::new() })
}

/// The files of packages, by package; without names, of all packages.
///
/// CLI Example: salt '*' pkg.file_dict httpd postfix
#[exec]
fn file_dict(cx: &Cx, packages: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    cx.call("lowpkg.file_dict", Args { positional: packages.0, keyword: Map::new() })
}

/// The package that a file belongs to, of each of several; an empty text where it belongs to none.
///
/// CLI Example: salt '*' pkg.owner /usr/bin/apachectl /usr/bin/basename
#[exec]
fn owner(cx: &Cx, paths: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    let mut found = Map::new();
    for path in &paths.0 {
        let path = python_str(path);
        let out = stdout(cx, &["dpkg", "-S", &path])?;
        let package = out.split(':').next().unwrap_or_default();
        found.insert(path, if package.to_lowercase().contains("no path found") { "" } else { package });
    }
    Ok(match found.len() {
        0 => "".into(),
        1 => found.values().next().cloned().unwrap_or_default(),
        _ => found.into(),
    })
}

/// Refuses keywords that a function does not know.
fn refuse(rest: &Map) -> Result<()> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(CallError::unknown_keywords(rest))
}

/// What `apt-cache show` knows of packages, by name and version.
///
/// Further arguments: filter (the keys wanted, with commas between), refresh (False).
///
/// CLI Example: salt myminion pkg.show 'nginx-*' filter=description,provides
#[exec]
fn show(cx: &Cx, names: VarArgs, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let mut kwargs = kwargs.clean();
    let fresh = kwargs.remove("refresh").is_some_and(|refresh| refresh.truthy());
    let filter: Vec<String> = match kwargs.remove("filter") {
        None | Some(Value::Nil) => Vec::new(),
        Some(Value::List(list)) => list.iter().map(|key| python_str(key).to_lowercase()).collect(),
        Some(text) => python_str(&text).split(',').map(|key| key.trim().to_lowercase()).collect(),
    };
    refuse(&kwargs)?;
    if fresh {
        refresh(cx, &Value::Nil, false)?;
    }
    if names.0.is_empty() {
        return Ok(Map::new());
    }
    let names: Vec<String> = names.0.iter().map(python_str).collect();
    let command: Vec<&str> = ["apt-cache", "show"].into_iter().chain(names.iter().map(String::as_str)).collect();
    Ok(shown(&text(&ask(cx, &command)?, "stdout"), &filter))
}

fn shown(out: &str, filter: &[String]) -> Map {
    let mut all = Map::new();
    let mut one = Map::new();
    let mut add = |one: &mut Map| {
        let mut one = std::mem::take(one);
        if let (Some(name), Some(version)) = (one.remove("Package"), one.remove("Version")) {
            let versions = all.entry_or(name, || Map::new().into());
            if let Value::Map(versions) = versions
                && let Value::Map(known) = versions.entry_or(version, || Map::new().into())
            {
                known.update(one);
            }
        }
    };
    for line in out.split('\n').map(str::trim) {
        if line.is_empty() {
            add(&mut one);
        } else if let Some((key, value)) = line.split_once(':') {
            let (key, value) = (key.trim(), value.trim());
            let lower = key.to_lowercase();
            if filter.is_empty() || lower == "package" || lower == "version" || filter.contains(&lower) {
                one.insert(key, value);
            }
        }
    }
    add(&mut one);
    all
}

/// What is known of installed packages, by name.
///
/// Further arguments: failhard (True), whether it is an error that none is installed.
///
/// CLI Example: salt '*' pkg.info_installed <package1> <package2> failhard=false
#[exec]
fn info_installed(cx: &Cx, names: VarArgs, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let mut kwargs = kwargs.clean();
    let failhard = kwargs.remove("failhard").unwrap_or(Value::Bool(true));
    refuse(&kwargs)?;
    let args = Args { positional: names.0, keyword: map! {"failhard" => failhard} };
    let Value::Map(all) = cx.call("lowpkg.info", args)? else { return Ok(Map::new()) };
    let mut ret = Map::new();
    for (name, info) in all {
        let Value::Map(info) = info else { continue };
        if info.get_str("status").unwrap_or("ii").as_bytes().get(1) != Some(&b'i') {
            continue;
        }
        let renamed = info.into_iter().filter_map(|(key, value)| {
            let key = match key.as_str() {
                Some("package") => "name".into(),
                Some("origin") => "vendor".into(),
                Some("section") => "group".into(),
                Some("maintainer") => "packager".into(),
                Some("homepage") => "url".into(),
                Some("status") => return None,
                _ => key,
            };
            Some((key, value))
        });
        ret.insert(name, renamed.collect::<Map>());
    }
    Ok(ret)
}

/// The package files that apt has downloaded, by name and version.
///
/// root: another root than `/`
///
/// CLI Example: salt '*' pkg.list_downloaded
#[exec]
fn list_downloaded(cx: &Cx, root: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let _more = kwargs;
    let mut cache = PathBuf::from("/var/cache/apt");
    if let Some(root) = root.filter(Value::truthy) {
        cache = Path::new(&python_str(&root)).join("var/cache/apt");
    }
    let mut files = Vec::new();
    walk(&cache, &mut files);
    let mut ret = Map::new();
    for path in files {
        let shown = path.to_string_lossy().into_owned();
        let info = cx.call("lowpkg.bin_pkg_info", Args::positional([shown.as_str()]))?;
        let about = std::fs::metadata(&path)?;
        let of = |key: &str| info.get(key).cloned().unwrap_or_default();
        let known = map! {
            "path" => shown, "size" => about.len(), "creation_date_time_t" => about.ctime(),
            "creation_date_time" => iso(about.ctime()),
        };
        if let Value::Map(versions) = ret.entry_or(of("name"), || Map::new().into()) {
            versions.insert(of("version"), known);
        }
    }
    Ok(ret)
}

/// The package files below a folder; links are not followed.
fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), found),
            Ok(_) if fnmatch(&entry.file_name().to_string_lossy(), "*.deb") => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort();
}

/// A time as `2026-01-31T12:00:00`.
fn iso(seconds: i64) -> String {
    match tz::UtcDateTime::from_timespec(seconds, 0) {
        Ok(t) => format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            t.year(), t.month(), t.month_day(), t.hour(), t.minute(), t.second()
        ),
        Err(_) => String::new(),
    }
}

/// The services that use files which were changed by upgrades, as `checkrestart` (package debian-goodies) finds them.
///
/// CLI Example: salt '*' pkg.services_need_restart
#[exec]
fn services_need_restart(cx: &Cx, kwargs: KwArgs) -> Result<Vec<Value>> {
    debian(cx)?;
    let _more = kwargs;
    if crate::cmd::which::which("checkrestart").is_none() {
        return Err(CallError::CommandNotFound(
            "'checkrestart' is needed. It is part of the 'debian-goodies' package which can be installed from official \
             repositories."
                .into(),
        ));
    }
    let args = Args::positional([Value::List(["checkrestart", "--machine", "--package"].map(Value::from).to_vec())])
        .with("python_shell", false);
    let mut services: Vec<Value> = Vec::new();
    for line in python_str(&cx.call("cmd.run_stdout", args)?).split('\n') {
        if let Some(rest) = line.strip_prefix("SERVICE:") {
            let service = Value::from(rest.split(',').next().unwrap_or_default());
            if !services.contains(&service) {
                services.push(service);
            }
        }
    }
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_shown_by_name_and_version() {
        let out = "Package: a\nVersion: 1\nSize: 5\n more text\n\nPackage: a\nVersion: 2\nSize: 6\nX: y";
        let want = map! {"a" => map! {"1" => map! {"Size" => "5"}, "2" => map! {"Size" => "6"}}};
        assert_eq!(shown(out, &["size".into()]), want);
        assert_eq!(iso(1_700_000_000), "2023-11-14T22:13:20");
    }
}
