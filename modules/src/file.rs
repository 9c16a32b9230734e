//! The `file` execution module: files looked at, and changed. One file for each kind of function; here is the list.

mod backups;
mod content;
mod edit;
mod find;
mod find_options;
pub(crate) mod hash;
mod names;
mod open;
mod owner;
pub(crate) mod passwd;
mod stat;

use backups::*;
use brine_core::call::module;
use content::*;
use edit::*;
use find::*;
use hash::*;
use names::*;
use open::*;
use owner::*;
use stat::*;

module! {
    "file":
    access, append, basename, blockreplace, check_hash, comment, comment_line, contains, contains_glob,
    contains_regex, directory_exists, dirname, diskusage, file_exists, find, get_devmm, get_gid, get_group, get_hash,
    get_mode, get_selinux_context, get_sum, get_uid, get_user, gid_to_group, grep, group_to_gid, is_blkdev, is_chrdev,
    is_fifo, is_hardlink, is_link, join, line, "list_backup" => list_backups, list_backups, list_backups_dir, lsattr,
    lstat, normpath, open_files, pardir, patch, path_exists_glob, prepend, psed, read, readdir, readlink, replace,
    search, sed, sed_contains, seek_read, stats, statvfs, uid_to_user, uncomment, user_to_uid, write
}
