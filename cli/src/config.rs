//! Reads the master's configuration for a command on its host, and sets up the command's log.

use crate::args::config_dir;
use crate::exit::{CliError, Result};
use brine_core::Opts;
use brine_core::options::Daemon;
use brine_render::config::{FoundId, client_config, config_file, process_env};
use clap::ArgMatches;

/// What a command works with.
pub(crate) struct Loaded {
    /// The master's options, overlaid by the user's own file.
    pub(crate) opts: Opts,
}

/// Reads the configuration that the command line points to.
pub(crate) fn load_master(m: &ArgMatches) -> Result<Loaded> {
    let dir = config_dir(m);
    let path = config_file(Daemon::Master, dir.as_deref());
    let loaded =
        client_config(&path, &process_env, &|_| own_name()).map_err(|e| CliError::Config(e.to_string()))?;
    for warning in &loaded.warnings {
        eprintln!("[WARNING ] {warning}");
    }
    Ok(Loaded { opts: loaded.opts })
}

/// The host's name: a master without an `id` is named after it.
fn own_name() -> std::result::Result<FoundId, String> {
    let name = nix::unistd::gethostname().map_err(|e| e.to_string())?;
    let id = name.into_string().map_err(|_| "the host's name is not text".to_owned())?;
    Ok(FoundId { id, is_address: false })
}
