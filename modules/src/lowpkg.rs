//! The `lowpkg` execution module on Debian and its kin: what dpkg alone knows and does.

use crate::pkg::{apt::changes, debian};
use crate::tools::{all_of, text};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

module! { "lowpkg": bin_pkg_info, file_dict, file_list, info, list_pkgs, unpurge }

fn run_all(cx: &Cx, command: &[&str], more: Map) -> Result<Map> {
    let words = Value::List(command.iter().map(|word| Value::from(*word)).collect());
    all_of(cx, Args { positional: vec![words], keyword: more })
}

fn failed(out: &Map) -> bool {
    out.get("retcode").and_then(Value::as_int) != Some(0)
}

/// Name, version and architecture of a package file.
///
/// path: the file, a path or URL
/// saltenv: the environment that path is in
///
/// CLI Example: salt '*' lowpkg.bin_pkg_info salt://foo-1.2.3.deb
#[exec]
fn bin_pkg_info(cx: &Cx, path: String, #[default("base")] saltenv: Value) -> Result<Map> {
    debian(cx)?;
    let mut path = path;
    if cx.call("config.valid_fileproto", Args::positional([path.as_str()]))?.truthy() {
        let saltenv_text = python_str(&saltenv);
        let cached = cx.call("cp.cache_file", Args::positional([path.as_str().into(), saltenv]))?;
        let Some(cached) = cached.as_str().filter(|cached| !cached.is_empty()) else {
            return Err(CallError::execution(format!("Unable to retrieve {path} from saltenv '{saltenv_text}'")));
        };
        path = cached.to_owned();
    } else if !Path::new(&path).exists() {
        return Err(CallError::execution(format!("{path} does not exist on minion")));
    } else if !path.starts_with('/') {
        return Err(CallError::invocation(format!("{path} does not exist on minion")));
    }
    let out = run_all(cx, &["dpkg", "-I", &path], map! {"output_loglevel" => "trace"})?;
    if failed(&out) {
        let errors = text(&out, "stderr");
        let errors = if errors.is_empty() { errors } else { format!(": {errors}") };
        return Err(CallError::execution(format!("Unable to get info for {path}{errors}")));
    }
    let mut found = about(&text(&out, "stdout"));
    let missing: Vec<&str> = ["name", "version", "arch"].into_iter().filter(|key| !found.contains(key)).collect();
    if !missing.is_empty() {
        return Err(CallError::execution(format!("Unable to get {} for {path}", missing.join(", "))));
    }
    let (own, arch) = (cx.grains.get_str("osarch"), text(&found, "arch"));
    if cx.grains.get_str("cpuarch") == Some("x86_64") && own == Some("amd64") && arch != "all" && arch != "amd64" {
        let name = format!("{}:{arch}", text(&found, "name"));
        found.insert("name", name);
    }
    Ok(found)
}

/// What `dpkg -I` says of a package.
fn about(out: &str) -> Map {
    let mut found = Map::new();
    for line in out.lines() {
        let Some((field, value)) = line.trim().split_once(':') else { continue };
        let key = match field.trim_end_matches(' ') {
            "Package" => "name",
            "Version" => "version",
            "Architecture" => "arch",
            _ => continue,
        };
        // An empty field's last word is its name.
        found.insert(key, value.split_whitespace().last().unwrap_or(line.trim()));
    }
    found
}

/// Mark packages that are to be purged as installed again.
///
/// CLI Example: salt '*' lowpkg.unpurge curl
#[exec]
fn unpurge(cx: &Cx, packages: VarArgs) -> Result<Map> {
    debian(cx)?;
    if packages.0.is_empty() {
        return Ok(Map::new());
    }
    let list = || cx.call("pkg.list_pkgs", Args::none().with("purge_desired", true));
    let old = list()?;
    let lines: Vec<String> = packages.0.iter().map(|name| format!("{} install", python_str(name))).collect();
    let words = Value::List(vec!["dpkg".into(), "--set-selections".into()]);
    let args = Args::positional([words])
        .with("stdin", lines.join("\\n"))
        .with("python_shell", false)
        .with("output_loglevel", "trace");
    cx.call("cmd.run", args)?;
    cx.job.remove_context("pkg.list_pkgs");
    let new = list()?;
    let empty = Map::new();
    Ok(changes(old.as_map().unwrap_or(&empty), new.as_map().unwrap_or(&empty)))
}

/// dpkg's lines for packages, or what it complains of.
fn query(cx: &Cx, format: &str, packages: &[Value]) -> Result<std::result::Result<String, String>> {
    let names: Vec<String> = packages.iter().map(python_str).collect();
    let format = format!("-f={format}");
    let command: Vec<&str> =
        ["dpkg-query", &format, "-W"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let out = run_all(cx, &command, map! {"python_shell" => false})?;
    Ok(if failed(&out) {
        let error = format!("Error:  {}", text(&out, "stderr"));
        tracing::error!("{error}");
        Err(error)
    } else {
        Ok(text(&out, "stdout"))
    })
}

/// The installed packages among these, of all without names.
fn installed(cx: &Cx, packages: &[Value]) -> Result<std::result::Result<Vec<String>, String>> {
    Ok(query(cx, "${db:Status-Status}\t${binary:Package}\n", packages)?.map(|out| {
        out.lines().filter_map(|line| line.strip_prefix("installed\t")).map(str::to_owned).collect()
    }))
}

/// The packages that are installed, with their versions.
///
/// CLI Example: salt '*' lowpkg.list_pkgs httpd
#[exec]
fn list_pkgs(cx: &Cx, packages: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    let format = "${db:Status-Status}\t${binary:Package}\t${Version}\n";
    Ok(match query(cx, format, &packages.0)? {
        Err(error) => error.into(),
        Ok(out) => out
            .lines()
            .filter_map(|line| line.strip_prefix("installed\t")?.split_once('\t'))
            .map(|(name, version)| (Value::from(name), Value::from(version)))
            .collect::<Map>()
            .into(),
    })
}

fn files(cx: &Cx, package: &str) -> Result<Vec<String>> {
    let words = Value::List(["dpkg", "-L", package].map(Value::from).to_vec());
    let out = cx.call("cmd.run", Args::positional([words]).with("python_shell", false))?;
    Ok(brine_core::text::splitlines(&python_str(&out), false).into_iter().map(str::to_owned).collect())
}

/// The files of packages; without names, of all packages.
///
/// CLI Example: salt '*' lowpkg.file_list httpd
#[exec]
fn file_list(cx: &Cx, packages: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    let packages = match installed(cx, &packages.0)? {
        Ok(packages) => packages,
        Err(error) => return Ok(error.into()),
    };
    let mut all = std::collections::BTreeSet::new();
    for package in packages {
        all.extend(files(cx, &package)?);
    }
    Ok(map! {"errors" => Vec::<Value>::new(), "files" => all.into_iter().collect::<Vec<_>>()}.into())
}

/// The files of packages, by package; without names, of all packages.
///
/// CLI Example: salt '*' lowpkg.file_dict httpd
#[exec]
fn file_dict(cx: &Cx, packages: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    let packages = match installed(cx, &packages.0)? {
        Ok(packages) => packages,
        Err(error) => return Ok(error.into()),
    };
    let mut all = Map::new();
    for package in packages {
        let files = files(cx, &package)?;
        all.insert(package, files);
    }
    Ok(map! {"errors" => Vec::<Value>::new(), "packages" => all}.into())
}

/// What ends the description of a package in dpkg's answer.
const END: &str = "*/~^\\*";

/// What dpkg is asked of packages: our names and its own.
const FIELDS: [(&str, &str); 17] = [
    ("package", "${Package}"),
    ("revision", "${binary:Revision}"),
    ("architecture", "${Architecture}"),
    ("maintainer", "${Maintainer}"),
    ("summary", "${Summary}"),
    ("source", "${source:Package}"),
    ("version", "${Version}"),
    ("section", "${Section}"),
    ("installed_size", "${Installed-size}"),
    ("size", "${Size}"),
    ("MD5", "${MD5sum}"),
    ("SHA1", "${SHA1}"),
    ("SHA256", "${SHA256}"),
    ("origin", "${Origin}"),
    ("homepage", "${Homepage}"),
    ("status", "${db:Status-Abbrev}"),
    ("install_date", "${db-fsys:Last-Modified}"),
];

/// What is known of packages, by name; without names, of all packages.
///
/// Further arguments: failhard (True), whether it is an error that a package is unknown.
///
/// CLI Example: salt '*' lowpkg.info apache2 bash
#[exec]
fn info(cx: &Cx, packages: VarArgs, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let available = dselect(cx)?;
    let mut kwargs = kwargs.clean();
    let failhard = kwargs.remove("failhard").is_none_or(|failhard| failhard.truthy());
    if let Some((key, value)) = kwargs.iter().next() {
        let text = format!("{}={}", python_str(key), python_str(value));
        return Err(CallError::invocation(format!("The following keyword arguments are not valid: {text}")));
    }
    let mut format = String::from("-f=");
    for (name, field) in FIELDS {
        format.push_str(&format!("{name}:{field}\\n"));
    }
    format.push_str("description:${Description}\\n\\n*/~^\\\\*\\n");
    let names: Vec<String> = packages.0.iter().map(python_str).collect();
    let command: Vec<&str> =
        ["dpkg-query", "-W", &format].into_iter().chain(names.iter().map(String::as_str)).collect();
    let out = run_all(cx, &command, map! {"python_shell" => false})?;
    if failed(&out) {
        let errors = text(&out, "stderr");
        return if failhard {
            Err(CallError::execution(format!("Error getting packages information: {errors}")))
        } else {
            Ok(Map::new())
        };
    }
    let mut all = Map::new();
    for mut package in described(&text(&out, "stdout")) {
        let name = text(&package, "package");
        if let Some(Value::Map(more)) = available.get(&name) {
            for (key, value) in more.iter().filter(|(key, _)| key.as_str() != Some("package")) {
                if package.get_key(key).is_none() {
                    package.insert(key.clone(), value.clone());
                }
            }
        }
        for key in [
            "installed_size", "depends", "recommends", "provides", "replaces", "conflicts", "bugs", "description-md5",
            "task",
        ] {
            package.remove(key);
        }
        let license = license(&name);
        if !license.is_empty() {
            package.insert("license", license);
        }
        all.insert(name, package);
    }
    Ok(all)
}

/// The packages of dpkg's answer.
fn described(out: &str) -> Vec<Map> {
    let mut all = Vec::new();
    for one in out.split(&format!("\n{END}")) {
        let one = one.strip_prefix("\r\n").or_else(|| one.strip_prefix('\n')).unwrap_or(one);
        let Some((fields, description)) = one.split_once("\ndescription:").filter(|_| !one.trim().is_empty()) else {
            continue;
        };
        let mut package = Map::new();
        for line in fields.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            let Some((key, value)) = line.split_once(':') else { continue };
            if key == "install_date" {
                if let Some(date) = value.trim().parse().ok().and_then(zulu) {
                    package.insert(key, date);
                }
            } else if !value.is_empty() {
                package.insert(key, value);
            }
        }
        package.insert("description", description);
        all.push(package);
    }
    all
}

/// A time as `2026-01-31T12:00:00Z`.
fn zulu(seconds: i64) -> Option<String> {
    let t = tz::UtcDateTime::from_timespec(seconds, 0).ok()?;
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        t.year(),
        t.month(),
        t.month_day(),
        t.hour(),
        t.minute(),
        t.second()
    ))
}

/// The licences that a package's copyright names.
fn license(package: &str) -> String {
    // The name came from dpkg; a path in it would be none of its own.
    if package.contains('/') {
        return String::new();
    }
    let contents = std::fs::read(format!("/usr/share/doc/{package}/copyright")).unwrap_or_default();
    let text = String::from_utf8_lossy(&contents);
    let found: std::collections::BTreeSet<&str> =
        text.split('\n').filter_map(|line| line.strip_prefix("License:")).map(str::trim).collect();
    found.into_iter().collect::<Vec<_>>().join(", ")
}

/// What dselect knows of packages that are to be had, by name; nothing where there is no dselect.
fn dselect(cx: &Cx) -> Result<Map> {
    if crate::cmd::which::which("dselect").is_none() {
        return Ok(Map::new());
    }
    let more = map! {"python_shell" => false, "ignore_retcode" => true};
    let out = run_all(cx, &["dpkg-query", "--print-avail"], more)?;
    if failed(&out) {
        return Ok(Map::new());
    }
    let mut all = Map::new();
    for one in text(&out, "stdout").split("Package:") {
        let mut package = Map::new();
        for line in format!("Package:{one}").split('\n') {
            if let Some((key, value)) = line.split_once(": ").filter(|(_, value)| !value.trim().is_empty()) {
                package.insert(key.to_lowercase(), value);
            }
        }
        if let Some(name) = package.get("package").cloned() {
            all.insert(name, package);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_file_says_what_it_is() {
        let out = " new Debian package, version 2.0.\n Package: foo\n Version: 1.2-3\n Architecture: all\n Maintainer: x\n";
        assert_eq!(about(out), map! {"name" => "foo", "version" => "1.2-3", "arch" => "all"});
    }

    #[test]
    fn packages_are_described_up_to_the_mark() {
        let out = "package:a\nversion:1:2\norigin:\ninstall_date:1700000000\ndescription:A thing\n more: of it\n\n*/~^\\*\n\
                   package:b\ninstall_date:\ndescription:B\n\n*/~^\\*";
        let all = described(out);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], map! {
            "package" => "a", "version" => "1:2", "install_date" => "2023-11-14T22:13:20Z",
            "description" => "A thing\n more: of it\n",
        });
        assert_eq!(all[1], map! {"package" => "b", "description" => "B\n"});
    }
}
