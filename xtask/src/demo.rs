//! The demo: a master and a minion of ours on loopback in a scratch directory, tried on screen, kept up until
//! Ctrl-C.

mod inventory;

use crate::fleet::{Daemon, Fleet};
use crate::run::{Result, cargo, run, target_dir};
use nix::sys::signal::{SigSet, Signal};
use std::path::Path;
use std::time::Duration;

/// `cargo xtask demo [--once]`; `--once` ends after the tour instead of waiting for Ctrl-C.
pub(crate) fn demo(args: &[String]) -> Result {
    let once = args.iter().any(|a| a == "--once");
    run(cargo().args([
        "build",
        "--profile",
        "demo",
        "--quiet",
        "--bins",
        "-p",
        "brine-master",
        "-p",
        "brine-minion",
        "-p",
        "brine-cli",
    ]))?;
    let dir = tempfile::Builder::new().prefix("brine-demo-").tempdir().map_err(|e| e.to_string())?;
    let fleet = Fleet::new(dir.path(), &target_dir("demo"))?;
    plant(dir.path()).map_err(|e| format!("the trees of the demo: {e}"))?;
    for (option, tree) in [("file_roots", "states"), ("pillar_roots", "pillar")] {
        fleet
            .configure("etc/master", &format!("{option}: {{base: [{}]}}", dir.path().join(tree).display()))?;
    }
    let source = inventory::plant(dir.path()).map_err(|e| format!("the inventory of the demo: {e}"))?;
    fleet.configure("etc/master", &source)?;
    let mut master = fleet.start_master()?;
    let mut minion = fleet.start_minion()?;

    say("The minion has asked to join. Its own fingerprint, read on the minion:");
    let on_minion = fleet.tool("salt-call", &["--local", "key.finger", "--out=txt"])?;
    say("and the one that the master has received:");
    let on_master = fleet.tool("salt-key", &["--no-color", "-f", "demo"])?;
    let finger = on_minion.split_whitespace().last().unwrap_or_default().to_owned();
    if finger.len() < 47 || !on_master.contains(&finger) {
        return Err("the two fingerprints differ; nothing was accepted".into());
    }
    say("They are equal, so the key is accepted:");
    fleet.tool("salt-key", &["--no-color", "-y", "-a", "demo"])?;
    say("The fleet of one, commanded:");
    fleet.first_answer(Duration::from_secs(20))?;
    fleet.tool("salt", &["*", "test.ping"])?;
    fleet.tool("salt", &["*", "cmd.run", "uname -sr; uptime -p"])?;
    fleet.tool("salt", &["*", "grains.items"])?;
    say(
        "The trees of the master: pillar as it comes to the minion, what the states would do, done, and done again:",
    );
    fleet.tool("salt", &["*", "pillar.items"])?;
    fleet.tool("salt", &["*", "state.apply", "test=True"])?;
    fleet.tool("salt", &["*", "state.apply"])?;
    fleet.tool("salt", &["*", "state.apply", "--state-output=terse"])?;
    fleet.tool(
        "salt",
        &["*", "cmd.run", &format!("cd {}; head -n 20 motd site.conf", dir.path().join("made").display())],
    )?;
    inventory::tour(&fleet)?;
    say(&format!(
        "Now you, in another terminal (Ctrl-C here ends the demo):\n\n  export PATH={}:$PATH SALT_CONFIG_DIR={}\n  \
         salt '*' state.apply test=True\n  salt '*' cmd.run 'df -h /'\n  salt '*' sys.list_functions\n  salt -G os:Debian test.version\n  salt-key -L\n  \
         salt-call test.ping\n  pj dump -p demo -w {}\n\nLogs: {}",
        target_dir("demo").display(),
        fleet.dir.join("etc").display(),
        fleet.dir.join("inventory").display(),
        fleet.dir.join("log").display()
    ));
    if once { Ok(()) } else { until_interrupted(&mut [&mut master, &mut minion]) }
}

/// A state tree and a pillar tree.
fn plant(dir: &Path) -> std::io::Result<()> {
    // What it makes is below the scratch directory: this is somebody's machine.
    let made = dir.join("made").display().to_string();
    let files = [
        ("states/top.sls", "base:\n  '*':\n    - site\n"),
        (
            "states/site/init.sls",
            "{% set site = salt['pillar.get']('site') %}\ninclude:\n  - .folder\n\nsay who is served:\n  file.managed:\n    \
             - name: {{ site.folder }}/motd\n    - source: salt://site/motd.jinja\n    - template: jinja\n    - mode: '0644'\n    \
             - require:\n      - file: folder of the site\n\n{{ site.folder }}/site.conf:\n  file.serialize:\n    - dataset_pillar: site:settings\n    \
             - serializer: yaml\n    - require:\n      - file: folder of the site\n\ntell who listens:\n  cmd.run:\n    \
             - name: echo the settings of {{ site.name }} are new\n    - onchanges:\n      - file: {{ site.folder }}/site.conf\n",
        ),
        (
            "states/site/folder.sls",
            "folder of the site:\n  file.directory:\n    - name: {{ pillar['site']['folder'] }}\n    - mode: '0755'\n    - makedirs: true\n",
        ),
        (
            "states/site/motd.jinja",
            "{{ grains['id'] }} stands in {{ pillar['site']['name'] }}, rack {{ pillar['site']['rack'] }}.\n",
        ),
        ("pillar/top.sls", "base:\n  'G@kernel:Linux':\n    - site\n"),
        (
            "pillar/site.sls",
            "site:\n  name: Bergen\n  rack: {{ 40 + grains['id'] | length }}\n  folder: $MADE\n  settings: {port: 8080, workers: {{ grains['num_cpus'] * 2 }}}\n",
        ),
    ];
    for (name, text) in files {
        let file = dir.join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(dir))?;
        std::fs::write(file, text.replace("$MADE", &made))?;
    }
    Ok(())
}

fn say(text: &str) {
    eprintln!("\n\x1b[1m{text}\x1b[0m");
}

/// Waits for Ctrl-C or SIGTERM, or for a daemon to end by itself.
fn until_interrupted(daemons: &mut [&mut Daemon]) -> Result {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set.thread_block().map_err(|e| e.to_string())?;
    let fd = nix::sys::signalfd::SignalFd::with_flags(&set, nix::sys::signalfd::SfdFlags::SFD_NONBLOCK)
        .map_err(|e| e.to_string())?;
    loop {
        if fd.read_signal().map_err(|e| e.to_string())?.is_some() {
            return Ok(());
        }
        for d in daemons.iter_mut() {
            d.check()?;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
