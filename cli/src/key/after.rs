//! What follows a change of keys: events on a running master's bus, caches of minions that are gone, and the request
//! for a new session key.

use super::store::KeyStore;
use crate::exit::{CliError, Result};
use brine_client::bus;
use brine_core::Opts;
use brine_protocol::map;
use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// Fires `salt/key` for each changed key. Without a running master there is nobody to tell.
pub(super) fn tell_master(opts: &Opts, act: &str, names: &[String]) -> Result {
    let events = names
        .iter()
        .map(|id| ("salt/key".to_owned(), map! {"result" => true, "act" => act, "id" => id.as_str()}));
    Ok(bus::fire(opts, events.collect())?)
}

/// Removes what the master has cached of minions that have no key any more, but for those of `kept`.
pub(super) fn drop_caches(opts: &Opts, store: &KeyStore, kept: &[&String]) -> Result {
    let known: HashSet<String> = store.minions()?.into_iter().flat_map(|(_, names)| names).collect();
    let dir = opts.path("cachedir").join("minions");
    let Ok(entries) = fs::read_dir(&dir) else { return Ok(()) };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        // A link is removed as a link: remove_dir_all does not follow it.
        if !known.contains(&name) && !kept.contains(&&name) && entry.file_type().is_ok_and(|t| t.is_dir()) {
            fs::remove_dir_all(entry.path()).map_err(|e| CliError::io(entry.path(), e))?;
        }
    }
    Ok(())
}

/// Writes the drop file that makes a master change its session key. A master of 3007 or later wants its own id in
/// it, one of 3006 ignores the contents.
pub(crate) fn ask_for_new_session_key(opts: &Opts) -> Result {
    let path = opts.path("cachedir").join(".dfn");
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let next = path.with_file_name(".dfn-next");
    let _ = fs::remove_file(&next);
    let io = |e| CliError::io(&next, e);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&next);
    let mut file = match written {
        Ok(file) => file,
        // No cache directory: no master has run here.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(io(e)),
    };
    file.write_all(opts.str("id").as_bytes()).map_err(io)?;
    if let Ok(Some(user)) = nix::unistd::User::from_name(opts.str("user")) {
        // Best effort as in stock: only root may give files away.
        let _ = nix::unistd::fchown(&file, Some(user.uid), None);
    }
    fs::rename(&next, &path).map_err(|e| CliError::io(&path, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_drop_file_is_as_stock_wants_it() {
        let dir = tempfile::tempdir().unwrap();
        let cachedir = dir.path().to_str().unwrap();
        let opts = Opts::new(map! {"cachedir" => cachedir, "id" => "host_master"});
        ask_for_new_session_key(&opts).unwrap();
        let path = dir.path().join(".dfn");
        assert_eq!(fs::read_to_string(&path).unwrap(), "host_master");
        assert_eq!(path.metadata().unwrap().permissions().mode(), 0o100_400);
        ask_for_new_session_key(&opts).unwrap();
    }

    #[test]
    fn caches_of_minions_without_a_key_go() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        fs::create_dir_all(cache.join("minions/gone")).unwrap();
        fs::create_dir_all(cache.join("minions/here")).unwrap();
        fs::create_dir_all(cache.join("minions/kept")).unwrap();
        fs::create_dir_all(dir.path().join("pki/minions")).unwrap();
        fs::write(dir.path().join("pki/minions/here"), "pem").unwrap();
        let opts = Opts::new(map! {"cachedir" => cache.to_str().unwrap()});
        drop_caches(&opts, &KeyStore::new(&dir.path().join("pki")), &[&"kept".to_owned()]).unwrap();
        assert!(cache.join("minions/kept").is_dir());
        assert!(cache.join("minions/here").is_dir() && !cache.join("minions/gone").exists());
    }
}
