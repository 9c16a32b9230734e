//! What a hook is set up to do, and what git tells it.
//!
//! Settings are in the repository's own directory, where nobody can push to:
//!
//! ```yaml
//! ref: main
//! below: ''
//! config_dir: /etc/salt
//! exports:
//!   - knot: {output: /var/lib/knot}
//! ```

use crate::exit::{CliError, Result};
use crate::pj::Told;
use crate::pj::export::{Job, of_settings};
use crate::pj::warehouse::Warehouse;
use brine_inventory::Origin;
use brine_protocol::{Map, Value};
use std::io::Read;
use std::path::PathBuf;

/// The file with the settings.
const SETTINGS: &str = "pj.yaml";

/// The commits of a branch before and after a push; none is no branch.
type Push = (Option<String>, Option<String>);

/// What a hook is set up to do.
#[derive(Debug)]
pub(super) struct Settings {
    /// The repository's own directory.
    pub(super) repository: PathBuf,
    /// Whole: `refs/heads/main`.
    pub(super) name: String,
    below: String,
    /// That of the master's configuration.
    pub(super) config_dir: Option<PathBuf>,
    pub(super) exports: Vec<Job>,
}

impl Settings {
    /// Of the command line and the file.
    pub(super) fn of(told: &Told) -> Result<Self> {
        told.no_arguments()?;
        let repository = std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let repository = std::fs::canonicalize(&repository).map_err(|e| CliError::io(&repository, e))?;
        let path = told.get("config").map_or_else(|| repository.join(SETTINGS), PathBuf::from);
        let said = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !told.has("config") => String::new(),
            Err(e) => return Err(CliError::io(&path, e)),
        };
        let wrong = |e: String| CliError::Config(format!("{}: {e}", path.display()));
        let mut said = match brine_render::yaml::load(&said).map_err(|e| wrong(e.to_string()))? {
            Value::Nil => Map::new(),
            Value::Map(map) => map,
            _ => return Err(wrong("a mapping is needed".into())),
        };
        let mut text = |key: &str| match said.remove(key) {
            None | Some(Value::Nil) => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(wrong(format!("{key} is a text"))),
            },
        };
        let (name, below, config_dir) = (text("ref")?, text("below")?, text("config_dir")?);
        let exports = match said.remove("exports") {
            None | Some(Value::Nil) => Vec::new(),
            Some(Value::List(all)) => {
                all.iter().map(of_settings).collect::<std::result::Result<_, _>>().map_err(wrong)?
            }
            Some(_) => return Err(wrong("exports is a list".into())),
        };
        if let Some(key) = said.keys().next() {
            return Err(wrong(format!("there is no setting {}", brine_core::text::python_str(key))));
        }
        let over = |key: &str, said: Option<String>| told.get(key).map(str::to_owned).or(said);
        let name = over("ref", name).filter(|n| !n.is_empty()).unwrap_or_else(|| "main".into());
        let name = if name.starts_with("refs/") { name } else { format!("refs/heads/{name}") };
        Ok(Self {
            repository,
            name,
            below: over("below", below).unwrap_or_default().trim_matches('/').to_owned(),
            config_dir: over("config_dir", config_dir).map(PathBuf::from),
            exports,
        })
    }

    /// The warehouse of a commit.
    pub(super) fn house(&self, revision: &str) -> Warehouse {
        let origin = Origin::Git {
            repository: self.repository.clone(),
            revision: revision.to_owned(),
            below: self.below.clone(),
        };
        Warehouse { origin, shown: self.repository.clone() }
    }

    /// What the push does to the branch, if it does anything.
    pub(super) fn pushed(&self) -> Result<Option<Push>> {
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input).map_err(|e| CliError::io("standard input", e))?;
        // Other branches may have any names.
        for line in String::from_utf8_lossy(&input).lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
                return Err(CliError::Config(format!(
                    "git said {line:?}, which is no update of a reference"
                )));
            };
            let id =
                |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(text.len(), 40 | 64);
            if !id(old) || !id(new) {
                return Err(CliError::Config(format!(
                    "git said {line:?}, which is no update of a reference"
                )));
            }
            if name == self.name {
                let commit = |text: &str| text.bytes().any(|b| b != b'0').then(|| text.to_owned());
                return Ok(Some((commit(old), commit(new))));
            }
        }
        Ok(None)
    }
}
