//! Running as the configured user: stock's `check_user`, and then for good.

use std::ffi::CString;

use nix::unistd::{Uid, User, getgrouplist, initgroups, setgid, setuid};

/// Salt's `EX_NOUSER`: the exit code of a program that cannot run as its user.
pub const EX_NOUSER: u8 = 67;

/// Why the user cannot be taken on.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The system knows no such user; stock's words.
    #[error("User not found: \"{0}\"")]
    Unknown(String),
    /// We are neither root nor that user; stock's words.
    #[error("Salt configured to run as user \"{0}\" but unable to switch.")]
    Switch(String),
}

/// The ids of all groups of a user; none when there is no such user.
pub fn groups_of(user: &str) -> Vec<u32> {
    let Ok(Some(entry)) = User::from_name(user) else { return Vec::new() };
    let Ok(name) = CString::new(user) else { return Vec::new() };
    getgrouplist(&name, entry.gid).unwrap_or_default().iter().map(|g| g.as_raw()).collect()
}

/// Becomes `user` for good, with all its groups, unless the process is that user already or no name is given. To be
/// called before any thread is started.
///
/// # Errors
/// When there is no such user or we may not become it.
pub fn become_user(user: &str) -> Result<(), UserError> {
    if user.is_empty() {
        return Ok(());
    }
    let entry = User::from_name(user).ok().flatten().ok_or_else(|| UserError::Unknown(user.to_owned()))?;
    if entry.uid == Uid::effective() {
        return Ok(());
    }
    let switch = || UserError::Switch(user.to_owned());
    let name = CString::new(user).map_err(|_| switch())?;
    initgroups(&name, entry.gid).map_err(|_| switch())?;
    setgid(entry.gid).map_err(|_| switch())?;
    setuid(entry.uid).map_err(|_| switch())?;
    // Had it not been for good, root could be had back.
    if !entry.uid.is_root() && setuid(Uid::from_raw(0)).is_ok() {
        return Err(switch());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_there_cannot_be_taken_on() {
        assert!(matches!(become_user("no-such-user-here"), Err(UserError::Unknown(_))));
        let own = User::from_uid(Uid::effective()).unwrap().unwrap();
        become_user(&own.name).unwrap();
        assert!(groups_of("no-such-user-here").is_empty());
        assert!(groups_of("root").contains(&0));
    }
}
