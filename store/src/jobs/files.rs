//! The job cache as files, in the layout of stock's `local_cache`, for stock's command-line tools.
//!
//! `salt` reads `.load.p` and `.minions.p` of the job it has just published; `salt-run jobs.*` reads `return.p` too,
//! which is written only with `job_cache_files`. Everything here is also in the database and goes when that forgets it.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use brine_protocol::crypt::HashType;
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::msgpack::{Dialect, encode, encode_map};
use brine_protocol::{Map, Value};

use crate::fs::Dir;

const DIR_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o600;

/// The directory `cachedir/jobs`.
#[derive(Clone, Debug)]
pub struct JobFiles {
    root: Dir,
    hash: HashType,
}

impl JobFiles {
    /// The cache below `root`, its directories named by `hash_type`.
    pub fn at(root: PathBuf, hash: HashType) -> Self {
        Self { root: Dir::at(root), hash }
    }

    /// A job's directory: its name is a hash, so a job id is never part of a path.
    fn dir(&self, jid: &str) -> io::Result<Dir> {
        let hex = self.hash.hex(jid.as_bytes());
        self.root.sub(&hex[..2])?.sub(&hex[2..])
    }

    /// Writes what stock's `salt` wants to see before it gets the answer to its publish.
    ///
    /// # Errors
    /// As the system has it.
    pub fn write_job(&self, jid: &Jid, load: &Map, minions: &[String], nocache: bool) -> io::Result<()> {
        let dir = self.dir(jid.as_str())?;
        dir.ensure(DIR_MODE)?;
        dir.write("jid", jid.as_str().as_bytes(), FILE_MODE)?;
        if nocache {
            dir.write("nocache", b"", FILE_MODE)?;
        }
        dir.write(".load.p", &encode_map(load, Dialect::New), FILE_MODE)?;
        let list: Value = minions.iter().map(String::as_str).collect();
        dir.write(".minions.p", &encode(&list, Dialect::New), FILE_MODE)
    }

    /// Writes a minion's return as stock does: `return`, `retcode` and `success`, the outputter beside it.
    ///
    /// # Errors
    /// As the system has it.
    pub fn write_return(&self, jid: &Jid, id: &MinionId, load: &Map) -> io::Result<()> {
        let dir = self.dir(jid.as_str())?.sub(id.as_str())?;
        dir.ensure(DIR_MODE)?;
        let mut part = Map::new();
        for key in ["return", "retcode", "success"] {
            if let Some(value) = load.get(key) {
                part.insert(key, value.clone());
            }
        }
        dir.write("return.p", &encode_map(&part, Dialect::New), FILE_MODE)?;
        if let Some(out) = load.get("out") {
            dir.write("out.p", &encode(out, Dialect::New), FILE_MODE)?;
        }
        Ok(())
    }

    /// Whether returns of this job are not to be kept.
    pub fn is_nocache(&self, jid: &Jid) -> bool {
        self.dir(jid.as_str()).is_ok_and(|dir| dir.has("nocache"))
    }

    /// Removes a job's directory.
    pub fn remove(&self, jid: &str) {
        if let Ok(dir) = self.dir(jid) {
            let _ = std::fs::remove_dir_all(dir.path());
            // The parent goes with its last job; not empty is no fault.
            if let Some(parent) = dir.path().parent() {
                let _ = std::fs::remove_dir(parent);
            }
        }
    }

    /// Removes jobs older than `max_age`, those of a stock master that ran here before among them.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn prune(&self, now: SystemTime, max_age: Duration) -> io::Result<usize> {
        let mut gone = 0;
        for top in self.root.dirs()? {
            let top = self.root.sub(&top)?;
            for name in top.dirs()? {
                let dir = top.sub(&name)?;
                // No `jid` file: stock calls such a directory corrupt. One just made is given time.
                let born = dir
                    .modified("jid")
                    .or_else(|| std::fs::metadata(dir.path()).and_then(|m| m.modified()).ok());
                let age = born.and_then(|t| now.duration_since(t).ok()).unwrap_or_default();
                if age > max_age {
                    let _ = std::fs::remove_dir_all(dir.path());
                    gone += 1;
                }
            }
            let _ = std::fs::remove_dir(top.path());
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;
    use brine_protocol::msgpack::decode;

    #[test]
    fn the_layout_is_stocks() {
        let tmp = tempfile::tempdir().unwrap();
        let files = JobFiles::at(tmp.path().join("jobs"), HashType::Sha256);
        let jid = Jid::parse("20261125133341123456").unwrap();
        let id = MinionId::parse("m1").unwrap();
        files.write_job(&jid, &map! {"fun" => "test.ping"}, &["m1".into(), "m2".into()], false).unwrap();
        files
            .write_return(&jid, &id, &map! {"return" => true, "retcode" => 0, "id" => "m1", "out" => "txt"})
            .unwrap();
        // sha256 of the job id, as `salt.utils.jid.jid_dir` splits it.
        let hex = HashType::Sha256.hex(jid.as_str().as_bytes());
        let dir = tmp.path().join("jobs").join(&hex[..2]).join(&hex[2..]);
        let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
        assert_eq!(read("jid"), jid.as_str().as_bytes());
        assert_eq!(decode(&read(".load.p")).unwrap(), map! {"fun" => "test.ping"}.into());
        assert_eq!(decode(&read(".minions.p")).unwrap(), vec!["m1", "m2"].into());
        assert_eq!(decode(&read("m1/return.p")).unwrap(), map! {"return" => true, "retcode" => 0}.into());
        assert_eq!(decode(&read("m1/out.p")).unwrap(), "txt".into());
        assert!(!files.is_nocache(&jid));
        assert_eq!(files.prune(SystemTime::now(), Duration::from_secs(60)).unwrap(), 0);
        let later = SystemTime::now() + Duration::from_secs(3600);
        assert_eq!(files.prune(later, Duration::from_secs(60)).unwrap(), 1);
        assert_eq!(std::fs::read_dir(tmp.path().join("jobs")).unwrap().count(), 0);
    }
}
