//! A process that is killed while it edits files leaves each as it was before or after, never a part.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Args, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::{Opts, map};
use brine_testing::{Random, number};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Says to a process of this test where the files are, so that it edits them.
const DIR: &str = "BRINE_KILLED_DIR";

fn cx() -> Cx {
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    Cx::new(Arc::new(Opts::new(map! {"test" => false})), Arc::new(registry), Arc::new(NoHost))
}

/// A text that is not written in one go.
fn body(letter: &str) -> String {
    letter.repeat(2 << 20)
}

/// Edits the files, again and again, until it is killed.
fn edit(dir: &Path) {
    let cx = cx();
    let at = |name: &str| dir.join(name).to_string_lossy().into_owned();
    println!("begun");
    for round in 0.. {
        let (old, new) = if round % 2 == 0 { ("a", "b") } else { ("b", "a") };
        let call = |function: &str, args: Args| drop(cx.call(function, args).unwrap());
        call("file.write", Args::positional([at("write"), body(new)]));
        let args = Args::positional([at("replace"), format!("^x={old}"), format!("x={new}")]);
        call("file.replace", args.with("backup", false).with("show_changes", false));
        call(
            "file.psed",
            Args::positional([at("psed"), old.to_owned(), new.to_owned()]).with("backup", ".b"),
        );
        fs::write(at("fresh"), body("c")).unwrap();
        fs::rename(at("fresh"), at("append")).unwrap();
        call("file.append", Args::positional([at("append"), body("d")]));
        fs::write(at("fresh"), body("c")).unwrap();
        fs::rename(at("fresh"), at("prepend")).unwrap();
        call("file.prepend", Args::positional([at("prepend"), body("d")]));
    }
}

#[test]
fn a_kill_leaves_the_old_or_the_new_file() {
    if let Ok(dir) = env::var(DIR) {
        return edit(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let lines = |letter: &str| format!("x={letter}\n").repeat(20_000);
    let mut random = Random::new(number("BRINE_SEED", 1));
    for round in 0..number("BRINE_CASES", 60) {
        let texts = [
            ("write", body("a") + "\n"),
            ("replace", lines("a")),
            ("psed", lines("a")),
            ("append", body("c")),
            ("prepend", body("c")),
        ];
        for (name, text) in texts {
            fs::write(at(name), text).unwrap();
        }
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_kill_leaves_the_old_or_the_new_file", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(out.any(|line| line.unwrap().contains("begun")));
        std::thread::sleep(Duration::from_micros(random.below(250_000) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let (c, d) = (body("c"), body("d"));
        let whole = [
            ("write", vec![body("a") + "\n", body("b") + "\n"]),
            ("replace", vec![lines("a"), lines("b")]),
            ("psed", vec![lines("a"), lines("b")]),
            ("append", vec![c.clone(), format!("{c}\n{d}\n")]),
            ("prepend", vec![c.clone(), format!("{d}\n{c}")]),
        ];
        for (name, allowed) in whole {
            let text = fs::read_to_string(at(name)).unwrap();
            assert!(allowed.contains(&text), "round {round}: {name} is of {} bytes", text.len());
        }
    }
}
