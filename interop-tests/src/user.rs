//! An account for daemons that drop their privileges, made for one test and removed after it.

use std::process::Command;

use crate::failure::{Failure, Result};

/// The account's name.
pub const NAME: &str = "brine-test";

/// The account; it is removed when dropped.
#[derive(Debug)]
pub struct Account(());

impl Account {
    /// Makes the account.
    ///
    /// # Errors
    /// When this process is not root, or `useradd` fails.
    pub fn create() -> Result<Account> {
        if !nix::unistd::geteuid().is_root() {
            return Err(Failure(format!("making the account {NAME} needs root; run this test as root")));
        }
        // A run that was killed may have left it.
        remove();
        let args = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME];
        let made = Command::new("useradd").args(args).output()?;
        if made.status.success() {
            Ok(Account(()))
        } else {
            Err(Failure(format!("useradd: {}", String::from_utf8_lossy(&made.stderr))))
        }
    }
}

fn remove() {
    let _ = Command::new("userdel").arg(NAME).output();
}

impl Drop for Account {
    fn drop(&mut self) {
        remove();
    }
}
