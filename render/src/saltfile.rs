//! The Saltfile: a user's own defaults for the options of a program. The command line stands above it, the configuration
//! files below.

use crate::config::process_env;
use brine_core::cmdline::{Kind, Parsed, Program};
use brine_core::text::python_str;
use brine_protocol::{Map, Value};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why the Saltfile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SaltfileError {
    /// It is not there though it was named, or is no YAML: told as a wrong command line.
    #[error("{0}")]
    Wrong(String),
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The options that the Saltfile has for this program. Absent files say nothing, unless the command line names one.
///
/// # Errors
/// [`SaltfileError`]
pub fn read(program: &Program, line: &Parsed) -> Result<Map, SaltfileError> {
    let Some(path) = find(line)? else { return Ok(Map::new()) };
    let text =
        std::fs::read_to_string(&path).map_err(|source| SaltfileError::Io { path: path.clone(), source })?;
    let all = crate::yaml::load_named(&text, &path.to_string_lossy())
        .map_err(|e| SaltfileError::Wrong(format!("{}: {e}", path.display())))?;
    Ok(match all {
        Value::Map(mut all) => match all.remove(program.name) {
            Some(Value::Map(own)) => own,
            _ => Map::new(),
        },
        _ => Map::new(),
    })
}

/// Puts the options that the Saltfile has into a command line that does not give them, and gives the rest: what is no
/// option of the program, or no single value. Both stand above the configuration files.
///
/// # Errors
/// [`SaltfileError`]
pub fn fill(program: &Program, line: &mut Parsed) -> Result<Map, SaltfileError> {
    let mut rest = Map::new();
    for (key, value) in read(program, line)? {
        let option = program.options().find(|option| key.as_str() == Some(option.dest));
        let Some(option) = option else {
            rest.insert(key, value);
            continue;
        };
        let given = line.has(option.dest);
        let flag = option.kind.metavar().is_none();
        let taken = match &value {
            _ if given => true,
            value if flag => value.truthy() == (option.kind == Kind::Off) || line.add(option, ""),
            Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                line.add(option, &python_str(&value))
            }
            _ => false,
        };
        if !taken {
            rest.insert(key, value);
        }
    }
    Ok(rest)
}

fn find(line: &Parsed) -> Result<Option<PathBuf>, SaltfileError> {
    if let Some(given) = line.get("saltfile").map(str::to_owned).or_else(|| process_env("SALT_SALTFILE")) {
        if given.is_empty() {
            return Ok(None);
        }
        let path = PathBuf::from(&given);
        if !path.is_file() {
            return Err(SaltfileError::Wrong(format!("'{given}' file does not exist.\n")));
        }
        return Ok(Some(path));
    }
    let here = std::env::current_dir().map(|d| d.join("Saltfile")).unwrap_or_default();
    let home = process_env("HOME").unwrap_or_default();
    let home = Path::new(&home).join(".salt/Saltfile");
    Ok([here, home].into_iter().find(|path| path.is_file() && is_ones_own(path)))
}

/// A file that is found rather than named decides where the configuration is read: whoever can put one where root works
/// must not become root by it.
fn is_ones_own(path: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    let owned = meta.uid() == 0 || meta.uid() == nix::unistd::geteuid().as_raw();
    let safe = owned && meta.mode() & 0o002 == 0;
    if !safe {
        eprintln!(
            "WARNING: {} is not read: it belongs to somebody else, or others may write it; --saltfile names it all the same.",
            path.display()
        );
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::cmdline::{Section, flag, int_value, parse, value};
    use brine_protocol::map;
    use std::os::unix::fs::PermissionsExt;

    const PROGRAM: Program = Program {
        name: "salt-x",
        usage: "",
        about: "",
        sections: &[Section {
            title: "",
            options: &[
                value(&["--saltfile"], "saltfile", "FILE", "."),
                value(&["-c", "--config-dir"], "config_dir", "DIR", "."),
                int_value(&["-t", "--timeout"], "timeout", "N", "."),
                flag(&["--local"], "local", "."),
                flag(&["--static"], "static", "."),
            ],
        }],
        exits: &[],
    };

    #[test]
    fn the_command_line_stands_above_the_saltfile() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("Saltfile");
        let text = "salt-x:\n  config_dir: /c\n  timeout: 7\n  local: true\n  static: false\n  other: [x]\nsalt-y: {a: b}\n";
        std::fs::write(&file, text).unwrap();
        let named = format!("--saltfile={}", file.display());
        let mut line = parse(&PROGRAM, [named.clone(), "-t3".to_owned()]).unwrap();
        let rest = fill(&PROGRAM, &mut line).unwrap();
        assert_eq!(rest, map! {"other" => vec!["x"]});
        assert_eq!((line.get("config_dir"), line.get("timeout")), (Some("/c"), Some("3")));
        assert!(line.has("local") && !line.has("static"));
        std::fs::write(&file, "salt-x: {timeout: soon}").unwrap();
        let mut line = parse(&PROGRAM, [named.clone()]).unwrap();
        assert_eq!(fill(&PROGRAM, &mut line).unwrap(), map! {"timeout" => "soon"});
        std::fs::write(&file, "salt-x: {").unwrap();
        assert!(matches!(fill(&PROGRAM, &mut line), Err(SaltfileError::Wrong(_))));
        std::fs::remove_file(&file).unwrap();
        let error = fill(&PROGRAM, &mut line).unwrap_err().to_string();
        assert_eq!(error, format!("'{}' file does not exist.\n", file.display()));
    }

    #[test]
    fn a_saltfile_that_others_may_write_is_not_found() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("Saltfile");
        std::fs::write(&file, "").unwrap();
        assert!(is_ones_own(&file));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(!is_ones_own(&file));
        assert!(!is_ones_own(&dir.path().join("none")));
    }
}
