//! The minion's options: its files, then what the command line says; and its id.

use crate::cmdline::Parsed;
use crate::identity::find_id;
use crate::jobs::outcome;
use brine_core::call::{Args, Cx};
use brine_core::host::NoHost;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};
use brine_protocol::ids::{IdError, MinionId};
use brine_render::config::{self, ConfigError};
use brine_render::config::{Findings, Names};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The minion cannot start as configured.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The files.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An id no master could store a key under.
    #[error("'{id}' is not a valid minion id: {source}")]
    Id {
        /// The id.
        id: String,
        /// What is wrong with it.
        source: IdError,
    },
}

/// Options ready for use.
pub struct Settled {
    /// All of them.
    pub opts: Opts,
    /// The id.
    pub id: MinionId,
    /// What to say once there is a log.
    pub findings: Findings,
}

/// Reads the files, overlays the command line's values, and settles the id. With `cache_id`, a detected id is kept.
pub fn settle(line: &Parsed, overrides: Map, cache_id: bool) -> Result<Settled, StartError> {
    let dir = line.get("config_dir").map(|d| std::path::absolute(d).unwrap_or_else(|_| PathBuf::from(d)));
    let path = config::config_file(brine_core::options::Daemon::Minion, dir.as_deref().map(Path::new));
    let find = |opts: &Opts| find_id(opts, Names::of_this_machine, from_function, cache_id);
    let (mut opts, findings) = config::minion_config(&path, &config::process_env, &find)?.split();
    opts.map_mut().update(overrides);
    let id = opts.get("id").map(python_str).unwrap_or_default();
    let id = MinionId::parse(&id).map_err(|source| StartError::Id { id, source })?;
    opts.map_mut().insert("id", &id);
    Ok(Settled { opts, id, findings })
}

/// `id_function`: a function's name, or a map of it to its keyword arguments.
fn from_function(opts: &Opts) -> Result<String, String> {
    let (fun, keyword) = match opts.get("id_function") {
        Some(Value::Str(fun)) => (fun.clone(), Map::new()),
        Some(Value::Map(map)) => match map.iter().next() {
            Some((Value::Str(fun), Value::Map(keyword))) => (fun.clone(), keyword.clone()),
            Some((Value::Str(fun), _)) => (fun.clone(), Map::new()),
            _ => return Err("'id_function' option is neither a string nor a dictionary".into()),
        },
        _ => return Err("'id_function' option is neither a string nor a dictionary".into()),
    };
    let registry = Arc::new(crate::modules_in_force::registry(opts));
    let mut cx = Cx::new(Arc::new(opts.clone()), registry, Arc::new(NoHost));
    cx.grains = Arc::new(brine_modules::grains(opts));
    match outcome::call(&cx, &fun, Args { positional: Vec::new(), keyword }) {
        Ok(Value::Str(id)) if !id.is_empty() => Ok(id),
        Ok(other) => {
            Err(format!("Function {fun} returned value \"{}\" instead of string", python_str(&other)))
        }
        Err(e) => Err(format!("Failed to get ID from {fun}: {e}")),
    }
}

/// The command line's values for these options, as texts, and the flags among them as `True`.
pub fn given(line: &Parsed, texts: &[&'static str], flags: &[&'static str]) -> Map {
    let mut map = Map::new();
    for name in texts {
        if let Some(text) = line.get(name) {
            map.insert(*name, text);
        }
    }
    for name in flags {
        if line.has(name) {
            map.insert(*name, Value::Bool(true));
        }
    }
    map
}
