//! As whom the master is asked, and which master it is.

use crate::{Error, Result};
use brine_core::Opts;
use brine_core::options::Daemon;
use brine_render::config::{FoundId, client_config, config_file, process_env};
use std::path::Path;
use zeroize::Zeroizing;

/// A name, and the key that the master has written for it.
pub struct Who {
    pub(crate) name: String,
    /// Empty where the file cannot be read: the master will say so.
    pub(crate) key: Zeroizing<String>,
}

impl Who {
    /// Whoever runs this process. Root and those who came through sudo have the key of the user that the master runs as.
    pub fn caller(opts: &Opts) -> Self {
        let own = own_name();
        let key = key_of(opts, if own == "root" { owner(opts) } else { &own });
        Self { name: caller_name(), key: key.unwrap_or_default() }
    }

    /// The user that the master runs as; None if its key cannot be read.
    pub fn owner(opts: &Opts) -> Option<Self> {
        let name = owner(opts).to_owned();
        let key = key_of(opts, &name).ok()?;
        Some(Self { name, key })
    }
}

/// The name to act under: that of whoever called sudo counts.
pub fn caller_name() -> String {
    let own = own_name();
    let sudo = std::env::var("SUDO_USER").ok().filter(|u| own == "root" && !u.is_empty() && u != "root");
    sudo.map_or(own, |u| format!("sudo_{u}"))
}

/// The name of the user of this process; empty if it has none.
pub fn own_name() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map_or(String::new(), |u| u.name)
}

fn owner(opts: &Opts) -> &str {
    match opts.str("user") {
        "" => "root",
        configured => configured,
    }
}

fn key_of(opts: &Opts, user: &str) -> std::io::Result<Zeroizing<String>> {
    let path = opts.path("cachedir").join(format!(".{user}_key"));
    let key = Zeroizing::new(std::fs::read_to_string(path)?);
    Ok(Zeroizing::new(key.trim_end().to_owned()))
}

/// The options of the master whose configuration stands beside a minion's; None if there is none.
///
/// # Errors
/// When it cannot be read.
pub fn master_beside(minion: &Opts) -> Result<Option<Opts>> {
    let conf = minion.path("conf_file");
    let file = config_file(Daemon::Master, Some(conf.parent().unwrap_or(Path::new(""))));
    if !file.is_file() {
        return Ok(None);
    }
    let id = || FoundId { id: minion.str("id").to_owned(), is_address: false };
    let loaded = client_config(&file, &process_env, &|_| Ok(id()));
    loaded.map(|l| Some(l.opts)).map_err(|e| Error::Refused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn the_key_is_that_of_the_user_whom_the_master_runs_as() {
        let dir = tempfile::tempdir().unwrap();
        let opts = |user: &str| {
            let cachedir = dir.path().to_string_lossy().into_owned();
            Opts::new(map! {"cachedir" => cachedir, "user" => user})
        };
        assert!(Who::owner(&opts("salt")).is_none());
        std::fs::write(dir.path().join(".salt_key"), "secret\n").unwrap();
        let who = Who::owner(&opts("salt")).unwrap();
        assert_eq!((who.name.as_str(), who.key.as_str()), ("salt", "secret"));
        std::fs::write(dir.path().join(format!(".{}_key", own_name())), "own").unwrap();
        std::fs::write(dir.path().join(".root_key"), "own").unwrap();
        assert_eq!(Who::caller(&opts("")).key.as_str(), "own");
    }

    #[test]
    fn a_master_stands_beside_a_minion_or_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let conf = dir.path().join("minion").to_string_lossy().into_owned();
        let minion = Opts::new(map! {"conf_file" => conf, "id" => "m"});
        assert!(master_beside(&minion).unwrap().is_none());
        std::fs::write(dir.path().join("master"), "ret_port: 5\n").unwrap();
        assert_eq!(master_beside(&minion).unwrap().unwrap().int("ret_port"), Some(5));
    }
}
