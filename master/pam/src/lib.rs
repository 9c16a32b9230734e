//! Asks the system's PAM whether a user may come in with a password.
//!
//! `libpam` is loaded when it is first needed: the program starts without it, and building needs no headers. Two
//! questions are asked and both must be answered with yes: is the password right (`pam_authenticate`), and may the
//! account be used (`pam_acct_mgmt`; locked and expired ones may not, CVE-2022-22967). No session is opened.
//!
//! A call blocks for as long as the modules of the service take. The delay that modules want after a failure is not
//! slept here but handed back, so that the caller's thread is free meanwhile.
//!
//! Not here: which service, which users, how many at once.

mod ffi;

use std::ffi::CString;
use std::time::Duration;

use zeroize::Zeroizing;

/// Longest password that PAM takes, and so the longest that is asked about.
pub const MAX_PASSWORD: usize = 511;

/// Why there is no PAM to ask.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The library is not there, or is not PAM.
    #[error("libpam cannot be used: {0}")]
    Library(#[from] libloading::Error),
}

/// Which question was answered with no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The service could not be used, or the name or password cannot be passed on.
    Start,
    /// The password.
    Password,
    /// The account: locked, expired, not allowed at this time.
    Account,
}

/// PAM's refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// Which question was answered with no.
    pub stage: Stage,
    /// PAM's words.
    pub text: String,
    /// How long the modules want the answer to take.
    pub delay: Duration,
}

impl Refused {
    fn start(text: impl Into<String>) -> Self {
        Self { stage: Stage::Start, text: text.into(), delay: Duration::ZERO }
    }
}

/// The loaded library.
#[derive(Debug)]
pub struct Pam {
    lib: ffi::Lib,
}

impl Pam {
    /// Loads the library.
    ///
    /// # Errors
    /// When it is not there.
    pub fn load() -> Result<Self, LoadError> {
        Ok(Self { lib: ffi::Lib::load()? })
    }

    /// Whether `user` may come in with `password` by the rules of `service` (a file of `/etc/pam.d`). Accounts that have
    /// no password may not. Blocks.
    ///
    /// # Errors
    /// [`Refused`] for everything but two times yes.
    pub fn check(&self, service: &str, user: &str, password: &str) -> Result<(), Refused> {
        if service.is_empty() || user.is_empty() || password.is_empty() {
            return Err(Refused::start("service, user and password must not be empty"));
        }
        if password.len() > MAX_PASSWORD {
            return Err(Refused::start("the password is too long"));
        }
        let text = |s: &str| CString::new(s).map_err(|_| Refused::start("a NUL in what is asked"));
        let (service, user) = (text(service)?, text(user)?);
        let password = Zeroizing::new(text(password)?);
        self.lib.check(&service, &user, &password)
    }
}
