//! The option tables of our programs against the checked-in list of stock's option strings, and the pages made from the
//! tables: help, man page, completion in real shells.

use std::process::Command;
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Ran, Result, Side, cli};

/// Our programs.
const PROGRAMS: [&str; 7] =
    ["salt", "salt-key", "salt-cp", "salt-run", "salt-call", "salt-master", "salt-minion"];

const STOCK: &str = include_str!("../src/stock_options.txt");

/// Options of stock's for one program: name, and whether it takes a value.
fn stock(program: &str) -> Vec<(&'static str, bool)> {
    let rows = STOCK.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(' ').collect::<Vec<_>>());
    rows.filter(|r| r[0] == program).map(|r| (r[1], r[2] == "value")).collect()
}

fn ours(program: &str, args: &[&str]) -> Result<Ran> {
    let mut cmd = Command::new(Side::Ours.program(program)?);
    cmd.args(args);
    cli::run(cmd, b"", Duration::from_secs(30))
}

fn shell(words: &[&str], input: &str) -> Result<Ran> {
    let mut cmd = Command::new(words[0]);
    cmd.args(&words[1..]);
    cli::run(cmd, input.as_bytes(), Duration::from_secs(60))
}

fn check(what: impl FnOnce() -> Result) {
    if let Err(Failure(text)) = what() {
        panic!("{text}");
    }
}

/// Options of a help page: name, and whether it takes a value.
fn listed(help: &str) -> Vec<(String, bool)> {
    let lines = help.lines().filter(|l| l.starts_with("  -"));
    let names = lines.flat_map(|l| l.trim().split("  ").next().unwrap_or_default().split(", "));
    names
        .map(|n| match n.split_once(['=', ' ']) {
            Some((name, _)) => (name.to_owned(), true),
            None => (n.to_owned(), false),
        })
        .collect()
}

#[test]
fn every_option_of_stock_is_there() {
    check(|| {
        for program in PROGRAMS {
            let help = listed(&ours(program, &["--help"])?.ok()?.out);
            let wanted = stock(program);
            hold(wanted.len() > 10, || format!("no list of stock's for {program}"))?;
            for (name, value) in wanted {
                let ours = help.iter().find(|(n, _)| n == name);
                hold(ours == Some(&(name.to_owned(), value)), || {
                    format!("{program} {name}: stock's takes a value: {value}; ours: {ours:?}")
                })?;
            }
            let mut names: Vec<&String> = help.iter().map(|(n, _)| n).collect();
            names.sort();
            names.dedup();
            same(&format!("names of {program} that are there once"), names.len(), help.len())?;
        }
        Ok(())
    });
}

#[test]
fn man_pages_are_clean_and_complete() {
    check(|| {
        for program in PROGRAMS {
            let page = ours(program, &["--man"])?.ok()?.out;
            let ran = shell(&["groff", "-man", "-ww", "-z", "-Tutf8"], &page)?.ok()?;
            same(&format!("what groff says of {program}"), ran.err, String::new())?;
            let text = shell(&["groff", "-man", "-Tascii", "-P-c"], &page)?.ok()?.out;
            let plain: String = plain(&text);
            for (name, _) in listed(&ours(program, &["--help"])?.ok()?.out) {
                hold(plain.contains(&name), || format!("{program}'s man page lacks {name}"))?;
            }
        }
        Ok(())
    });
}

/// Text without the overstriking that terminals show as bold.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c == '\u{8}' {
            out.pop();
        } else {
            out.push(c);
        }
    }
    out
}

#[test]
fn bash_completes_options_and_values() {
    check(|| {
        for program in PROGRAMS {
            let script = ours(program, &["--completion", "bash"])?.ok()?.out;
            shell(&["bash", "-n"], &script)?.ok()?;
            let ask = |words: &str, cword: usize| -> Result<Vec<String>> {
                let function = format!("_brine_{}", program.replace('-', "_"));
                let probe = format!(
                    "{script}\nCOMP_WORDS=({words}); COMP_CWORD={cword}; {function} 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
                );
                Ok(shell(&["bash", "-s"], &probe)?.ok()?.out.lines().map(str::to_owned).collect())
            };
            same(program, ask(&format!("{program} --log-f"), 1)?, ["--log-file", "--log-file-level"])?;
            same(program, ask(&format!("{program} --log-level deb"), 2)?, ["debug"])?;
            same(program, ask(&format!("{program} --log-level = inf"), 3)?, ["info"])?;
            let all = ask(&format!("{program} -"), 1)?;
            for (name, _) in stock(program) {
                hold(all.iter().any(|n| n == name), || format!("{program}: bash does not complete {name}"))?;
            }
        }
        Ok(())
    });
}

#[test]
fn zsh_and_fish_read_their_scripts() {
    check(|| {
        for (name, words) in
            [("zsh", &["zsh", "-n", "/dev/stdin"][..]), ("fish", &["fish", "-n", "/dev/stdin"][..])]
        {
            for program in PROGRAMS {
                let script = ours(program, &["--completion", name])?.ok()?.out;
                let ran = shell(words, &script)?.ok()?;
                same(&format!("what {name} says of {program}"), ran.err, String::new())?;
                if name == "fish" {
                    let ask = format!("{script}\ncomplete -C '{program} --log-f'\n");
                    let ran = shell(&["fish", "--no-config"], &ask)?.ok()?;
                    hold(ran.out.contains("--log-file-level"), || {
                        ran.failure("fish does not complete --log-f").0
                    })?;
                }
            }
        }
        Ok(())
    });
}
