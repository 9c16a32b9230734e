//! Reading configuration files and what they include, remembering where each key was set.

use super::error::ConfigError;
use super::{glob, merge};
use crate::yaml;
use brine_core::options::{Daemon, ignores};
use brine_core::text::python_str;
use brine_protocol::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How deep includes may include.
const MAX_INCLUDES: usize = 10;

pub(super) struct Reader {
    daemon: Daemon,
    home: String,
    /// Where a top-level key was set last: file and line.
    pub(super) places: HashMap<String, (PathBuf, u64)>,
    pub(super) files: Vec<PathBuf>,
    pub(super) warnings: Vec<String>,
}

impl Reader {
    pub(super) fn new(daemon: Daemon, home: &str) -> Self {
        Self {
            daemon,
            home: home.to_owned(),
            places: HashMap::new(),
            files: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A file's options; none if it is not there.
    pub(super) fn file(&mut self, path: &Path) -> Result<Map, ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
            // As stock: an operator who may not read the file gets the defaults; here with a word about it.
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                self.warnings.push(format!("cannot read configuration file {}: {e}", path.display()));
                return Ok(Map::new());
            }
            Err(error) => return Err(ConfigError::Read { path: path.to_owned(), error }),
        };
        self.files.push(path.to_owned());
        let name = path.to_string_lossy();
        let (value, lines) = match yaml::load_with_lines(&text, &name) {
            Ok(loaded) => loaded,
            // The daemon's own file does not keep it from starting; it is put aside, as stock does.
            Err(problem) if name.ends_with(crate::schedule_conf::NAME) => {
                self.warnings.push(format!("Error parsing configuration file: {name} - {problem}"));
                self.warnings.push(format!("Renaming to {name}YAMLError"));
                if let Err(e) = std::fs::rename(path, format!("{name}YAMLError")) {
                    self.warnings.push(format!("{name} cannot be renamed: {e}"));
                }
                return Ok(Map::new());
            }
            Err(problem) => {
                return Err(ConfigError::Yaml { path: path.to_owned(), problem: Box::new(problem) });
            }
        };
        let mut map = match value {
            Value::Map(map) => map,
            value if !value.truthy() => Map::new(),
            other => {
                return Err(ConfigError::NotAMap {
                    path: path.to_owned(),
                    kind: brine_core::text::python_type(&other),
                });
            }
        };
        map.retain(|key, _| !key.as_str().is_some_and(|key| ignores(self.daemon, key)));
        for line in lines {
            self.places.insert(line.key, (path.to_owned(), line.line));
        }
        // Numeric ids are text.
        if let Some(id) = map.get_mut("id") {
            *id = Value::Str(python_str(id));
        }
        Ok(map)
    }

    /// The options of all files that patterns name, later ones merged into earlier ones.
    pub(super) fn includes(
        &mut self,
        include: &Value,
        beside: &Path,
        verbose: bool,
        depth: usize,
    ) -> Result<Map, ConfigError> {
        if depth > MAX_INCLUDES {
            return Err(ConfigError::IncludeDepth(beside.to_owned()));
        }
        let patterns: Vec<&str> = match include {
            Value::Str(one) if !one.is_empty() => vec![one],
            Value::List(list) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut merged = Map::new();
        for pattern in patterns {
            let path = beside.parent().unwrap_or(Path::new("/")).join(expand_user(pattern, &self.home));
            let files = glob(&path);
            if files.is_empty() && verbose {
                self.warnings.push(format!(
                    "Warning parsing configuration file: \"include\" path/glob '{}' matches no files",
                    path.display()
                ));
            }
            for file in files {
                let mut opts = self.file(&file)?;
                if let Some(inner) = opts.get("include").cloned().filter(Value::truthy) {
                    opts.update(self.includes(&inner, &file, verbose, depth + 1)?);
                }
                // As a whole, job by job: a job of a later file is not mixed with its namesake of an earlier one.
                if let (Some(Value::Map(jobs)), Some(Value::Map(into))) =
                    (opts.get("schedule"), merged.get_mut("schedule"))
                {
                    into.update(jobs.clone());
                }
                merge(&mut merged, opts);
            }
        }
        Ok(merged)
    }

    /// File and line of a key, for messages.
    pub(super) fn place(&self, key: &str) -> String {
        match self.places.get(key) {
            Some((file, line)) => format!("{}:{line}", file.display()),
            None => "configuration".into(),
        }
    }
}

/// `~` and `~/..` below the home directory.
pub(super) fn expand_user(path: &str, home: &str) -> PathBuf {
    match path.strip_prefix('~') {
        Some("") => PathBuf::from(home),
        Some(rest) if rest.starts_with('/') => PathBuf::from(format!("{}{rest}", home.trim_end_matches('/'))),
        _ => PathBuf::from(path),
    }
}
