//! The `file` execution module: files looked at, and changed. One file for each kind of function; here is the list.

mod accounts;
mod attributes;
mod backups;
mod content;
mod diff;
mod dirs;
pub(crate) mod edit;
mod find;
mod find_options;
pub(crate) mod hash;
mod links;
mod manage;
mod meta;
mod names;
mod nodes;
mod open;
mod owner;
pub(crate) mod passwd;
mod perms;
mod place;
mod source;
mod stat;
mod sums;

use attributes::*;
use backups::*;
use brine_core::call::module;
use content::*;
use diff::*;
use dirs::*;
use edit::*;
use find::*;
use hash::*;
use links::*;
use manage::*;
use meta::*;
use names::*;
use nodes::*;
use open::*;
use owner::*;
use perms::*;
use source::*;
use stat::*;
use sums::*;

module! {
    "file":
    access, append, apply_template_on_contents, basename, blockreplace, chattr, check_file_meta, check_hash,
    check_managed, check_managed_changes, check_perms, chgrp, chown, comment, comment_line, contains, contains_glob,
    contains_regex, copy, delete_backup, directory_exists, dirname, diskusage, extract_hash, file_exists, find,
    get_devmm, get_diff, get_gid, get_group, get_hash, get_managed, get_mode, get_selinux_context, get_source_sum,
    get_sum, get_uid, get_user, gid_to_group, grep, group_to_gid, is_blkdev, is_chrdev, is_fifo, is_hardlink, is_link,
    join, lchown, line, link, "list_backup" => list_backups, list_backups, list_backups_dir, lsattr, lstat, makedirs,
    makedirs_perms, manage_file, mkdir, mknod, mknod_blkdev, mknod_chrdev, mknod_fifo, move_, normpath, open_files,
    pardir, patch, path_exists_glob, prepend, psed, read, readdir, readlink, remove, "remove_backup" => delete_backup,
    rename, replace, restore_backup, restorecon, rmdir, search, sed, sed_contains, seek_read, seek_write, set_mode,
    set_selinux_context, source_list, stats, statvfs, symlink, touch, truncate, uid_to_user, uncomment, user_to_uid,
    write
}
