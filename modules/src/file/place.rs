//! New contents put in the place of a file: whole or not at all, as private as the file is, with a backup of what was there.

use crate::hashutil::file_error;
use crate::python::path::{dirname, split};
use brine_core::call::{CallError, Cx, Result};
use brine_core::clock::{Clock, unix_now};
use brine_files::{Unseen, write_over};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Where new contents come from.
#[derive(Clone, Copy)]
pub(super) enum Contents<'a> {
    /// A file on this machine.
    File(&'a str),
    /// Themselves.
    Bytes(&'a [u8]),
}

impl Contents<'_> {
    /// Fails as Python's `shutil` does, which names both.
    fn write_to(self, file: &mut File, dest: &str) -> Result<()> {
        match self {
            Contents::File(path) => {
                let mut source = File::open(path).map_err(|e| file_error(&e, path))?;
                io::copy(&mut source, file).map_err(|e| match file_error(&e, path) {
                    CallError::Exception { kind, message } => {
                        CallError::exception(kind, format!("{message} -> '{dest}'"))
                    }
                    other => other,
                })?;
            }
            Contents::Bytes(bytes) => file.write_all(bytes).map_err(|e| file_error(&e, dest))?,
        }
        Ok(())
    }
}

/// Which backups a state wants: `minion`, `both`, or none that are made here.
pub(super) fn backup_here(mode: &str) -> bool {
    matches!(mode, "minion" | "both")
}

/// The folder of the backups.
pub(super) fn backup_root(cx: &Cx) -> PathBuf {
    cx.opts.path("cachedir").join("file_backup")
}

/// Puts contents in the place of a file. One that is there keeps owner and mode; a new one has `mode`. What keeps it from being
/// done leaves everything as it was.
pub(super) fn install(cx: &Cx, contents: Contents<'_>, dest: &str, backup: &str, mode: u32) -> Result<()> {
    let os_error = |text: String| CallError::exception("OSError", text);
    if let Contents::File(source) = contents
        && !Path::new(source).is_file()
    {
        return Err(os_error(format!("[Errno 2] No such file or directory: {source}")));
    }
    let folder = dirname(dest);
    if !Path::new(folder).is_dir() {
        return Err(os_error(format!("[Errno 2] No such file or directory: {dest}")));
    }
    let old = fs::metadata(dest).ok();
    // As private as the file will be, before there is anything in it.
    let first = if old.is_some() { 0o600 } else { mode };
    let mut new = Unseen::new_in(Path::new(folder), first).map_err(|e| file_error(&e, dest))?;
    contents.write_to(new.file(), dest)?;
    if old.is_some() && backup_here(backup) {
        back_up(dest, &backup_root(cx))?;
    }
    if let Some(old) = &old {
        like(new.file(), old).map_err(|e| file_error(&e, dest))?;
    }
    if let Err((e, mut new)) = new.persist(Path::new(dest)) {
        // What is mounted there cannot be replaced, only written to.
        if !matches!(e.raw_os_error(), Some(libc::EBUSY | libc::EXDEV)) {
            return Err(file_error(&e, dest));
        }
        let from = new.file();
        let over = from.rewind().and_then(|()| Ok(from.metadata()?.len()));
        let over = over.and_then(|len| write_over(Path::new(dest), new.file(), len));
        over.map_err(|e| file_error(&e, dest))?;
    }
    relabel(cx, dest)
}

/// Gives a file owner and mode of another.
pub(super) fn like(file: &File, old: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
}

/// Where SELinux is enforced, a new file gets its label.
fn relabel(cx: &Cx, dest: &str) -> Result<()> {
    let enforced = fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1");
    if enforced && crate::tools::require("restorecon").is_ok() {
        crate::tools::run_quietly(cx, &["restorecon", dest])?;
    }
    Ok(())
}

/// The name of a backup made now, after the name of the file.
fn stamp() -> String {
    let now = unix_now();
    #[expect(clippy::cast_possible_truncation, reason = "the time of day fits")]
    let (seconds, micros) = (now as i64, (now * 1e6) as i64);
    let date = Clock::local(seconds);
    format!("{}_{:06}_{}", date.strftime("%a_%b_%d_%H:%M:%S"), micros % 1_000_000, date.strftime("%Y"))
}

/// Copies a file to where its backups are, with its owner and mode.
pub(super) fn back_up(path: &str, root: &Path) -> Result<()> {
    let failed = |e: io::Error| file_error(&e, path);
    let (dir, base) = split(path);
    let old = fs::metadata(path).map_err(failed)?;
    let folder = root.join(dir.get(1..).unwrap_or_default());
    fs::create_dir_all(&folder).map_err(|e| file_error(&e, &folder.to_string_lossy()))?;
    let place = folder.join(format!("{base}_{}", stamp()));
    let failed_there = |e: io::Error| file_error(&e, &place.to_string_lossy());
    let mut new = Unseen::new_in(&folder, 0o600).map_err(failed_there)?;
    io::copy(&mut File::open(path).map_err(failed)?, new.file()).map_err(failed_there)?;
    like(new.file(), &old).map_err(failed_there)?;
    new.persist(&place).map_err(|(e, _)| failed_there(e))
}

/// Overwrites a file with a backup of it, in place: links and owner stay.
pub(super) fn put_back(backup: &str, path: &str) -> Result<()> {
    brine_files::put(Path::new(backup), Path::new(path)).map_err(|e| file_error(&e, path))
}

/// The mode that the system gives new files of this thread.
pub(super) fn new_file_mode() -> u32 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let mask = mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022);
    0o666 & !mask
}

/// Copies a whole tree, links as what they lead to; files that are there are written over, others stay.
pub(super) fn copy_over(source: &Path, dest: &Path) -> io::Result<()> {
    fs::create_dir_all(dest)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let to = dest.join(entry.file_name());
        let meta = fs::metadata(entry.path())?;
        if meta.is_dir() {
            copy_over(&entry.path(), &to)?;
        } else {
            copy_file(&entry.path(), &to)?;
        }
    }
    Ok(())
}

/// `shutil.copyfile`, but that nobody sees half of it.
pub(super) fn copy_file(source: &Path, dest: &Path) -> io::Result<()> {
    if !fs::metadata(source)?.is_file() {
        // A pipe or a device has no end.
        return Err(io::Error::other(format!("`{}` is a special file", source.display())));
    }
    brine_files::put(source, dest)
}
