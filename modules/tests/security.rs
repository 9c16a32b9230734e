//! Past holes of Salt that its execution modules had: each test fails where the hole is.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use brine_core::call::{Args, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::{Opts, Value, map};
use std::fs;
use std::sync::Arc;

fn cx(opts: brine_core::Map) -> Cx {
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    Cx::new(Arc::new(Opts::new(opts)), Arc::new(registry), Arc::new(NoHost))
}

/// A script lay in /tmp under a name that could be guessed, open to others.
#[test]
fn cve_2023_34049_scripts_lie_under_names_nobody_can_guess_and_only_their_user_opens_them() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("show.sh");
    fs::write(&script, "#!/bin/sh\nprintf '%s %s' \"$0\" \"$(stat -c '%a %u' \"$0\")\"\n").unwrap();
    let cx = cx(map! {"cachedir" => dir.path().to_string_lossy().into_owned()});
    let run = || {
        let source = Value::from(format!("file://{}", script.display()));
        let ret = cx.call("cmd.script", Args::positional([source])).unwrap();
        ret.get("stdout").and_then(Value::as_str).unwrap_or_else(|| panic!("{ret:?}")).to_owned()
    };
    let (one, two) = (run(), run());
    assert_ne!(one.split(' ').next(), two.split(' ').next(), "each run has a name of its own");
    for said in [one, two] {
        let words: Vec<&str> = said.split(' ').collect();
        assert_eq!(words[1..], ["500", &nix::unistd::geteuid().to_string()], "{said}");
        assert!(!fs::exists(words[0]).unwrap(), "it is gone afterwards");
    }
}

/// Words of a command are arguments, not shell text, unless the caller asked for a shell.
#[test]
fn cve_2021_31607_a_command_without_shell_is_a_list_of_words() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let cx = cx(brine_core::Map::new());
    let evil = format!("x; touch {0} $(touch {0}) `touch {0}`", mark.display());
    let mut args = Args::positional([Value::from(vec!["echo", evil.as_str()])]);
    args.keyword.insert("python_shell", false);
    let said = cx.call("cmd.run", args).unwrap();
    assert_eq!(said.as_str(), Some(evil.as_str()));
    assert!(!mark.exists());
}
