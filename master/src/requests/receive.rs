//! `_file_recv`: what a minion pushes (`cp.push`), where `file_recv` lets it. It comes in pieces and goes below
//! `cachedir/minions/<id>/files`, where stock puts it; nothing else can be named.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use brine_core::Opts;
use brine_protocol::ids::{MinionId, RelPath};
use brine_protocol::{Map, Value};

/// Takes one piece; whether it is kept.
pub(super) fn store(opts: &Opts, id: &MinionId, load: &Map) -> bool {
    if !opts.flag("file_recv") {
        return false;
    }
    let (Some(Value::List(parts)), Some(loc)) = (load.get("path"), load.get("loc")) else { return false };
    let Some(loc) = loc.as_int().and_then(|loc| u64::try_from(loc).ok()) else {
        tracing::error!("Invalid file pointer: load[loc] < 0");
        return false;
    };
    let data = match load.get("data") {
        Some(Value::Bytes(data)) => &data[..],
        Some(Value::Str(text)) => text.as_bytes(),
        _ => return false,
    };
    let Some(path) = path_of(parts) else {
        tracing::warn!("{} pushes a file that would lie outside of its directory: {parts:?}", id.as_str());
        return false;
    };
    let most = opts.int("file_recv_max_size").and_then(|n| u64::try_from(n).ok()).unwrap_or(100);
    if (data.len() as u64).saturating_add(loc) > most.saturating_mul(1 << 20) {
        tracing::error!(
            "file_recv_max_size limit of {most} MB exceeded! {:?} of {} will be truncated.",
            path.as_str(),
            id.as_str()
        );
        return false;
    }
    let place = opts.path("cachedir").join("minions").join(id.as_str()).join("files");
    match write(&place, &path, loc, data) {
        Ok(()) => true,
        Err(e) => {
            tracing::error!("cannot keep {:?} of {}: {e}", path.as_str(), id.as_str());
            false
        }
    }
}

/// The path in parts, as stock's minion sends it. None where a part leads up or the whole is absolute.
fn path_of(parts: &[Value]) -> Option<RelPath> {
    let texts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
    let whole = texts?.join("/");
    if whole.starts_with('/') {
        return None;
    }
    let parts: Vec<&str> = whole.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    RelPath::parse(&parts.join("/")).ok()
}

/// Puts a piece in its place. The first one begins the file anew; one that would leave a gap is refused, one that came before is
/// written again. No link is followed.
fn write(place: &Path, path: &RelPath, loc: u64, data: &[u8]) -> io::Result<()> {
    let mut full: PathBuf = place.to_owned();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        DirBuilder::new().recursive(true).mode(0o700).create(&full)?;
        if std::fs::symlink_metadata(&full)?.is_symlink() {
            return Err(io::Error::other("a link lies in the way"));
        }
        full.push(part);
        if parts.peek().is_none() {
            break;
        }
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(loc == 0)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
        .open(&full)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() < loc {
        return Err(io::Error::other("a piece is missing before this one"));
    }
    file.seek(SeekFrom::Start(loc))?;
    file.write_all(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn cve_2024_38824_nothing_is_received_outside_a_minions_own_directory() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("cache/minions/m1/files");
        let id = MinionId::parse("m1").unwrap();
        let opts = |on: bool| {
            let cachedir = dir.path().join("cache").to_string_lossy().into_owned();
            Opts::new(map! {"cachedir" => cachedir, "file_recv" => on, "file_recv_max_size" => 1})
        };
        let push = |on: bool, path: &[&str], loc: i64, data: &[u8]| {
            let load = map! {"path" => path.to_vec(), "loc" => loc, "data" => Value::Bytes(data.to_vec())};
            store(&opts(on), &id, &load)
        };
        assert!(!push(false, &["x"], 0, b"x"), "it is off by default");
        assert!(!dir.path().join("cache").exists());

        std::fs::create_dir_all(&own).unwrap();
        std::os::unix::fs::symlink("../../../..", own.join("up")).unwrap();
        std::os::unix::fs::symlink("../data.p", own.join("data")).unwrap();
        std::fs::write(own.join("../data.p"), "grains").unwrap();
        let bad: &[&[&str]] = &[
            &["..", "..", "x"],
            &["..", "m2", "files", "x"],
            &["a", "..", "..", "x"],
            &["../x"],
            &["a/../../x"],
            &["/etc/cron.d/x"],
            &["", "etc", "x"],
            &["up", "x"],
            &["data"],
            &["."],
            &[],
            &[""],
            &["a\0b"],
        ];
        for path in bad {
            assert!(!push(true, path, 0, b"evil"), "{path:?}");
        }
        assert!(!dir.path().join("x").exists() && !own.join("../x").exists());
        assert_eq!(std::fs::read(own.join("../data.p")).unwrap(), b"grains");
        assert!(!store(&opts(true), &id, &map! {"path" => "x", "loc" => 0, "data" => "x"}));

        let file = own.join("etc/app/conf");
        let path = &["etc", "app", "conf"];
        assert!(push(true, path, 0, b"one") && push(true, path, 3, b"two") && push(true, path, 3, b"two"));
        assert_eq!(std::fs::read(&file).unwrap(), b"onetwo");
        assert!(!push(true, path, 7, b"gap") && !push(true, path, -1, b"x"));
        assert!(!push(true, path, 0, &vec![0; (1 << 20) + 1]), "too large");
        assert!(push(true, path, 0, b"new"));
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
