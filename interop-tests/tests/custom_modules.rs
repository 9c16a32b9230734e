//! `salt-run saltutil.sync_*` copies custom modules to the master's folder of them as stock's does, and tells the same names.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use brine_interop_tests::failure::same;
use brine_interop_tests::{Result, Side, cli};

const FILES: [(&str, &str); 6] = [
    ("_modules/hello.py", "def world():\n    return 'world'\n"),
    ("_modules/deep/er.py", ""),
    ("_modules/other.txt", ""),
    ("_proxy/via.py", ""),
    ("_runners/mine.py", "x = 1\n"),
    ("_runners/yours.py", "x = 2\n"),
];

/// What a side says and leaves, one text for each command, and the files at the end.
fn synced(side: Side, root: &Path) -> Result<Vec<String>> {
    let dir = root.join(side.to_string());
    let d = dir.display();
    for (name, text) in FILES {
        let path = dir.join("srv").join(name);
        fs::create_dir_all(path.parent().ok_or("a folder")?)?;
        fs::write(path, text)?;
    }
    let conf = format!(
        "root_dir: {d}\nfile_roots: {{base: [{d}/srv]}}\nsock_dir: {d}/s\nlog_file: {d}/log\nfileserver_list_cache_time: 0\n"
    );
    fs::write(dir.join("master"), conf)?;
    let mut all = Vec::new();
    let mut run = |words: &[&str]| -> Result {
        let mut command = Command::new(side.program("salt-run")?);
        command.arg("-c").arg(&dir).args(["--no-color", "--out=json"]).args(words);
        let ran = cli::run(command, b"", Duration::from_secs(60))?;
        all.push(format!("{} -> {}\n{}", words.join(" "), ran.code, ran.out));
        Ok(())
    };
    run(&["saltutil.sync_runners", "extmod_whitelist=mine"])?;
    run(&["saltutil.sync_modules"])?;
    run(&["saltutil.sync_modules"])?;
    run(&["saltutil.sync_all", "extmod_blacklist={'runners': ['yours']}"])?;
    run(&["saltutil.sync_all"])?;
    fs::write(dir.join("srv/_runners/mine.py"), "x = 3\n")?;
    fs::remove_file(dir.join("srv/_runners/yours.py"))?;
    run(&["saltutil.sync_runners", "saltenv=base"])?;
    run(&["saltutil.sync_runners", "saltenv=dev"])?;
    let mut left = Command::new("sh");
    left.current_dir(dir.join("var/cache/salt/master/extmods"));
    left.args(["-c", "find . -type f -name '*.py' | LC_ALL=C sort | xargs md5sum"]);
    all.push(cli::run(left, b"", Duration::from_secs(60))?.ok()?.out);
    Ok(all)
}

#[test]
fn custom_modules_are_synced_as_stock_does() -> Result {
    let root = tempfile::tempdir()?;
    let want = synced(Side::parse("3006")?, root.path())?;
    let got = synced(Side::Ours, root.path())?;
    for (got, want) in got.iter().zip(&want) {
        same(want.lines().next().unwrap_or_default(), got, want)?;
    }
    same("answers", got.len(), want.len())
}
