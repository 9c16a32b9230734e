//! What the system knows of this process and of files.

use std::path::Path;

/// Bytes of memory that this process has, and files that it has open.
pub(super) fn process() -> (Option<u64>, Option<usize>) {
    let pages = || std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse::<u64>().ok();
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    let size = size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096);
    let files = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
    (pages().map(|pages| pages * size), files)
}

/// Bytes of a file of SQLite, with what is not in it yet; nothing where there is none.
pub(super) fn database(path: &Path) -> u64 {
    let beside =
        path.with_file_name(format!("{}-wal", path.file_name().unwrap_or_default().to_string_lossy()));
    [path, &beside].into_iter().filter_map(|path| std::fs::metadata(path).ok()).map(|meta| meta.len()).sum()
}

/// Bytes of the disk that a directory is on, and those that are free for us.
pub(super) fn disk(path: &Path) -> Option<(u64, u64)> {
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    Some((stat.blocks() * stat.fragment_size(), stat.blocks_available() * stat.fragment_size()))
}
