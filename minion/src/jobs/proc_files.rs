//! The files under `cachedir/proc`: how this minion's running jobs are known to other programs on the machine, and
//! theirs (`salt-call`) to it. Not the daemon's own table of jobs.

use brine_files::Unseen;
use brine_protocol::crypt::HashType;
use brine_protocol::ids::Jid;
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::{Map, Value};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// No publish load comes near this; a file that does is none of ours.
const LARGEST: u64 = 128 << 20;
/// The master that is owed a return of the job, in the file of a daemon's job.
const OWED: &str = "__owed_to__";

/// A job that a minion which has died owes a return.
#[derive(Debug, PartialEq)]
pub struct Owed {
    /// The master that gave it.
    pub master: String,
    /// What was published.
    pub load: Map,
}

/// The directory.
#[derive(Clone)]
pub struct ProcDir(PathBuf);

impl ProcDir {
    /// Makes `cachedir/proc` if it is missing.
    pub fn open(cachedir: &Path) -> io::Result<Self> {
        let dir = cachedir.join("proc");
        fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }

    /// Files are named by job id as stock does. An id that is no plain name is hashed: readers go by content.
    fn path(&self, jid: &str) -> PathBuf {
        match Jid::parse(jid) {
            Ok(jid) => self.0.join(jid.as_str()),
            Err(_) => self.0.join(HashType::Sha256.hex(jid.as_bytes())),
        }
    }

    /// The path that an error message names.
    pub fn display(&self, jid: &str) -> String {
        self.path(jid).display().to_string()
    }

    /// Writes the file of a job: its publish load with our process id in front, and to whom a return is owed.
    pub fn write(&self, jid: &str, load: &Map, owed_to: Option<&str>) -> io::Result<()> {
        let mut data = Map::with_capacity(load.len() + 2);
        data.insert("pid", std::process::id());
        data.update(load.clone());
        if let Some(master) = owed_to {
            data.insert(OWED, master);
        }
        // Arguments may be secret.
        private_write(&self.path(jid), &msgpack::encode_map(&data, Dialect::Old))
    }

    /// Removes the file of a job that is over.
    pub fn remove(&self, jid: &str) {
        let _ = fs::remove_file(self.path(jid));
    }

    /// The jobs of other Salt programs that run now. Files of dead processes are removed on the way.
    pub fn others(&self) -> Vec<Map> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        entries.flatten().filter_map(|entry| other(&entry.path())).collect()
    }

    /// Removes what jobs of dead processes left, when a minion is started. Those that an earlier life of it owes a return are what is
    /// returned; their files stay until they are removed by name.
    pub fn sweep(&self) -> Vec<Owed> {
        let own = i64::from(std::process::id());
        let mut owed = Vec::new();
        let Ok(entries) = fs::read_dir(&self.0) else { return owed };
        for path in entries.flatten().map(|e| e.path()) {
            let Some(mut load) = read(&path) else {
                // Cut off in the middle: a file of ours is whole when it has its name.
                let _ = fs::remove_file(&path);
                continue;
            };
            if let Some(Value::Str(master)) = load.remove(OWED) {
                load.remove("pid");
                owed.push(Owed { master, load });
            } else if load.get("pid").and_then(Value::as_int) == Some(own) {
                // A reused number.
                let _ = fs::remove_file(&path);
            } else {
                // It removes files of dead processes.
                other(&path);
            }
        }
        owed
    }
}

/// Writes a file that only its owner may read, and that is whole or not there.
pub(super) fn private_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = Unseen::new_in(path.parent().unwrap_or(Path::new(".")), 0o600)?;
    new.file().write_all(bytes)?;
    new.persist(path).map_err(|(e, _)| e)
}

fn read(path: &Path) -> Option<Map> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    match msgpack::decode(&bytes) {
        Ok(Value::Map(map)) => Some(map),
        _ => None,
    }
}

fn other(path: &Path) -> Option<Map> {
    let mut map = read(path)?;
    let owed = map.remove(OWED).is_some();
    let pid = map.get("pid").and_then(Value::as_int)?;
    if pid == i64::from(std::process::id()) {
        return None;
    }
    // A pid may have been reused by something that is no Salt program.
    let alive =
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.windows(4).any(|w| w == b"salt"));
    if !alive {
        if !owed {
            let _ = fs::remove_file(path);
        }
        return None;
    }
    Some(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_lists_the_load_with_the_pid_in_front() {
        let dir = tempfile::tempdir().unwrap();
        let proc = ProcDir::open(dir.path()).unwrap();
        let jid = "20261125120000000000";
        proc.write(jid, &map! {"fun" => "test.ping", "jid" => jid}, None).unwrap();
        let mode = fs::metadata(dir.path().join("proc").join(jid)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let on_disk = read(&dir.path().join("proc").join(jid)).unwrap();
        assert_eq!(on_disk.keys().next().unwrap().as_str(), Some("pid"));
        assert_eq!(on_disk.get_str("fun"), Some("test.ping"));
        assert!(proc.others().is_empty(), "our own jobs are not others");
        proc.remove(jid);
        assert!(!dir.path().join("proc").join(jid).exists());
    }

    #[test]
    fn a_hostile_job_id_stays_in_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let proc = ProcDir::open(dir.path()).unwrap();
        proc.write("../../evil", &map! {"jid" => "../../evil"}, None).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("proc")).unwrap().count(), 1);
        assert!(proc.sweep().is_empty());
        assert_eq!(fs::read_dir(dir.path().join("proc")).unwrap().count(), 0);
    }

    #[test]
    fn what_a_dead_minion_owes_is_found_when_it_is_started() {
        let dir = tempfile::tempdir().unwrap();
        let proc = ProcDir::open(dir.path()).unwrap();
        let load = map! {"fun" => "test.sleep", "jid" => "1"};
        proc.write("1", &load, Some("m")).unwrap();
        let file = dir.path().join("proc/1");
        let mut dead = read(&file).unwrap();
        dead.insert("pid", i64::from(i32::MAX));
        private_write(&file, &msgpack::encode_map(&dead, Dialect::Old)).unwrap();
        // Other programs leave it to the minion.
        assert!(proc.others().is_empty());
        fs::write(dir.path().join("proc/2"), b"half").unwrap();
        assert_eq!(proc.sweep(), [Owed { master: "m".into(), load }]);
        assert!(file.exists() && !dir.path().join("proc/2").exists());
        proc.remove("1");
        assert!(proc.sweep().is_empty());
    }

    #[test]
    fn files_of_dead_processes_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let proc = ProcDir::open(dir.path()).unwrap();
        let file = dir.path().join("proc/1");
        fs::write(
            &file,
            msgpack::encode_map(&map! {"pid" => i64::from(i32::MAX), "jid" => "1"}, Dialect::Old),
        )
        .unwrap();
        assert!(proc.others().is_empty());
        assert!(!file.exists());
    }
}
