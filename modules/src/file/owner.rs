//! Users and groups by name and number, and those of files.

use super::accounts;
use super::stat::of;
use brine_core::call::{Result, exec};
use brine_core::Value;
use nix::unistd::Uid;

/// The name of a group by its number, or the number where there is none.
pub(crate) fn group_name(gid: u32) -> Value {
    accounts::group_of(gid).map_or_else(|| gid.into(), Value::from)
}

/// The name of a user by its number, or the number where there is none.
pub(crate) fn user_name(uid: u32) -> Value {
    accounts::user_of(uid).map_or_else(|| uid.into(), Value::from)
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Str(text) => text.trim().parse().ok(),
        other => other.as_int().and_then(|n| u32::try_from(n).ok()),
    }
}

/// The number of a group by its name; empty text where there is none.
pub(super) fn gid_of(group: &Value) -> Value {
    match group {
        Value::Nil => "".into(),
        Value::Int(_) | Value::Bool(_) => group.clone(),
        name => name.as_str().and_then(accounts::gid_of).map_or_else(|| "".into(), Value::from),
    }
}

/// The name of a group, given its number.
///
/// CLI Example: salt '*' file.gid_to_group 0
#[exec]
pub(super) fn gid_to_group(gid: Value) -> Result {
    let gid = match number(&gid) {
        Some(gid) => gid.into(),
        // Perhaps it is a name.
        None => gid_of(&gid),
    };
    Ok(number(&gid).map_or(gid, group_name))
}

/// The number of a group, given its name.
///
/// CLI Example: salt '*' file.group_to_gid root
#[exec]
pub(super) fn group_to_gid(group: Value) -> Result {
    Ok(gid_of(&group))
}

/// The name of a user, given its number.
///
/// CLI Example: salt '*' file.uid_to_user 0
#[exec]
pub(super) fn uid_to_user(uid: Value) -> Result {
    Ok(match &uid {
        Value::Int(n) => u32::try_from(*n).map_or(uid, user_name),
        _ => uid,
    })
}

/// The number of a user, given its name; without one, the minion's own.
///
/// CLI Example: salt '*' file.user_to_uid root
#[exec]
pub(super) fn user_to_uid(user: Value) -> Result {
    Ok(uid_of(&user))
}

/// The number of a user by its name; empty text where there is none.
pub(super) fn uid_of(user: &Value) -> Value {
    match user {
        Value::Nil => Uid::effective().as_raw().into(),
        Value::Int(_) | Value::Bool(_) => user.clone(),
        name => name.as_str().and_then(accounts::uid_of).map_or_else(|| "".into(), Value::from),
    }
}

/// The number of the group that a file belongs to.
///
/// CLI Example: salt '*' file.get_gid /etc/passwd
#[exec]
pub(super) fn get_gid(path: String, #[default(true)] follow_symlinks: bool) -> Result {
    Ok(of(&path, follow_symlinks)?.gid().into())
}

/// The group that a file belongs to.
///
/// CLI Example: salt '*' file.get_group /etc/passwd
#[exec]
pub(super) fn get_group(path: String, #[default(true)] follow_symlinks: bool) -> Result {
    Ok(of(&path, follow_symlinks)?.group())
}

/// The number of the user that a file belongs to.
///
/// CLI Example: salt '*' file.get_uid /etc/passwd
#[exec]
pub(super) fn get_uid(path: String, #[default(true)] follow_symlinks: bool) -> Result {
    Ok(of(&path, follow_symlinks)?.uid().into())
}

/// The user that a file belongs to.
///
/// CLI Example: salt '*' file.get_user /etc/passwd
#[exec]
pub(super) fn get_user(path: String, #[default(true)] follow_symlinks: bool) -> Result {
    Ok(of(&path, follow_symlinks)?.user())
}

/// The mode of a file, as text of octal digits.
///
/// CLI Example: salt '*' file.get_mode /etc/passwd
#[exec]
pub(super) fn get_mode(path: String, #[default(true)] follow_symlinks: bool) -> Result {
    Ok(of(&path, follow_symlinks)?.mode().into())
}
