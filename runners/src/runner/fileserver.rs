//! The file server's lists and locks, which come with the file server: until then each is refused by its name.

use brine_core::call::module;

module! {
    "fileserver": clear_cache, clear_file_list_cache, clear_lock, dir_list, empty_dir_list, envs, file_list, lock,
    symlink_list, update
}

refused! {
    "fileserver", "the file server, which is a later piece of work", "Lists, updates or locks what the file server has: refused until there is one.":
    clear_cache, clear_file_list_cache, clear_lock, dir_list, empty_dir_list, envs, file_list, lock, symlink_list, update
}
