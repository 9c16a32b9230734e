//! The `file` execution module, as far as it only looks at files (and `find`, whose `delete` and `exec` do more). Functions
//! that write files are not here.

mod backups;
mod content;
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
use find::*;
use hash::*;
use names::*;
use open::*;
use owner::*;
use stat::*;

module! {
    "file":
    access, basename, check_hash, contains, contains_glob, contains_regex, directory_exists, dirname, diskusage, file_exists,
    find, get_devmm, get_gid, get_group, get_hash, get_mode, get_selinux_context, get_sum, get_uid, get_user, gid_to_group,
    grep, group_to_gid, is_blkdev, is_chrdev, is_fifo, is_hardlink, is_link, join, "list_backup" => list_backups, list_backups,
    list_backups_dir, lsattr, lstat, normpath, open_files, pardir, path_exists_glob, read, readdir, readlink, search,
    seek_read, stats, statvfs, uid_to_user, user_to_uid
}
