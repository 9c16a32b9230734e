//! Every kind of remote, with and without authentication, for the file server and for pillar.

use super::common::{Made, opts, read, small};
use super::servers;
use brine_core::{Map, Opts, Value, map};
use brine_files::Backend;
use brine_files::git::{GitFs, GitPillar};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Whether the file server or pillar gets a repository with these options; why not, if they are refused.
pub(crate) fn gets(role: &str, url: &str, more: Map) -> Result<bool, String> {
    let dir = tempfile::tempdir().unwrap();
    let mut over: Map = more
        .iter()
        .map(|(key, value)| (Value::from(format!("{role}_{}", key.as_str().unwrap())), value.clone()))
        .collect();
    if role == "gitfs" {
        over.insert("gitfs_remotes", vec![url]);
        let fs = GitFs::new(&opts(&dir, over)).map_err(|e| e.detail)?;
        fs.update().unwrap();
        return Ok(read(&fs, "on", "base").as_deref() == Some("master"));
    }
    let pillar =
        GitPillar::new(&opts(&dir, over), &[format!("master {url}").into()]).map_err(|e| e.detail)?;
    Ok(pillar.checkout(&Opts::default()).is_ok_and(|all| all.len() == 1 && all[0].dir.join("on").is_file()))
}

pub(crate) const ROLES: [&str; 2] = ["gitfs", "git_pillar"];

#[test]
fn file_and_the_protocol_of_git() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let server = servers::daemon(dir.path());
    for role in ROLES {
        assert_eq!(gets(role, &made.url(), Map::new()), Ok(true));
        assert_eq!(gets(role, &format!("git://127.0.0.1:{}/repo", server.port), Map::new()), Ok(true));
        assert_eq!(gets(role, &format!("git://127.0.0.1:{}/none", server.port), Map::new()), Ok(false));
    }
}

#[test]
fn http_with_passwords() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let server = servers::http(dir.path(), "me:it's a \"$ecret\"", false);
    let url = format!("http://127.0.0.1:{}/repo/.git", server.port);
    let password = |text: &str| map! {"user" => "me", "password" => text, "insecure_auth" => true};
    for role in ROLES {
        assert_eq!(gets(role, &url, password("it's a \"$ecret\"")), Ok(true));
        assert_eq!(gets(role, &url, password("wrong")), Ok(false));
        assert_eq!(gets(role, &url, Map::new()), Ok(false));
        let missing = format!(
            "Incomplete authentication information for {role} remote '{}'. Missing parameters: password",
            if role == "gitfs" { url.clone() } else { format!("master {url}") }
        );
        assert_eq!(gets(role, &url, map! {"user" => "me"}), Err(missing));
        let insecure =
            gets(role, &url, map! {"user" => "me", "password" => "it's a \"$ecret\""}).unwrap_err();
        assert!(insecure.contains("Authentication is disabled by default on http remotes."));
        // A closed port as proxy.
        let mut through = password("it's a \"$ecret\"");
        through.insert("proxy", "http://127.0.0.1:9");
        assert_eq!(gets(role, &url, through), Ok(false));
        // Another host does not get the password that was set for this one.
        let elsewhere = format!("http://127.0.0.1:{}/elsewhere/repo/.git", server.port);
        assert_eq!(gets(role, &elsewhere, password("it's a \"$ecret\"")), Ok(false));
    }
    assert!(made.dir.exists());
}

#[test]
fn https_with_certificates() {
    let dir = tempfile::tempdir().unwrap();
    small(&dir);
    let server = servers::http(dir.path(), "me:pw", true);
    let url = format!("https://127.0.0.1:{}/repo/.git", server.port);
    for role in ROLES {
        let with = |verify: bool| map! {"user" => "me", "password" => "pw", "ssl_verify" => verify};
        assert_eq!(gets(role, &url, with(false)), Ok(true));
        assert_eq!(gets(role, &url, with(true)), Ok(false));
    }
    // The older name.
    let dir = tempfile::tempdir().unwrap();
    let with =
        map! {"git_pillar_user" => "me", "git_pillar_password" => "pw", "pillar_gitfs_ssl_verify" => false};
    let pillar = GitPillar::new(&opts(&dir, with), &[format!("master {url}").into()]).unwrap();
    assert!(pillar.checkout(&Opts::default()).is_ok());
}

/// Where ssh finds its keys and hosts is not for tests to say, so that this test runs in a process with an ssh of its own.
#[test]
fn ssh_with_keys() {
    let dir = tempfile::tempdir().unwrap();
    let server = servers::ssh(dir.path());
    let path = format!("{}:{}", dir.path().join("bin").display(), std::env::var("PATH").unwrap());
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "remotes::with_an_ssh_of_its_own", "--ignored", "--nocapture"])
        .env("PATH", path)
        .env("BRINE_TEST_SSH", format!("{} {}", server.port, dir.path().display()))
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
#[ignore = "started by ssh_with_keys"]
fn with_an_ssh_of_its_own() {
    let given = std::env::var("BRINE_TEST_SSH").unwrap();
    let (port, keys) = given.split_once(' ').unwrap();
    let dir: TempDir = tempfile::tempdir().unwrap();
    let made: Made = small(&dir);
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let url = format!("ssh://{}@127.0.0.1:{port}{}", user.trim(), made.dir.display());
    let key = |name: &str, passphrase: &str| {
        let at = Path::new(keys).join(name).to_string_lossy().into_owned();
        map! {"privkey" => at.as_str(), "pubkey" => format!("{at}.pub"), "passphrase" => passphrase}
    };
    for role in ROLES {
        assert_eq!(gets(role, &url, key("plain", "")), Ok(true));
        assert_eq!(gets(role, &url, key("locked", "open sesame")), Ok(true));
        assert_eq!(gets(role, &url, key("locked", "wrong")), Ok(false));
        assert_eq!(gets(role, &url, key("host", "")), Ok(false));
        let mut half = key("plain", "");
        half.remove("pubkey");
        assert!(gets(role, &url, half).unwrap_err().contains("Missing parameters: pubkey"));
        let mut none = key("plain", "");
        none.insert("privkey", "/nonexistent");
        assert!(gets(role, &url, none).unwrap_err().contains("SSH privkey (/nonexistent)"));
        // A host that nobody knows is not talked to.
        let other = url.replace("127.0.0.1", "localhost");
        assert_eq!(gets(role, &other, key("plain", "")), Ok(false));
    }
}
