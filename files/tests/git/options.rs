//! One row for each option: what is seen with it that is not seen without.

use super::common::{files, git, opts, read, small};
use super::remotes::gets;
use brine_core::{Map, Opts, Value, map};
use brine_files::Backend;
use brine_files::git::{GitFs, GitPillar};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

/// The file server with one option, fetched.
fn gitfs(dir: &TempDir, over: Map) -> GitFs {
    let made = small(dir);
    let mut all = map! {"gitfs_remotes" => vec![made.url()]};
    all.update(over);
    let fs = GitFs::new(&opts(dir, all)).unwrap();
    fs.update().unwrap();
    fs
}

#[test]
fn environments_of_gitfs_follow_the_options() {
    let envs = |over| gitfs(&tempfile::tempdir().unwrap(), over).envs().unwrap().join(" ");
    assert_eq!(envs(map! {}), "base dev v1");
    assert_eq!(envs(map! {"gitfs_base" => "dev"}), "base master v1");
    assert_eq!(envs(map! {"gitfs_saltenv_whitelist" => vec!["d*"]}), "dev");
    assert_eq!(envs(map! {"gitfs_saltenv_blacklist" => vec!["v."]}), "base dev");
    assert_eq!(envs(map! {"gitfs_disable_saltenv_mapping" => true}), "base");
    assert_eq!(envs(map! {"gitfs_ref_types" => vec!["tag"]}), "v1");
    assert_eq!(envs(map! {"gitfs_refspecs" => vec!["+refs/heads/dev:refs/remotes/origin/dev"]}), "dev v1");
    let mapped: Vec<Value> = vec![map! {"live" => vec![Value::from(map! {"ref" => "dev"})]}.into()];
    assert_eq!(envs(map! {"gitfs_saltenv" => mapped}), "base live v1");
    assert_eq!(envs(map! {"gitfs_remotes" => Value::List(vec![])}), "");
}

#[test]
fn files_of_gitfs_follow_the_options() {
    let get = |over, path: &str, env: &str| read(&gitfs(&tempfile::tempdir().unwrap(), over), path, env);
    assert_eq!(get(map! {"gitfs_fallback" => "dev"}, "only", "none").as_deref(), Some("dev"));
    assert_eq!(get(map! {"gitfs_mountpoint" => "salt://a/b/"}, "a/b/on", "base").as_deref(), Some("master"));
    assert_eq!(get(map! {"gitfs_root" => "sub"}, "deep/f", "base").as_deref(), Some("deep"));
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        files(&gitfs(&dir, map! {"gitfs_mountpoint" => "m"}), "base"),
        ["m/all", "m/on", "m/sub/deep/f"]
    );
}

/// The commit before the last of `master` is there only if two were fetched.
#[test]
fn history_is_fetched_as_told() {
    for role in ["gitfs", "git_pillar"] {
        let dir = tempfile::tempdir().unwrap();
        let made = small(&dir);
        made.commit(&[("on", "2")]);
        made.commit(&[("on", "3")]);
        let over = map! {
            "gitfs_remotes" => vec![made.url()],
            format!("{role}_provider") => "gitcli",
            format!("{role}_depth") => 2,
        };
        let opts = opts(&dir, over);
        if role == "gitfs" {
            GitFs::new(&opts).unwrap().update().unwrap();
        } else {
            GitPillar::new(&opts, &[format!("master {}", made.url()).into()]).unwrap().update();
        }
        let repos = fs::read_dir(dir.path().join("cache").join(role)).unwrap().flatten();
        let at = repos.map(|e| e.path().join("_/.git")).find(|at| at.is_dir()).unwrap();
        let count = git(&at, &["rev-list", "--count", "refs/remotes/origin/master"]);
        assert_eq!(count, "2");
    }
}

#[test]
fn an_unknown_provider_is_refused() {
    for role in ["gitfs", "git_pillar"] {
        let dir = tempfile::tempdir().unwrap();
        let opts = opts(&dir, map! {format!("{role}_provider") => "Other"});
        let detail = if role == "gitfs" {
            GitFs::new(&opts).map(|_| ()).unwrap_err().detail
        } else {
            GitPillar::new(&opts, &[]).map(|_| ()).unwrap_err().detail
        };
        assert_eq!(
            detail,
            format!("Invalid {role}_provider 'other'. Valid choices are: pygit2, gitpython, gitcli")
        );
    }
}

/// The lock of a process that has ended, of another machine, counts unless the lock is no global one.
#[test]
fn locks_of_other_machines_count_as_told() {
    for role in ["gitfs", "git_pillar"] {
        let dir = tempfile::tempdir().unwrap();
        let made = small(&dir);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let opts =
            opts(&dir, map! {"gitfs_remotes" => vec![made.url()], format!("{role}_global_lock") => false});
        let lock = |at: &std::path::Path| {
            let work = fs::read_dir(at)
                .unwrap()
                .flatten()
                .map(|e| e.path().join("_"))
                .find(|at| at.is_dir())
                .unwrap();
            fs::write(work.join("update.lk"), format!("{}\nother\n", child.id())).unwrap();
        };
        let work = dir.path().join("cache").join(role).join("work");
        let fetched = if role == "gitfs" {
            let fs = GitFs::new(&opts).unwrap();
            lock(&work);
            fs.update().unwrap()
        } else {
            let pillar = GitPillar::new(&opts, &[format!("master {}", made.url()).into()]).unwrap();
            lock(&work);
            pillar.update()
        };
        assert!(fetched, "{role}");
    }
}

#[test]
fn intervals_are_those_of_the_options() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let over = map! {
        "gitfs_remotes" => vec![made.url()], "gitfs_update_interval" => 7, "git_pillar_update_interval" => 9,
    };
    let opts = opts(&dir, over);
    assert_eq!(GitFs::new(&opts).unwrap().interval(), Some(Duration::from_secs(7)));
    let pillar = GitPillar::new(&opts, &[format!("master {}", made.url()).into()]).unwrap();
    assert_eq!(pillar.interval(), Some(Duration::from_secs(9)));
    // Nothing is due again at once.
    assert!(pillar.update_due());
    made.commit(&[("x", "y")]);
    assert!(!pillar.update_due() && pillar.update());
}

/// What the remotes of pillar are for a pillar: environments, and a file that tells which tree it is.
fn checkout(remotes: &[&str], over: Map, asked: Map) -> Vec<(String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let remotes: Vec<Value> =
        remotes.iter().map(|remote| remote.replace("URL", &made.url()).into()).collect();
    let pillar = GitPillar::new(&opts(&dir, over), &remotes).unwrap();
    let all = pillar.checkout(&Opts::new(asked)).unwrap_or_default();
    all.into_iter()
        .map(|c| {
            let text = ["on", "deep/f"].iter().find_map(|file| fs::read_to_string(c.dir.join(file)).ok());
            (c.env, text.unwrap_or_default())
        })
        .collect()
}

#[test]
fn pillars_of_git_follow_the_options() {
    let one = |env: &str, on: &str| vec![(env.to_owned(), on.to_owned())];
    assert_eq!(checkout(&["master URL"], map! {}, map! {}), one("base", "master"));
    assert_eq!(checkout(&["dev URL"], map! {}, map! {}), one("dev", "dev"));
    assert_eq!(checkout(&["dev URL"], map! {"git_pillar_base" => "dev"}, map! {}), one("base", "dev"));
    assert_eq!(checkout(&["URL"], map! {"git_pillar_branch" => "dev"}, map! {}), one("dev", "dev"));
    assert_eq!(checkout(&["dev URL"], map! {"git_pillar_env" => "prod"}, map! {}), one("prod", "dev"));
    let none = map! {"pillarenv" => "none"};
    assert_eq!(checkout(&["__env__ URL"], map! {"git_pillar_fallback" => "dev"}, none), one("none", "dev"));
    assert_eq!(checkout(&["master URL"], map! {"git_pillar_root" => "sub"}, map! {}), one("base", "deep"));
    let only = vec!["+refs/heads/dev:refs/remotes/origin/master"];
    assert_eq!(checkout(&["master URL"], map! {"git_pillar_refspecs" => only}, map! {}), one("base", "dev"));
}

/// An option of authentication that is left out is told, or makes the fetch fail: `remotes` shows the fetches.
#[test]
fn authentication_follows_the_options() {
    let key = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    for role in ["gitfs", "git_pillar"] {
        let error = |url: &str, over: Map| gets(role, url, over).unwrap_err();
        let missing =
            |url: &str, over: Map| error(url, over).rsplit_once("parameters: ").unwrap().1.to_owned();
        assert_eq!(missing("https://127.0.0.1:9/x", map! {"user" => "u"}), "password");
        assert_eq!(missing("https://127.0.0.1:9/x", map! {"password" => "p"}), "user");
        assert_eq!(missing("ssh://u@127.0.0.1:9/x", map! {"pubkey" => key.as_str()}), "privkey");
        assert_eq!(missing("ssh://u@127.0.0.1:9/x", map! {"privkey" => key.as_str()}), "pubkey");
        assert_eq!(missing("ssh://u@127.0.0.1:9/x", map! {"passphrase" => "p"}), "pubkey, privkey");
        assert_eq!(missing("ssh://u@127.0.0.1:9/x", map! {"insecure_auth" => true}), "pubkey, privkey");
    }
}
