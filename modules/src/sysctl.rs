//! The `sysctl` execution module: parameters of the running kernel, and the files that set them when it starts.

use crate::{python, settings, tools};
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::Path;

module! {
    "sysctl": assign, default_config, get, persist, show
}

/// What a file gets that is made.
const HEAD: &str = "#\n# Kernel sysctl configuration\n#\n";

/// The file that sets parameters here: systemd reads `/etc/sysctl.d` only.
///
/// CLI Example: salt -G 'kernel:Linux' sysctl.default_config
#[exec]
fn default_config() -> Result<String> {
    Ok(default_file().to_owned())
}

fn default_file() -> &'static str {
    // No systemd that still runs is older than the one that gave up the other file.
    if settings::booted() { "/etc/sysctl.d/99-salt.conf" } else { "/etc/sysctl.conf" }
}

/// All parameters: of the running kernel, or of a file.
///
/// CLI Example: salt '*' sysctl.show
#[exec]
fn show(cx: &Cx, #[default(false)] config_file: Value) -> Result {
    let mut all = Map::new();
    if config_file.truthy() {
        let path = python_str(&config_file);
        if !Path::new(&path).exists() {
            return Ok(Value::List(Vec::new()));
        }
        let Ok(text) = settings::text(&path) else {
            tracing::error!("Could not open sysctl file");
            return Ok(Value::Nil);
        };
        for line in settings::lines(&text).map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some((key, value)) = line.split_once('=') {
                all.insert(key.trim_end(), value.trim_start());
            }
        }
        return Ok(all.into());
    }
    let command = Args::positional([format!("{} -a", settings::program("sysctl")?)]);
    let out = cx.call("cmd.run_stdout", command.with("output_loglevel", "trace").with("python_shell", false))?;
    for line in python_str(&out).lines() {
        if let Some((key, value)) = line.split_once(" = ") {
            all.insert(key, value);
        }
    }
    Ok(all.into())
}

fn current(cx: &Cx, name: &str) -> Result<String> {
    tools::run(cx, &[&settings::program("sysctl")?, "-n", name])
}

/// One parameter of the running kernel.
///
/// CLI Example: salt '*' sysctl.get net.ipv4.ip_forward
#[exec]
fn get(cx: &Cx, name: String) -> Result<String> {
    current(cx, &name)
}

/// Whether a line says that a parameter has a value now.
fn confirms(line: &str, name: &str, value: &str) -> bool {
    let space = |text: &str| !text.is_empty() && text.chars().all(char::is_whitespace);
    let rest = line.strip_prefix(name).and_then(|rest| rest.split_once('='));
    rest.is_some_and(|(before, after)| space(before) && after.strip_suffix(value).is_some_and(space))
}

fn set(cx: &Cx, name: &str, value: &str) -> Result<Map> {
    let place: String = name.chars().map(|c| if c == '.' { '/' } else if c == '/' { '.' } else { c }).collect();
    if !Path::new(&format!("/proc/sys/{place}")).exists() {
        return Err(CallError::execution(format!("sysctl {name} does not exist")));
    }
    let out = tools::run_all(cx, &[&settings::program("sysctl")?, "-w", &format!("{name}={value}")])?;
    let (stdout, stderr) = (settings::said(&out, "stdout"), settings::said(&out, "stderr"));
    if !confirms(stdout, name, value) || stderr.contains("Invalid argument") {
        let error = if settings::code(&out) != 0 && !stderr.is_empty() { stderr } else { stdout };
        return Err(CallError::execution(format!("sysctl -w failed: {error}")));
    }
    Ok(stdout.split_once(" = ").into_iter().collect())
}

/// Set one parameter of the running kernel.
///
/// CLI Example: salt '*' sysctl.assign net.ipv4.ip_forward 1
#[exec]
fn assign(cx: &Cx, name: String, value: Value) -> Result<Map> {
    set(cx, &name, &python_str(&value))
}

/// A value as the kernel shows it: one tab between its words.
fn plain(value: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in value.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !inside {
            out.push('\t');
        }
        inside = c.is_whitespace();
    }
    out
}

/// The lines of a file with a value set; none if it says so already.
fn edited(text: &str, name: &str, value: &str) -> Option<String> {
    let mut out = String::new();
    let mut found = false;
    for line in settings::lines(text) {
        match line.split_once('=').map(|(key, old)| (key.trim(), old.trim())) {
            Some((key, old)) if key == name && !key.starts_with('#') => {
                if plain(old) == plain(value) {
                    return None;
                }
                out += &format!("{name} = {value}\n");
                found = true;
            }
            _ => out += line,
        }
    }
    if !found {
        out += &format!("{name} = {value}\n");
    }
    Some(out)
}

/// Set one parameter of the running kernel, and in a file, so that it stays.
///
/// CLI Example: salt '*' sysctl.persist net.ipv4.ip_forward 1
#[exec]
fn persist(cx: &Cx, name: String, value: Value, config: Option<String>) -> Result<String> {
    let value = python_str(&value);
    let config = config.unwrap_or_else(|| default_file().to_owned());
    if !Path::new(&config).is_file() {
        let folder = python::path::dirname(&config);
        if !Path::new(folder).exists() {
            std::fs::create_dir_all(folder).map_err(|e| crate::hashutil::file_error(&e, folder))?;
        }
        settings::write(&config, HEAD.as_bytes())
            .map_err(|_| CallError::execution(format!("Could not write to file: {config}")))?;
    }
    let text = settings::text(&config)
        .map_err(|_| CallError::execution(format!("Could not read from file: {config}")))?;
    let Some(new) = edited(&text, &name, &value) else {
        if plain(&current(cx, &name)?) == plain(&value) {
            return Ok("Already set".to_owned());
        }
        set(cx, &name, &value)?;
        return Ok("Updated".to_owned());
    };
    settings::write(&config, new.as_bytes())
        .map_err(|_| CallError::execution(format!("Could not write to file: {config}")))?;
    set(cx, &name, &value)?;
    Ok("Updated".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_changed_and_the_others_stay() {
        assert_eq!(edited("# a = 1\n a=1\nb=2\n", "a", "3").unwrap(), "# a = 1\na = 3\nb=2\n");
        assert_eq!(edited("a = 1  2\n", "a", "1\t2"), None);
        assert_eq!(edited("x", "a", "1").unwrap(), "xa = 1\n");
        assert!(confirms("a.b = 1 2", "a.b", "1 2"));
        assert!(!confirms("a.b = 1 2", "a.b", "2") && !confirms("a.b=1", "a.b", "1"));
    }
}
