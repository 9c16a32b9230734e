//! `pam`: the accounts of this host, as PAM has them.
//!
//! Both the password and the account are asked about: locked and expired accounts stay out (CVE-2022-22967). Groups are
//! the system's. A master that does not run as root can check only its own user's password, unless it may read
//! `/etc/shadow`; that is PAM's doing, as in stock.

use std::ffi::CString;
use std::sync::OnceLock;

use brine_pam::Pam;
use nix::unistd::{Group, User, getgrouplist};

use super::{Backend, Failure, Login, Settings, as_they_stand};

pub(super) const BACKEND: Backend = Backend {
    name: "pam",
    doc: "Asks PAM about the accounts of this host (auth.pam.service, by default login).",
    check,
    auth,
    groups,
    expand: as_they_stand,
};

static PAM: OnceLock<Result<Pam, String>> = OnceLock::new();

fn library() -> Result<&'static Pam, Failure> {
    let loaded = PAM.get_or_init(|| Pam::load().map_err(|e| e.to_string()));
    loaded.as_ref().map_err(|e| Failure::Broken(e.clone()))
}

/// `auth.pam.service`
fn service(settings: &Settings) -> &str {
    settings.auth.get_str("service").filter(|s| !s.is_empty()).unwrap_or("login")
}

fn check(settings: &Settings) -> Result<(), String> {
    // The name is one of a file in /etc/pam.d.
    if service(settings).contains('/') {
        return Err("auth.pam.service must be the name of a service, not a path".into());
    }
    if !nix::unistd::geteuid().is_root() && std::fs::File::open("/etc/shadow").is_err() {
        return Err("the master's user can read no passwords: it must be root, or in the group shadow".into());
    }
    Ok(())
}

fn auth(settings: &Settings, login: &Login) -> Result<(), Failure> {
    let service = service(settings);
    if service.contains('/') {
        return Err(Failure::Broken("auth.pam.service is a path".into()));
    }
    library()?.check(service, &login.username, login.password.reveal()).map_err(|refused| Failure::Refused {
        what: format!("{} ({:?})", refused.text, refused.stage),
        delay: refused.delay,
    })
}

/// The names of the groups the system has the user in.
fn groups(_: &Settings, login: &Login) -> Result<Vec<String>, Failure> {
    let Ok(Some(user)) = User::from_name(&login.username) else { return Ok(Vec::new()) };
    let name = CString::new(login.username.as_str()).map_err(|e| Failure::Broken(e.to_string()))?;
    let ids = getgrouplist(&name, user.gid).map_err(|e| Failure::Broken(e.to_string()))?;
    Ok(ids.into_iter().filter_map(|id| Some(Group::from_gid(id).ok()??.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn the_service_is_a_name() {
        let with = |service: &str| Settings { auth: map! {"service" => service}, ..Settings::default() };
        assert_eq!(service(&Settings::default()), "login");
        assert_eq!(service(&with("sshd")), "sshd");
        assert!(check(&with("../x")).is_err());
        let login =
            Login { eauth: "pam".into(), username: "root".into(), password: super::super::Secret::default() };
        assert!(matches!(auth(&with("/etc/x"), &login), Err(Failure::Broken(_))));
        // An empty password is never right, whatever the service allows.
        assert!(auth(&with("other"), &login).is_err());
        assert!(groups(&Settings::default(), &login).unwrap().contains(&"root".to_owned()));
    }
}
