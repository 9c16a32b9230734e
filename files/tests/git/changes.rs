//! What changes at remotes, and what does not come.

use super::common::{Made, files, opts, read, small};
use brine_core::{Opts, Value, map};
use brine_files::Backend;
use brine_files::git::{Fetch, GitFs, GitPillar};
use brine_protocol::ids::SaltEnv;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn gitfs(dir: &tempfile::TempDir, remotes: Vec<String>) -> GitFs {
    GitFs::new(&opts(dir, map! {"gitfs_remotes" => remotes})).unwrap()
}

#[test]
fn branches_that_are_forced_and_references_that_are_deleted_are_followed() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let fs = gitfs(&dir, vec![made.url()]);
    assert!(fs.envs().unwrap().is_empty());
    assert!(fs.update().unwrap());
    assert!(!fs.update().unwrap());
    assert_eq!(fs.envs().unwrap(), ["base", "dev", "v1"]);
    let before = fs.list(&SaltEnv::parse("base").unwrap()).unwrap();
    assert!(Arc::ptr_eq(&before, &fs.list(&SaltEnv::parse("base").unwrap()).unwrap()));

    // A history that is another one, a tag and a branch that go, and a branch below the name of one that went.
    made.git(&["checkout", "--quiet", "--orphan", "other"]);
    made.commit(&[("on", "forced")]);
    made.git(&["branch", "-f", "master", "other"]);
    made.git(&["branch", "-D", "dev"]);
    made.git(&["branch", "dev/x", "other"]);
    made.git(&["tag", "-d", "v1"]);
    assert_eq!(read(&fs, "on", "base").as_deref(), Some("master"));
    assert!(fs.update().unwrap());
    assert_eq!(read(&fs, "on", "base").as_deref(), Some("forced"));
    assert_eq!(fs.envs().unwrap(), ["base", "dev/x", "other"]);
    assert_eq!((read(&fs, "on", "dev"), read(&fs, "on", "dev/x").as_deref()), (None, Some("forced")));
    assert!(files(&fs, "v1").is_empty());

    // What another process fetched is seen.
    made.commit(&[("new", "n")]);
    made.git(&["branch", "-f", "master", "other"]);
    let other = gitfs(&dir, vec![made.url()]);
    assert!(other.update().unwrap());
    assert_eq!(read(&fs, "new", "base").as_deref(), Some("n"));
}

#[test]
fn without_a_master_whoever_asks_fetches() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let fs =
        GitFs::new(&opts(&dir, map! {"gitfs_remotes" => vec![made.url()], "__role" => "minion"})).unwrap();
    assert_eq!(read(&fs, "on", "base").as_deref(), Some("master"));
    made.commit(&[("on", "later")]);
    assert_eq!(read(&fs, "on", "base").as_deref(), Some("master"));
}

#[test]
fn a_remote_that_breaks_keeps_its_last_state_and_does_not_stop_others() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let other = Made::new(dir.path().join("other"));
    other.commit(&[("other", "o")]);
    let fs = gitfs(&dir, vec!["file:///nonexistent/x.git".into(), made.url(), other.url()]);
    assert!(fs.update().unwrap());
    assert_eq!(read(&fs, "other", "base").as_deref(), Some("o"));

    fs::rename(&made.dir, dir.path().join("away")).unwrap();
    other.commit(&[("other", "o2")]);
    assert!(fs.update().unwrap());
    assert_eq!(read(&fs, "other", "base").as_deref(), Some("o2"));
    assert_eq!(read(&fs, "sub/deep/f", "base").as_deref(), Some("deep"));
    fs::rename(dir.path().join("away"), &made.dir).unwrap();
    made.commit(&[("back", "b")]);
    assert!(fs.update().unwrap());
    assert_eq!(read(&fs, "back", "base").as_deref(), Some("b"));

    // After the cache was cleared everything comes again.
    assert!(fs.clear_cache().is_empty());
    assert!(fs.envs().unwrap().is_empty() && !dir.path().join("cache/gitfs").exists());
    assert!(fs.update().unwrap());
    assert_eq!(read(&fs, "back", "base").as_deref(), Some("b"));
}

#[test]
fn a_thousand_references_are_quick() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let head = made.git(&["rev-parse", "HEAD"]);
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    let mut names: Vec<String> = (0..1000).map(|n| format!("refs/heads/b{n}")).collect();
    names.sort();
    for name in &names {
        packed.push_str(&format!("{head} {name}\n"));
    }
    fs::write(made.dir.join(".git/packed-refs"), packed).unwrap();
    let fs = gitfs(&dir, vec![made.url()]);
    let start = Instant::now();
    assert!(fs.update().unwrap());
    println!("fetched in {:?}", start.elapsed());
    assert_eq!(fs.envs().unwrap().len(), 1003);
    let start = Instant::now();
    for n in 0..1000 {
        assert_eq!(read(&fs, "on", &format!("b{n}")).as_deref(), Some("master"));
        assert_eq!(files(&fs, &format!("b{n}")).len(), 3);
    }
    println!("1000 environments listed and read in {:?}", start.elapsed());
    // No process for each: starting a thousand takes longer than this.
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn trees_from_others_stay_within_their_folder() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    fs::write(dir.path().join("secret"), "secret").unwrap();
    let link = |target: &str, at: &str| std::os::unix::fs::symlink(target, made.dir.join(at)).unwrap();
    link("../../secret", "up");
    link("/etc/passwd", "abs");
    link("sub", "dir");
    link("sub/deep/f", "fine");
    link("loop", "loop");
    fs::create_dir_all(made.dir.join("p/q")).unwrap();
    link("../..", "p/q/root");
    link("root/../secret", "p/q/sly");
    made.commit(&[]);
    // A tree as git itself does not make one.
    let blob = made.git(&["rev-parse", "HEAD:on"]);
    let mut raw = Vec::new();
    for name in ["..", ".git", "a/b", "good"] {
        raw.extend(format!("100644 {name}\0").as_bytes());
        raw.extend((0..20).map(|n| u8::from_str_radix(&blob[n * 2..n * 2 + 2], 16).unwrap()));
    }
    fs::write(dir.path().join("tree"), &raw).unwrap();
    let file = dir.path().join("tree").to_string_lossy().into_owned();
    let tree = made.git(&["hash-object", "-t", "tree", "-w", "--literally", &file]);
    let commit = made.git(&["commit-tree", "-m", "x", &tree]);
    made.git(&["update-ref", "refs/heads/bad", &commit]);

    let fs = gitfs(&dir, vec![made.url()]);
    fs.update().unwrap();
    for none in ["up", "abs", "dir", "loop", "p/q/root", "p/q/sly", "dir/deep/f"] {
        assert_eq!(read(&fs, none, "base"), None, "{none}");
    }
    assert_eq!(read(&fs, "fine", "base").as_deref(), Some("deep"));
    assert_eq!(files(&fs, "bad"), ["good"]);
    for env in
        ["..", "-x", "--upload-pack=x", "HEAD", "refs/heads/master", "origin/master", "dev^{tree}", "a\nb"]
    {
        assert_eq!(read(&fs, "on", env), None, "{env}");
    }

    let pillar = |branch: &str| {
        let remotes = vec![Value::from(format!("{branch} {}", made.url()))];
        let pillar = GitPillar::new(&opts(&dir, map! {}), &remotes).unwrap();
        pillar.checkout(&Opts::default()).unwrap().remove(0).dir
    };
    let at = pillar("master");
    assert_eq!(fs::read_to_string(at.join("fine")).unwrap(), "deep");
    assert_eq!(fs::read_to_string(at.join("dir/deep/f")).unwrap(), "deep");
    for none in ["up", "abs", "loop", "p/q/sly"] {
        assert!(fs::symlink_metadata(at.join(none)).is_err(), "{none}");
    }
    let bad = pillar("bad");
    assert!(bad.join("good").is_file() && !bad.join(".git").exists());
    assert!(!bad.parent().unwrap().join("on").exists());
}

#[test]
fn a_pillar_that_would_lack_a_part_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let made = small(&dir);
    let checkout = |remote: &str, over| {
        let pillar = GitPillar::new(&opts(&dir, map! {}), &[remote.into()]).unwrap();
        pillar.checkout(&Opts::new(over)).map(|all| all.into_iter().map(|c| c.env).collect::<Vec<_>>())
    };
    let url = made.url();
    assert_eq!(checkout(&format!("dev {url}"), map! {}).unwrap(), ["dev"]);
    assert!(checkout(&format!("none {url}"), map! {}).unwrap_err().contains("remote ref does not exist"));
    assert!(
        checkout("master file:///nonexistent/x", map! {}).unwrap_err().contains("could not be fetched yet")
    );
    let any = format!("__env__ {url}");
    assert_eq!(checkout(&any, map! {"pillarenv" => "dev"}).unwrap(), ["dev"]);
    assert_eq!(checkout(&any, map! {}).unwrap(), ["base"]);
    assert!(checkout(&any, map! {"pillarenv" => "none"}).unwrap().is_empty());

    // The runner's words.
    let pillar = GitPillar::new(&opts(&dir, map! {}), &[format!("master {url}").into()]).unwrap();
    let repo = &pillar.repos()[0];
    assert_eq!((repo.branch(), repo.is_named(&url)), ("master", true));
    assert_eq!(repo.fetch(), Fetch::Changed);
    assert_eq!(repo.fetch(), Fetch::Same);
}

#[test]
fn nothing_of_a_configuration_becomes_an_option_or_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let new = |remote: Value| GitFs::new(&opts(&dir, map! {"gitfs_remotes" => vec![remote]}));
    for bad in ["ext::sh -c touch%20x", "--upload-pack=touch", "/srv/x", "ssh://-oProxyCommand=x/y", "u@-x:y"]
    {
        assert!(new(bad.into()).unwrap().envs().unwrap().is_empty());
    }
    assert!(!dir.path().join("cache/gitfs/work").exists());
    let one = |more| Value::from(map! {"https://u:hunter2@h/x" => vec![Value::from(more)]});
    let error = new(one(map! {"nope" => 1})).unwrap_err();
    assert!(!error.detail.contains("hunter2") && error.detail.contains("https://u:<redacted>@h/x"));
    for more in
        [map! {"name" => "../x"}, map! {"name" => "a/b"}, map! {"refspecs" => vec!["--upload-pack=x"]}]
    {
        assert!(new(one(more)).is_err());
    }
}
