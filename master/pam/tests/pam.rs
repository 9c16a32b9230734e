//! The real library, against accounts that exist only in a mount namespace of the test's own.
//!
//! Each test starts itself anew under `unshare`, with files of its own in the place of `passwd`, `shadow` and one PAM
//! service; nothing of the host is changed.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use brine_pam::{Pam, Refused, Stage};

const INNER: &str = "BRINE_PAM_INNER";
/// `openssl passwd -6 -salt brinebrine right`
const RIGHT: &str =
    "$6$brinebrine$e11wtGj.uKs3NHIZwVBwiW.xSlJwgHslxTRME4AeCn8uzSQJ8Vqip5pmaGCm/lfPBasgEwKtivd8ovNF0CFGU0";
const SERVICE: &str = "brine-pam-test";

/// Whether this is the test within; else runs it there and checks that it passed.
fn within(test: &str) -> bool {
    if std::env::var_os(INNER).is_some() {
        return true;
    }
    let tmp = tempfile::tempdir().unwrap();
    let at = |name: &str| tmp.path().join(name);
    let users =
        [("good", RIGHT, ""), ("over", RIGHT, "1"), ("locked", &format!("!{RIGHT}"), ""), ("open", "", "")];
    let mut passwd = String::from("root:x:0:0::/root:/bin/sh\n");
    let mut shadow = String::from("root:*:19000:0:99999:7:::\n");
    for (i, (name, hash, expires)) in users.iter().enumerate() {
        passwd += &format!("{name}:x:{}:{}::/:/bin/sh\n", 3000 + i, 3000 + i);
        shadow += &format!("{name}:{hash}:19000:0:99999:7::{expires}:\n");
    }
    fs::write(at("passwd"), passwd).unwrap();
    fs::write(at("shadow"), shadow).unwrap();
    fs::create_dir(at("pam.d")).unwrap();
    let unix = "auth required pam_unix.so nullok\naccount required pam_unix.so\n";
    fs::write(at("pam.d").join(SERVICE), unix).unwrap();
    let slow = "auth optional pam_faildelay.so delay=7000000\nauth required pam_deny.so\n";
    fs::write(at("pam.d/brine-pam-slow"), slow).unwrap();
    let half = "auth required pam_permit.so\naccount required pam_deny.so\n";
    fs::write(at("pam.d/brine-pam-half"), half).unwrap();
    let binds = ["passwd", "shadow", "pam.d"].map(|name| bind(&at(name), name)).join(" && ");
    let unshare: &[&str] = if nix::unistd::geteuid().is_root() { &["-m"] } else { &["-rm"] };
    let me = std::env::current_exe().unwrap();
    let ran = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", &format!("{binds} && exec \"$0\" --exact {test} --nocapture")])
        .arg(me)
        .env(INNER, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    false
}

fn bind(file: &Path, name: &str) -> String {
    format!("mount --bind {} /etc/{name}", file.display())
}

fn stage(user: &str, password: &str) -> Result<(), Stage> {
    Pam::load().unwrap().check(SERVICE, user, password).map_err(|refused| refused.stage)
}

#[test]
fn the_right_password_opens_and_nothing_else_does() {
    if within("the_right_password_opens_and_nothing_else_does") {
        assert_eq!(stage("good", "right"), Ok(()));
        assert_eq!(stage("good", "wrong"), Err(Stage::Password));
        assert_eq!(stage("nobody-here", "right"), Err(Stage::Password));
        // `nullok` lets an account without a password in with any; this call does not.
        assert_eq!(stage("open", "x"), Err(Stage::Password));
        for (user, password) in [("good", ""), ("", "right"), ("good\0", "right"), ("good", &"x".repeat(600))]
        {
            assert_eq!(stage(user, password), Err(Stage::Start));
        }
    }
}

#[test]
fn cve_2022_22967_locked_and_expired_accounts_stay_out() {
    if within("cve_2022_22967_locked_and_expired_accounts_stay_out") {
        // The password is right, so only the second question keeps it out.
        assert_eq!(stage("over", "right"), Err(Stage::Account));
        assert_eq!(stage("locked", "right"), Err(Stage::Password));
        let half = Pam::load().unwrap().check("brine-pam-half", "good", "right");
        assert_eq!(half.map_err(|refused| refused.stage), Err(Stage::Account));
    }
}

#[test]
fn delays_are_handed_back_not_slept() {
    if within("delays_are_handed_back_not_slept") {
        let start = std::time::Instant::now();
        let refused: Refused = Pam::load().unwrap().check("brine-pam-slow", "good", "right").unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(3));
        // PAM spreads it by up to a half in either direction.
        assert!(refused.delay > Duration::from_secs(3), "{refused:?}");
    }
}
