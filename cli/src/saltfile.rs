//! The Saltfile: a user's own defaults for the options of a command.

use crate::exit::{CliError, Result};
use brine_core::cmdline::{Parsed, Program};
use brine_protocol::{Map, Value};
use brine_render::config::process_env;
use std::path::{Path, PathBuf};

/// The options that the Saltfile has for this program. Absent files say nothing, unless the command line names one.
pub(crate) fn read(program: &Program, line: &Parsed) -> Result<Map> {
    let Some(path) = find(program, line)? else { return Ok(Map::new()) };
    let text = std::fs::read_to_string(&path).map_err(|e| CliError::io(&path, e))?;
    let wrong =
        |e: &dyn std::fmt::Display| CliError::Usage(program.usage_error(&format!("{}: {e}", path.display())));
    match brine_render::yaml::load_named(&text, &path.to_string_lossy()).map_err(|e| wrong(&e))? {
        Value::Map(mut all) => Ok(match all.remove(program.name) {
            Some(Value::Map(own)) => own,
            _ => Map::new(),
        }),
        _ => Ok(Map::new()),
    }
}

fn find(program: &Program, line: &Parsed) -> Result<Option<PathBuf>> {
    if let Some(given) = line.get("saltfile").map(str::to_owned).or_else(|| process_env("SALT_SALTFILE")) {
        let path = PathBuf::from(&given);
        if !path.is_file() {
            return Err(CliError::Usage(program.usage_error(&format!("'{given}' file does not exist.\n"))));
        }
        return Ok(Some(path));
    }
    let here = std::env::current_dir().map(|d| d.join("Saltfile")).unwrap_or_default();
    let home = process_env("HOME").unwrap_or_default();
    let home = Path::new(&home).join(".salt/Saltfile");
    Ok([here, home].into_iter().find(|p| p.is_file()))
}
