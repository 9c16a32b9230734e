//! Files that cannot be read, vanish and change while they are fetched; files of git; secrets of gpg in pillar: what minions of every
//! version get of our master, and ours of a stock one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use brine_interop_tests::failure::{Failure, hold, same};
use brine_interop_tests::netns::sys;
use brine_interop_tests::{Fleet, Result, Side};
use serde_json::json;

const WAIT: Duration = Duration::from_secs(60);

/// A fleet with one minion of each side, by id.
fn fleet(master: &str, minions: &[&str], lines: Vec<String>) -> Result<(Fleet, Vec<String>)> {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::Ours)?;
    fleet.settings.master_lines.push("auto_accept: true".into());
    let root = fleet.root().display().to_string();
    fleet.settings.master_lines.extend(lines.iter().map(|line| line.replace("$R", &root)));
    Ok((fleet, minions.iter().map(|m| format!("m{m}")).collect()))
}

fn start(fleet: &mut Fleet, minions: &[&str]) -> Result {
    fleet.start_master()?;
    for minion in minions {
        let id = format!("m{minion}");
        fleet.start_minion_as(Side::parse(minion)?, &id, &id, &[])?;
    }
    for minion in minions {
        fleet.wait_ping(&format!("m{minion}"), WAIT)?;
    }
    Ok(())
}

/// Until dropped, another thread does this again and again.
struct Restless(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Restless {
    fn new(mut act: impl FnMut(usize) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        let thread = std::thread::spawn(move || {
            for turn in 0.. {
                if until.load(Ordering::Relaxed) {
                    break;
                }
                act(turn);
                std::thread::sleep(Duration::from_millis(60));
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Restless {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ended = self.1.take().map(std::thread::JoinHandle::join);
    }
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|meta| meta.len())
}

/// One of two contents, told by its first byte; anything else is a mixture.
fn whole(path: &Path) -> Result<Option<u8>> {
    let Ok(bytes) = fs::read(path) else { return Ok(None) };
    let first = *bytes.first().ok_or("an empty file was put in place")?;
    let length = if first == b'a' { 3_000_000 } else { 2_500_000 };
    let fits = bytes.len() == length && bytes.iter().all(|b| *b == first);
    hold(fits, || format!("{}: {} bytes are a mixture", path.display(), bytes.len()))?;
    Ok(Some(first))
}

/// A file that is there or not, and one that is now this and now that, are fetched many times: a fetch may fail, but what is in
/// place is always one of them, whole.
fn restless(master: &str, minions: &[&str], strict: bool) -> Result {
    let (mut fleet, ids) = fleet(master, minions, vec!["file_roots: {base: [$R/srv]}".into()])?;
    let srv = fleet.path("srv");
    fs::create_dir_all(&srv)?;
    start(&mut fleet, minions)?;
    let place = srv.clone();
    let _changes = Restless::new(move |turn| {
        let (byte, length) = if turn % 2 == 0 { (b'a', 3_000_000) } else { (b'b', 2_500_000) };
        let new = place.join(".new");
        let _tried =
            fs::write(&new, vec![byte; length]).and_then(|()| fs::rename(&new, place.join("changing")));
        if turn % 3 == 0 {
            let _gone = fs::remove_file(place.join("vanishing"));
        } else {
            let _tried = fs::copy(place.join("changing"), &new)
                .and_then(|_| fs::rename(&new, place.join("vanishing")));
        }
    });
    for id in &ids {
        let mut came = 0;
        for turn in 0..6 {
            for name in ["changing", "vanishing"] {
                let to = fleet.path(&format!("{id}-{name}-{turn}"));
                let ran =
                    fleet.salt(&[id, "cp.get_file", &format!("salt://{name}"), &to.display().to_string()])?;
                let said = ran.ret(id)?;
                if strict {
                    came += usize::from(whole(&to)?.is_some());
                    // Said to be there: then it is.
                    hold(said != json!(to.display().to_string()) || to.exists(), || {
                        format!("{name}: {said}")
                    })?;
                } else {
                    came += usize::from(size(&to).is_some());
                }
            }
        }
        hold(came > 0, || format!("{id}: nothing came at all"))?;
        same(id, fleet.salt(&[id, "test.ping"])?.ret(id)?, json!(true))?;
    }
    Ok(())
}

#[test]
fn restless_files_of_ours() -> Result {
    restless("ours", &["ours"], true)
}

#[test]
fn restless_files_of_stock() -> Result {
    restless("3006", &["ours"], true)
}

/// Stock's client does not look at what came, so of its minions only: they go on, and so does our master.
#[test]
fn restless_files_for_stock() -> Result {
    restless("ours", &["3006", "3007", "3008"], false)
}

/// What is no readable file is not there: a folder without rights, a pipe, a device, a file without rights.
#[test]
fn unreadable_files() -> Result {
    let minions = ["3006", "3007", "3008", "ours"];
    let (mut fleet, ids) = fleet("ours", &minions, vec!["file_roots: {base: [$R/srv]}".into()])?;
    let account = brine_interop_tests::user::Account::create()?;
    fleet.settings.user = brine_interop_tests::user::NAME.into();
    let srv = fleet.path("srv");
    fs::create_dir_all(srv.join("shut"))?;
    for name in ["good", "secret", "shut/file"] {
        fs::write(srv.join(name), "text\n")?;
    }
    fs::set_permissions(srv.join("secret"), fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(srv.join("shut"), fs::Permissions::from_mode(0o700))?;
    nix::unistd::mkfifo(&srv.join("pipe"), nix::sys::stat::Mode::from_bits_truncate(0o644))
        .map_err(|e| Failure(e.to_string()))?;
    std::os::unix::fs::symlink("/dev/zero", srv.join("device"))?;
    start(&mut fleet, &minions)?;
    for id in &ids {
        let to = fleet.path(&format!("{id}-good")).display().to_string();
        same(id, fleet.salt(&[id, "cp.get_file", "salt://good", &to])?.ret(id)?, json!(to))?;
        for name in ["secret", "shut/file", "pipe", "device", "shut"] {
            let to = fleet.path(&format!("{id}-bad"));
            let ran =
                fleet.salt(&[id, "cp.get_file", &format!("salt://{name}"), &to.display().to_string()])?;
            let said = ran.ret(id)?;
            // Stock's client may put down an empty file for one that cannot be read.
            hold(size(&to).unwrap_or(0) == 0, || format!("{id}: {name}: {said}"))?;
            let _gone = fs::remove_file(&to);
        }
        same(id, fleet.salt(&[id, "test.ping"])?.ret(id)?, json!(true))?;
    }
    drop(account);
    Ok(())
}

fn git(at: &str, args: &[&str]) -> Result<String> {
    let by = [
        "git",
        "-C",
        at,
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "commit.gpgsign=false",
    ];
    sys(&[&by, args].concat())
}

/// Branches and tags of a repository are environments, for minions of every version; a push is seen after an update.
#[test]
fn files_of_git() -> Result {
    let minions = ["3006", "3007", "3008", "ours"];
    let lines =
        ["fileserver_backend: [gitfs, roots]", "gitfs_remotes: ['file://$R/repo']", "gitfs_base: main"];
    let (mut fleet, ids) = fleet("ours", &minions, lines.map(str::to_owned).to_vec())?;
    let repo = fleet.path("repo");
    fs::create_dir_all(repo.join("sub"))?;
    let at = repo.display().to_string();
    git(&at, &["init", "-q", "-b", "main"])?;
    let commit = |text: &str| -> Result {
        fs::write(repo.join("one"), text)?;
        fs::write(repo.join("sub/\u{fc} n"), text)?;
        git(&at, &["add", "-A"])?;
        git(&at, &["commit", "-q", "-m", text])?;
        Ok(())
    };
    commit("first")?;
    git(&at, &["tag", "v1"])?;
    git(&at, &["checkout", "-q", "-b", "dev"])?;
    commit("of dev")?;
    git(&at, &["checkout", "-q", "main"])?;
    start(&mut fleet, &minions)?;
    let get = |fleet: &Fleet, id: &str, name: &str, env: &str, want: &str| -> Result {
        let to = fleet.path(&format!("{id}-{env}"));
        let words = [id, "cp.get_file", name, &to.display().to_string(), &format!("saltenv={env}")];
        same(id, fleet.salt(&words)?.ret(id)?, json!(to.display().to_string()))?;
        same(&format!("{id} {name} {env}"), fs::read_to_string(&to)?, want)
    };
    for id in &ids {
        get(&fleet, id, "salt://one", "base", "first")?;
        get(&fleet, id, "salt://sub/\u{fc} n", "dev", "of dev")?;
        get(&fleet, id, "salt://one", "v1", "first")?;
    }
    commit("second")?;
    git(&at, &["branch", "-D", "-q", "dev"])?;
    fleet.tool("salt-run", &["fileserver.update"])?;
    for id in &ids {
        get(&fleet, id, "salt://one", "base", "second")?;
        same(id, fleet.salt(&[id, "cp.hash_file", "salt://one", "dev"])?.ret(id)?, json!(""))?;
    }
    Ok(())
}

/// Pillar encrypted for the master's key is clear for minions of every version, and clear nowhere on the master.
#[test]
fn pillar_of_gpg() -> Result {
    let minions = ["3006", "3007", "3008", "ours"];
    let lines =
        ["pillar_roots: {base: [$R/pillar]}", "gpg_keydir: $R/gpgkeys", "decrypt_pillar: ['raw:part']"];
    let (mut fleet, ids) = fleet("ours", &minions, lines.map(str::to_owned).to_vec())?;
    let (keys, pillar) = (fleet.path("gpgkeys"), fleet.path("pillar"));
    fs::create_dir_all(&pillar)?;
    fs::create_dir_all(&keys)?;
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))?;
    let home = keys.display().to_string();
    let gpg = |args: &[&str]| sys(&[&["gpg", "--homedir", &home, "--batch", "-q"], args].concat());
    gpg(&["--passphrase", "", "--quick-gen-key", "brine-test@example.com", "default", "default", "never"])?;
    let clear = fleet.path("clear");
    let secret = |text: &str| -> Result<String> {
        fs::write(&clear, text)?;
        let path = clear.display().to_string();
        let armoured =
            gpg(&["--trust-model", "always", "-a", "-r", "brine-test@example.com", "-o", "-", "-e", &path])?;
        fs::remove_file(&clear)?;
        Ok(armoured.lines().map(|line| format!("    {line}\n")).collect())
    };
    let (one, two) = (secret("hunter2")?, secret("hunter3")?);
    fs::write(pillar.join("top.sls"), "base: {'*': [one, two]}\n")?;
    fs::write(pillar.join("one.sls"), format!("#!yaml|gpg\npassword: |\n{one}"))?;
    fs::write(pillar.join("two.sls"), format!("raw:\n  part: |\n{two}"))?;
    start(&mut fleet, &minions)?;
    for id in &ids {
        for (key, want) in [("password", "hunter2"), ("raw:part", "hunter3")] {
            let mut words = vec![id.as_str(), "pillar.get", key];
            // Since 3008 it masks, unless told not to.
            words.extend((id == "m3008").then_some("unmask=True"));
            same(id, fleet.salt(&words)?.ret(id)?, json!(want))?;
        }
    }
    same("targets", fleet.salt(&["-I", "password:hunter2", "test.ping"])?.ret("mours")?, json!(true))?;
    let master = fs::read_to_string(fleet.path("log/master")).unwrap_or_default();
    hold(!master.contains("hunter"), || "a secret is in the master's log".to_owned())?;
    // Its agent would outlive the test.
    sys(&["gpgconf", "--homedir", &home, "--kill", "all"])?;
    Ok(())
}
