//! Running as the configured user: stock's `check_user`.

use nix::unistd::{Uid, User, initgroups, setgid, setuid};
use std::ffi::CString;

/// Salt's `EX_NOUSER`.
pub const EX_NOUSER: u8 = 67;

/// The process cannot run as that user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// No such user.
    #[error("User not found: \"{0}\"")]
    Unknown(String),
    /// We are another user and not root.
    #[error("Salt configured to run as user \"{0}\" but unable to switch.")]
    Switch(String),
}

/// Becomes this user with its groups, unless the process is it already. Before any thread is started.
pub fn become_user(name: &str) -> Result<(), UserError> {
    if name.is_empty() {
        return Ok(());
    }
    let user = User::from_name(name).ok().flatten().ok_or_else(|| UserError::Unknown(name.to_owned()))?;
    if user.uid == Uid::effective() {
        return Ok(());
    }
    let switch = || -> nix::Result<()> {
        let c_name = CString::new(name).map_err(|_| nix::errno::Errno::EINVAL)?;
        initgroups(&c_name, user.gid)?;
        setgid(user.gid)?;
        setuid(user.uid)
    };
    switch().map_err(|_| UserError::Switch(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_users_are_refused_and_our_own_is_fine() {
        assert!(matches!(become_user("no-such-user-here"), Err(UserError::Unknown(_))));
        let own = User::from_uid(Uid::effective()).unwrap().unwrap();
        become_user(&own.name).unwrap();
    }
}
