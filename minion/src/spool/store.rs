//! The files of the spool and the index of what is there.

use super::seal::{Seal, SealError};
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::{Map, Value};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Number of a spooled return; later ones have higher numbers.
pub type Seq = u64;

/// Why a return could not be spooled or read back.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The return alone is larger than the whole spool may be.
    #[error("a return of {0} bytes is larger than spool_max_size")]
    TooLarge(u64),
    /// Not, or no longer, in the spool.
    #[error("no such return in the spool")]
    Gone,
    /// The file is not what was written.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One return, and the master it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The master as configured, or empty text for whichever is connected.
    pub master: String,
    /// The load, ready to be sent but for what the channel adds.
    pub load: Map,
}

/// Returns on disk that no master has confirmed yet.
pub struct Spool {
    dir: PathBuf,
    seal: Seal,
    cap: u64,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    next: Seq,
    bytes: u64,
    sizes: BTreeMap<Seq, u64>,
}

impl Spool {
    /// Opens the spool in `dir` (made if missing, 0700) under the key in `key_file` (made if missing, 0600), and finds
    /// what an earlier run left.
    pub fn open(dir: &Path, key_file: &Path, cap: u64) -> Result<Self, SpoolError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let spool = Self {
            dir: dir.to_owned(),
            seal: Seal::load(key_file)?,
            cap,
            index: Mutex::new(Index::default()),
        };
        spool.scan()?;
        Ok(spool)
    }

    fn scan(&self) -> io::Result<()> {
        let mut index = self.index.lock();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.ends_with(".tmp") {
                // Never renamed, so never promised.
                fs::remove_file(entry.path())?;
            } else if let Some(seq) = number(name) {
                let size = entry.metadata()?.len();
                index.sizes.insert(seq, size);
                index.bytes += size;
                index.next = index.next.max(seq + 1);
            }
        }
        Ok(())
    }

    fn path(&self, seq: Seq) -> PathBuf {
        self.dir.join(format!("{seq:020}.ret"))
    }

    /// Writes a return. When this has returned, `kill -9` no longer loses it.
    pub fn put(&self, item: &Item) -> Result<Seq, SpoolError> {
        // Master and load one after the other, so that a large load is not copied to stand beside its master.
        let mut plain = msgpack::encode(&Value::from(&item.master), Dialect::New);
        plain.extend(msgpack::encode_map(&item.load, Dialect::New));
        // The number is taken first, since the ciphertext is bound to it.
        let seq = {
            let mut index = self.index.lock();
            index.next += 1;
            index.next - 1
        };
        let sealed = self.seal.close(seq, &plain)?;
        let size = sealed.len() as u64;
        if size > self.cap {
            return Err(SpoolError::TooLarge(size));
        }
        self.make_room(size);
        let tmp = self.dir.join(format!("{seq:020}.tmp"));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&tmp)
            .and_then(|mut f| f.write_all(&sealed))
            .and_then(|()| fs::rename(&tmp, self.path(seq)));
        if let Err(e) = written {
            let _ = fs::remove_file(&tmp);
            return Err(e.into());
        }
        let mut index = self.index.lock();
        index.sizes.insert(seq, size);
        index.bytes += size;
        Ok(seq)
    }

    fn make_room(&self, size: u64) {
        loop {
            let oldest = {
                let index = self.index.lock();
                if index.bytes + size <= self.cap {
                    return;
                }
                index.sizes.keys().next().copied()
            };
            let Some(oldest) = oldest else { return };
            tracing::error!("the spool is full: the oldest return that no master took is dropped ({oldest})");
            self.remove(oldest);
        }
    }

    /// Makes a return survive a loss of power: flushes its file and the directory. Slow.
    pub fn sync(&self, seq: Seq) -> Result<(), SpoolError> {
        match File::open(self.path(seq)) {
            Ok(file) => file.sync_all()?,
            // Delivered meanwhile.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e.into()),
        }
        File::open(&self.dir)?.sync_all()?;
        Ok(())
    }

    /// Reads a return back.
    pub fn get(&self, seq: Seq) -> Result<Item, SpoolError> {
        let bytes = fs::read(self.path(seq)).map_err(|e| {
            if e.kind() == io::ErrorKind::NotFound { SpoolError::Gone } else { SpoolError::Io(e) }
        })?;
        let plain = self.seal.open(seq, &bytes)?;
        match msgpack::decode_prefix(&plain, msgpack::Limits::default()) {
            Ok((Value::Str(master), at)) => match plain.get(at..).map(msgpack::decode) {
                Some(Ok(Value::Map(load))) => Ok(Item { master, load }),
                _ => Err(SealError::Unreadable.into()),
            },
            _ => Err(SealError::Unreadable.into()),
        }
    }

    /// Forgets a return: the master has it, or never will.
    pub fn remove(&self, seq: Seq) {
        // The index last: who sees the number gone may rely on the file being gone.
        if let Err(e) = fs::remove_file(self.path(seq))
            && e.kind() != io::ErrorKind::NotFound
        {
            tracing::error!("cannot remove a delivered return from the spool: {e}");
        }
        let mut index = self.index.lock();
        if let Some(size) = index.sizes.remove(&seq) {
            index.bytes -= size;
        }
    }

    /// The numbers of all returns, oldest first.
    pub fn pending(&self) -> Vec<Seq> {
        self.index.lock().sizes.keys().copied().collect()
    }

    /// Whether a return is (still) here.
    pub fn holds(&self, seq: Seq) -> bool {
        self.index.lock().sizes.contains_key(&seq)
    }

    /// How many bytes there may be.
    pub fn cap(&self) -> u64 {
        self.cap
    }

    /// How many returns there are, and their bytes on disk.
    pub fn usage(&self) -> (usize, u64) {
        let index = self.index.lock();
        (index.sizes.len(), index.bytes)
    }
}

fn number(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(".ret")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    fn item(jid: &str) -> Item {
        Item {
            master: String::new(),
            load: map! {"cmd" => "_return", "jid" => jid, "return" => vec![0u8, 255]},
        }
    }

    fn open(dir: &Path, cap: u64) -> Spool {
        Spool::open(&dir.join("spool"), &dir.join("key"), cap).unwrap()
    }

    #[test]
    fn returns_outlive_the_process_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b);
        {
            let spool = open(dir.path(), 1 << 20);
            a = spool.put(&item("1")).unwrap();
            b = spool.put(&item("2")).unwrap();
            spool.sync(a).unwrap();
        }
        let spool = open(dir.path(), 1 << 20);
        assert_eq!(spool.pending(), [a, b]);
        assert_eq!(spool.get(b).unwrap(), item("2"));
        spool.remove(a);
        assert!(matches!(spool.get(a), Err(SpoolError::Gone)));
        assert_eq!(open(dir.path(), 1 << 20).pending(), [b]);
        assert!(spool.put(&item("3")).unwrap() > b);
    }

    #[test]
    fn a_full_spool_drops_the_oldest() {
        let dir = tempfile::tempdir().unwrap();
        let one = {
            let spool = open(dir.path(), 1 << 20);
            let seq = spool.put(&item("0")).unwrap();
            let (_, bytes) = spool.usage();
            spool.remove(seq);
            bytes
        };
        let spool = open(dir.path(), 3 * one);
        let seqs: Vec<Seq> = (0..5).map(|i| spool.put(&item(&i.to_string())).unwrap()).collect();
        assert_eq!(spool.pending(), seqs[2..]);
        assert!(spool.usage().1 <= 3 * one);
        let big = Item { master: String::new(), load: map! {"return" => vec![7u8; 4 * one as usize]} };
        assert!(matches!(spool.put(&big), Err(SpoolError::TooLarge(_))));
        assert_eq!(spool.pending(), seqs[2..]);
    }

    #[test]
    fn half_written_files_are_swept_and_strangers_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let spool = open(dir.path(), 1 << 20);
        let seq = spool.put(&item("1")).unwrap();
        let inner = dir.path().join("spool");
        fs::write(inner.join(format!("{:020}.tmp", 9)), b"half").unwrap();
        fs::write(inner.join("README"), b"").unwrap();
        fs::write(inner.join(format!("{:020}.ret", 5)), b"garbage").unwrap();
        let spool = open(dir.path(), 1 << 20);
        assert_eq!(spool.pending(), [seq, 5]);
        assert!(matches!(spool.get(5), Err(SpoolError::Seal(SealError::Unreadable))));
        assert!(!inner.join(format!("{:020}.tmp", 9)).exists());
        assert!(inner.join("README").exists());
    }
}
