//! The grains file beside the minion's configuration (`/etc/salt/grains`).

use super::read;
use brine_core::{Map, Opts, Value};
use brine_render::yaml::{self, YamlError};
use std::path::{Path, PathBuf};

/// Where the grains file is: in the directory `conf_file` names, or beside the file it names.
pub(crate) fn grains_path(opts: &Opts) -> Option<PathBuf> {
    let conf = opts.get("conf_file")?.as_str()?;
    let conf = Path::new(conf);
    Some(if conf.is_dir() { conf.join("grains") } else { conf.parent()?.join("grains") })
}

/// The static grains; a file that is no YAML map is skipped with a warning.
pub(super) fn load(opts: &Opts) -> Map {
    let Some(path) = grains_path(opts).filter(|p| p.is_file()) else { return Map::new() };
    match read_grains_file(&path) {
        Ok(Some(Value::Map(grains))) => grains,
        Ok(_) => Map::new(),
        Err(e) => {
            tracing::warn!("bad syntax in {}, skipped: {e}", path.display());
            Map::new()
        }
    }
}

/// What the grains file holds, if it is there.
pub(crate) fn read_grains_file(path: &Path) -> Result<Option<Value>, YamlError> {
    read::text(path).map(|text| yaml::load(&text)).transpose()
}
