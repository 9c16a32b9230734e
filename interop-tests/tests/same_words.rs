//! Our command-line programs beside stock's 3006.28 on one running master: the same words must give the same standard
//! output, the same exit code and, where it is no log line, the same standard error.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use brine_interop_tests::cli::steady;
use brine_interop_tests::daemon::command;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Ran, Result, Side, cli, terminal};

const STOCK: Side = Side::Stock("3006.28");

/// Jobs: words for `salt`.
const JOBS: &[&[&str]] = &[
    &["m1", "test.ping"],
    &["m1", "test.ping", "--out=txt", "--summary"],
    &["m1", "test.ping", "--summary"],
    &["--summary", "-v", "m1", "test.ping"],
    &["m1", "test.retcode", "3", "--summary", "-v"],
    &["m1", "cmd.retcode", "exit 3", "--out=raw"],
    &["m1", "test.echo", "x y", "--out=yaml"],
    &["--show-jid", "m1", "test.echo", "--no-color", "x"],
    &["-v", "m1", "test.ping", "--force-color"],
    &["-v", "--show-jid", "m1", "test.ping"],
    &["--static", "m1", "test.echo", "hello"],
    &["-s", "--out=json", "m1", "test.echo", "hello"],
    &["-s", "nobody", "test.ping"],
    &["-s", "m1", "test.retcode", "3"],
    &["--async", "m1", "test.ping"],
    &["--async", "nobody", "test.ping"],
    &["nobody", "test.ping"],
    &["nobody", "test.ping", "--out=json"],
    &["nobody", "test.ping", "--out=yaml"],
    &["nobody", "-d", "test.ping"],
    &["-L", "m1,nobody", "test.ping", "--hide-timeout"],
    &["-N", "both", "test.ping", "--out=newline_values_only"],
    &["-C", "N@both and m1", "test.ping"],
    &["-H", "m1", "test.ping"],
    &["-b", "1", "m1", "test.echo", "hello"],
    &["-b", "1", "m1", "test.echo", "hello", "--out=json"],
    &["-b", "1", "-v", "m1", "test.retcode", "4"],
    &["-b", "50%", "m1", "test.retcode", "0"],
    &["-b", "1", "nobody", "test.ping"],
    &["-b", "2", "--failhard", "m1", "test.retcode", "2"],
    &["--batch-safe-limit=2", "*", "test.retcode", "0", "--async"],
    &["--subset=2", "m1", "test.ping"],
    &["--subset=1", "m1", "no.such"],
    &["--subset=1", "nobody", "test.ping"],
    &["--preview-target", "*"],
    &["--preview-target", "-L", "m1, nobody", "--out=json"],
    &["--preview-target", "nobody"],
    &["-d", "m1", "test.ping"],
    &["-d", "m1", "test.ping", "--out=json"],
    &["m1", "sys.doc", "test.ping"],
    &["m1", "test.ping,test.echo", ",", "a,b", "--out=json"],
    &["m1", "test.arg", "--metadata", "{a: 1}", "--out=quiet"],
    &["m1", "no.such", "--summary", "-v"],
    &["m1", "test.ping", "--return", "local", "--module-executors", "[direct_call]"],
];

/// Command lines that are wrong, for each program: only standard error and the code are compared, since help is ours.
const WRONG: &[(&str, &[&str])] = &[
    ("salt", &[]),
    ("salt", &["m1"]),
    ("salt", &["--bogus"]),
    ("salt", &["m1", "test.ping", "-t"]),
    ("salt", &["m1", "test.ping", "-t", "soon"]),
    ("salt", &["m1", "test.ping", "--batch-wait=x"]),
    ("salt", &["m1", "test.ping", "--stat"]),
    ("salt", &["m1", "test.ping", "--static=yes"]),
    ("salt", &["-l", "loud", "m1", "test.ping"]),
    ("salt", &["-L", "-G", "m1", "test.ping"]),
    ("salt", &["m1", "test.ping,test.echo", "a"]),
    ("salt", &["m1", "test.ping,test.echo", ",", "a", ",", "b", ",", "c"]),
    ("salt", &["-d", "m1", "a", "b", "c"]),
    ("salt", &["--saltfile=/no/such/file", "m1", "test.ping"]),
    ("salt-key", &["--bogus"]),
    ("salt-key", &["-l", "strange"]),
    ("salt-key", &["--keysize=1024"]),
    ("salt-key", &["--keysize=99999"]),
    ("salt-key", &["--include"]),
    ("salt-cp", &["-C"]),
    ("salt-cp", &["m1"]),
    ("salt-cp", &["-E", "-L", "m1", "a", "b"]),
];

/// `salt-key`: words, and what is typed. Each runs on the same keys.
const KEYS: &[(&[&str], &str)] = &[
    (&[], ""),
    (&["-L", "--out=json"], ""),
    (&["-l", "un"], ""),
    (&["--list=acc", "--out=yaml"], ""),
    (&["-l", "rej"], ""),
    (&["-l", "den", "--force-color"], ""),
    (&["-l", "all", "--out=pprint"], ""),
    (&["-p", "new*"], ""),
    (&["-P", "--out=json"], ""),
    (&["-f", "new1"], ""),
    (&["-F", "--out=json"], ""),
    (&["-a", "nobody"], ""),
    (&["-a", "nobody", "--include-rejected", "--include-denied"], ""),
    (&["-r", "nobody", "--include-all"], ""),
    (&["-d", "nobody"], ""),
    (&["-a", "new1"], "\n"),
    (&["-a", "new1"], "n\n"),
    (&["-a", "new1,new2"], "Yes\n"),
    (&["-a", "new*", "--include-rejected"], "y\n"),
    (&["-y", "-a", "bad"], ""),
    (&["-A"], "y\n"),
    (&["-y", "-A", "--include-denied"], ""),
    (&["-r", "new1"], "\n"),
    (&["-y", "-r", "*", "--include-accepted"], ""),
    (&["-R", "--out=json"], "y\n"),
    (&["-d", "new1"], "\n"),
    (&["-d", "new1"], "y\n"),
    (&["-y", "-d", "old*"], ""),
    (&["-y", "-D"], ""),
    (&["--gen-signature"], ""),
    (&["--gen-signature", "--priv", "/no/such"], ""),
    (&["--gen-signature", "--pub", "/no/such"], ""),
];

fn run_as(fleet: &Fleet, side: Side, program: &str, words: &[&str], input: &str) -> Result<Ran> {
    let mut cmd = command(None, &side.program(program)?);
    cmd.arg("-c").arg(fleet.path("etc")).args(words);
    cmd.env_remove("COLUMNS");
    cli::run(cmd, input.as_bytes(), Duration::from_secs(120))
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Both sides' runs, compared; all differences are told at the end.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, ours: &Ran, stock: &Ran, stdout: bool) {
        let pairs = [
            ("exit code", ours.code.to_string(), stock.code.to_string()),
            (
                "stdout",
                if stdout { steady(&ours.out) } else { String::new() },
                if stdout { steady(&stock.out) } else { String::new() },
            ),
            ("stderr", steady(&ours.err), steady(&stock.err)),
        ];
        for (what, ours_said, stocks) in pairs {
            if ours_said != stocks {
                self.0
                    .push(format!("{}\n  {what} of ours:\n{ours_said}\n  of stock's:\n{stocks}", ours.line));
            }
        }
    }

    fn none(self) -> Result {
        if self.0.is_empty() { Ok(()) } else { Err(Failure(self.0.join("\n---\n"))) }
    }
}

fn check(what: impl FnOnce() -> Result) {
    if let Err(Failure(text)) = what() {
        panic!("{text}");
    }
}

#[test]
fn jobs() {
    check(|| {
        let fleet = Fleet::new(Side::Ours, Side::Ours)?.start_accepted()?;
        let mut differences = Differences::default();
        for words in JOBS {
            let (mut ours, mut stock) =
                (run_as(&fleet, Side::Ours, "salt", words, "")?, run_as(&fleet, STOCK, "salt", words, "")?);
            if words.contains(&"*") {
                // Two minions return in any order: what is compared then are the lines.
                (ours.out, stock.out) = (sorted(&ours.out), sorted(&stock.out));
            }
            differences.compare(&ours, &stock, true);
        }
        differences.none()
    });
}

#[test]
fn wrong_command_lines() {
    check(|| {
        let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
        fleet.start_master()?;
        let mut differences = Differences::default();
        for (program, words) in WRONG {
            differences.compare(
                &run_as(&fleet, Side::Ours, program, words, "")?,
                &run_as(&fleet, STOCK, program, words, "")?,
                false,
            );
        }
        differences.none()
    });
}

#[test]
fn keys() {
    check(|| {
        let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
        fleet.start_master()?;
        let master = fs::read_to_string(fleet.path("pki/master/master.pub"))?;
        fleet.stop_master()?;
        let mut differences = Differences::default();
        for (words, input) in KEYS {
            let mut sides = Vec::new();
            for side in [Side::Ours, STOCK] {
                lay_out(&fleet.path("pki/master"), &master)?;
                let ran = run_as(&fleet, side, "salt-key", words, input)?;
                sides.push((ran, standing(&fleet.path("pki/master"))?));
            }
            differences.compare(&sides[0].0, &sides[1].0, true);
            same(&format!("keys after {words:?}"), &sides[0].1, &sides[1].1)?;
        }
        differences.none()
    });
}

/// A program, its words, and questions with their answers.
type Talk = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// On a terminal.
const ON_TERMINAL: &[Talk] = &[
    ("salt-key", &[], &[]),
    ("salt-key", &["--no-color"], &[]),
    ("salt-key", &["-F"], &[]),
    ("salt-key", &["-a", "new1"], &[("[n/Y] ", "\n")]),
    ("salt-key", &["-a", "new1"], &[("[n/Y] ", "no\n")]),
    ("salt-key", &["-d", "old1"], &[("[N/y] ", "y\n")]),
    ("salt-key", &["-d", "old1"], &[("[N/y] ", "\n")]),
    ("salt-key", &["-R"], &[("[n/Y] ", "Y\n")]),
    ("salt-key", &["-a", "new1"], &[("[n/Y] ", "\x03")]),
    ("salt", &["m1", "test.ping"], &[]),
    ("salt", &["m1", "test.retcode", "3"], &[]),
    ("salt", &["m1", "test.ping", "--no-color"], &[]),
    ("salt", &["-b", "1", "m1", "test.ping"], &[]),
    ("salt", &["nobody", "test.ping"], &[]),
];

#[test]
fn on_a_terminal() {
    check(|| {
        let fleet = Fleet::new(Side::Ours, Side::Ours)?.start_accepted()?;
        let pki = fleet.path("pki/master");
        let master = fs::read_to_string(pki.join("master.pub"))?;
        let minion = fs::read_to_string(pki.join("minions/m1"))?;
        let mut differences = Differences::default();
        for (program, words, talk) in ON_TERMINAL {
            let mut sides = Vec::new();
            for side in [Side::Ours, STOCK] {
                lay_out(&pki, &master)?;
                fs::write(pki.join("minions/m1"), &minion)?;
                let mut cmd = command(None, &side.program(program)?);
                cmd.arg("-c").arg(fleet.path("etc")).args(*words);
                sides.push(terminal::run(&cmd, talk, Duration::from_secs(120))?);
            }
            differences.compare(&sides[0], &sides[1], true);
        }
        differences.none()
    });
}

/// A password is not shown, and a token is its owner's alone. The master need not know the user for the asking.
#[test]
fn passwords_are_asked_for_unseen() {
    check(|| {
        let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
        fleet.start_master()?;
        for side in [Side::Ours, STOCK] {
            let mut cmd = command(None, &side.program("salt")?);
            cmd.arg("-c").arg(fleet.path("etc")).args(["-a", "pam", "*", "test.ping"]);
            let talk = [("username: ", "nobody-here\n"), ("password: ", "very-secret\n")];
            let ran = terminal::run(&cmd, &talk, Duration::from_secs(120))?;
            hold(!ran.out.contains("very-secret"), || ran.failure("the password is shown").0)?;
            hold(ran.out.contains("username: nobody-here\npassword: \n"), || {
                ran.failure("other questions").0
            })?;
        }
        Ok(())
    });
}

/// Ctrl-C and SIGTERM end the waiting, not the job, and the first tells how to look at it later.
/// Who logs in at the master may do what he may; a token that is kept is his own.
#[test]
fn logins() {
    check(|| {
        let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
        let (users, token) = (fleet.path("users"), fleet.path("token"));
        fs::write(&users, "alice:secret\n")?;
        fleet.settings.master_lines.extend([
            format!("token_file: {}", token.display()),
            "external_auth:".into(),
            format!(
                "  file: {{^filename: {}, ^filetype: text, alice: [test.*, sys.*, '@wheel']}}",
                users.display()
            ),
        ]);
        let fleet = fleet.start_accepted()?;
        let login = |password: &str, rest: &[&str]| -> Vec<String> {
            let words = ["-a", "file", "--username=alice", "--password", password].into_iter();
            words.chain(rest.iter().copied()).map(str::to_owned).collect()
        };
        let mut differences = Differences::default();
        for words in [
            login("secret", &["m1", "test.ping"]),
            login("secret", &["-b", "1", "m1", "test.ping"]),
            login("secret", &["--static", "m1", "test.ping"]),
            login("secret", &["--subset=1", "m1", "test.ping"]),
        ] {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            differences.compare(
                &run_as(&fleet, Side::Ours, "salt", &words, "")?,
                &run_as(&fleet, STOCK, "salt", &words, "")?,
                true,
            );
        }
        for (words, stocks) in [
            (login("wrong", &["m1", "test.ping"]), true),
            (login("secret", &["m1", "cmd.run", "id"]), true),
            (vec!["-a".into(), "strange".into(), "m1".into(), "test.ping".into()], false),
        ] {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ours = run_as(&fleet, Side::Ours, "salt", &words, "")?;
            let stock = run_as(&fleet, STOCK, "salt", &words, "")?;
            if stocks {
                // Stock ends with 0 here.
                same("what a refused user reads", &ours.out, &stock.out)?;
                ours.code(1)?;
            } else {
                same("the code of an unknown system", ours.code, stock.code)?;
                same("what is said of an unknown system", &ours.err, &stock.err)?;
            }
        }
        for side in [Side::Ours, STOCK] {
            let _ = fs::remove_file(&token);
            let words = login("secret", &["-T", "m1", "test.ping"]);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            run_as(&fleet, side, "salt", &words, "")?.ok()?.says("True")?;
            let mode = fs::metadata(&token)?.permissions().mode() & 0o777;
            same("the mode of the token", mode, 0o600)?;
            hold(fs::read_to_string(&token)?.len() >= 40, || "the token is short".into())?;
        }
        fs::remove_file(&token)?;
        let words = ["--auth=file", "--username=alice", "--password=secret", "-l", "acc", "--out=json"];
        let ran = run_as(&fleet, Side::Ours, "salt-key", &words, "")?.ok()?;
        same("keys of a master", &ran.json()?["minions"], &serde_json::json!(["m1", "m2"]))?;
        let words = ["--auth=file", "--username=alice", "--password=secret", "-y", "-d", "m2"];
        run_as(&fleet, Side::Ours, "salt-key", &words, "")?.ok()?.says("Key for minion m2 deleted.")?;
        hold(!fleet.has_key("minions", "m2"), || "m2 still has its key".into())?;
        let words = ["--auth=file", "--username=alice", "--password=wrong", "-L"];
        run_as(&fleet, Side::Ours, "salt-key", &words, "")?.code(1)?;
        differences.none()
    });
}

/// Options from a Saltfile, words from standard input, output into files, log lines on the terminal.
#[test]
fn files_and_input() {
    check(|| {
        let fleet = Fleet::new(Side::Ours, Side::Ours)?.start_accepted()?;
        let saltfile = fleet.path("Saltfile");
        fs::write(
            &saltfile,
            "salt:\n  output: json\n  show_jid: true\n  timeout: 9\nsalt-key:\n  output: yaml\n\
             salt-run:\n  output: json\n",
        )?;
        let saltfile = format!("--saltfile={}", saltfile.display());
        let file = fleet.path("out").display().to_string();
        let into = format!("--out-file={file}");
        let log = fleet.path("own.log").display().to_string();
        let token = "a".repeat(64);
        let mut differences = Differences::default();
        for (program, words) in [
            ("salt", &[saltfile.as_str(), "m1", "test.echo", "x"][..]),
            ("salt", &[saltfile.as_str(), "--out=txt", "m1", "test.echo", "x"]),
            ("salt-key", &[saltfile.as_str(), "-l", "acc"]),
            ("salt", &["m1", "test.arg", "a=1", "b=1", "--no-parse=a", "--out=raw"]),
            ("salt", &[into.as_str(), "m1", "test.echo", "one"]),
            ("salt", &[into.as_str(), "--out-file-append", "m1", "test.echo", "two"]),
            ("salt", &["--log-file", log.as_str(), "--log-file-level=info", "m1", "test.ping"]),
            ("salt", &["--state-output=terse", "--state-verbose=False", "m1", "test.echo", "x"]),
            ("salt", &["--out-indent=2", "--out=json", "m1", "test.arg", "{a: [1]}"]),
            ("salt", &["m1", "grains.get", "nested*x", "--delimiter=*"]),
            ("salt", &["-G", "rack!row!7", "--delimiter=!", "test.ping", "--out=txt"]),
            ("salt-run", &[saltfile.as_str(), "salt.cmd", "test.arg", "1", "a=b"]),
            ("salt-run", &["network.wol", "08-00-27-13-69-77", "127.0.0.1"]),
            ("salt-run", &["auth.del_token", token.as_str()]),
        ] {
            let mut written = Vec::new();
            let mut ran = Vec::new();
            for side in [Side::Ours, STOCK] {
                if !words.contains(&"--out-file-append") {
                    let _ = fs::remove_file(&file);
                }
                ran.push(run_as(&fleet, side, program, words, "")?);
                written.push(fs::read_to_string(&file).unwrap_or_default());
            }
            if words.contains(&"-G") {
                (ran[0].out, ran[1].out) = (sorted(&ran[0].out), sorted(&ran[1].out));
            }
            differences.compare(&ran[0], &ran[1], true);
            if words.contains(&"--out-file-append") {
                // Both have written to one file, ours first.
                let want = format!("{}m1:\n    two\n", written[0]);
                written[0] = want;
            }
            same("the file", &written[0], &written[1])?;
        }
        hold(Path::new(&log).exists(), || "no log file".into())?;
        // Stock forgets the options of the command line over those of standard input, the configuration directory first.
        let ran =
            run_as(&fleet, Side::Ours, "salt", &["--args-stdin", "m1"], "test.arg\n1\na=b\n--out=json\n")?;
        let told = ran.ok()?.ret("m1")?;
        same(
            "words from standard input",
            (&told["args"][0], &told["kwargs"]["a"]),
            (&1.into(), &"b".into()),
        )?;
        differences.none()
    });
}

/// The bar of `--progress`. Stock's needs a package of Python's that is not installed here.
#[test]
fn progress() {
    check(|| {
        let fleet = Fleet::new(Side::Ours, Side::Ours)?.start_accepted()?;
        let mut cmd = command(None, &Side::Ours.program("salt")?);
        cmd.arg("-c").arg(fleet.path("etc")).args(["-p", "*", "test.ping"]);
        let ran = terminal::run(&cmd, &[], Duration::from_secs(60))?.ok()?;
        for text in
            ["  0% |  ", "Returns: [0/2]", "100% |####", "Returns: [2/2]", "\n# of minions returned: 2\n"]
        {
            hold(ran.out.contains(text), || ran.failure(&format!("no {text:?}")).0)?;
        }
        Ok(())
    });
}

/// Key pairs and signatures made by hand: files and their modes, and what is printed but for the fingerprint.
#[test]
fn key_generation() {
    check(|| {
        let fleet = Fleet::new(Side::Ours, Side::Ours)?;
        let mut told = Vec::new();
        for side in [Side::Ours, STOCK] {
            let dir = fleet.path(if side.is_ours() { "ours" } else { "stock" });
            let pki = dir.join("pki");
            fs::create_dir_all(&pki)?;
            let text = |p: &Path| p.display().to_string();
            fs::write(
                dir.join("master"),
                format!("root_dir: /\npki_dir: {}\nlog_level: error\n", text(&pki)),
            )?;
            let run = |words: &[&str], config: &str| -> Result<String> {
                let mut cmd = command(None, &side.program("salt-key")?);
                cmd.arg("-c").arg(config).args(words);
                let ran = cli::run(cmd, b"", Duration::from_secs(120))?;
                let line = |l: &str| if l.matches(':').count() > 20 { "a fingerprint" } else { l }.to_owned();
                let out: Vec<String> = ran.out.lines().map(|l| line(l.trim())).collect();
                let err = ran.err.lines().filter(|l| !l.starts_with('['));
                Ok(format!("{} {out:?} {:?}", ran.code, err.collect::<Vec<_>>()))
            };
            let (own, sub) = (text(&dir), text(&dir.join("sub")));
            let mut all = vec![
                run(&["--gen-keys=web", "--gen-keys-dir", &sub], "/no/such/dir")?,
                run(&["--gen-keys=web", "--gen-keys-dir", &sub], &own)?,
                run(&["--gen-signature"], &own)?,
                run(&["--gen-signature", "--auto-create"], &own)?,
            ];
            fs::copy(dir.join("sub/web.pub"), pki.join("master.pub"))?;
            all.push(run(&["--gen-signature"], &own)?);
            all.push(run(&["--gen-signature"], &own)?);
            let sig = text(&dir.join("sub"));
            let (private, public) = (text(&dir.join("sub/web.pem")), text(&dir.join("sub/web.pub")));
            all.push(run(
                &["--gen-signature", "--signature-path", &sig, "--priv", &private, "--pub", &public],
                &own,
            )?);
            for dir in [&pki, &dir.join("sub")] {
                let mut files = Vec::new();
                for entry in fs::read_dir(dir)? {
                    let entry = entry?;
                    let mode = entry.metadata()?.permissions().mode() & 0o777;
                    files.push(format!("{} {mode:o}", entry.file_name().to_string_lossy()));
                }
                files.sort();
                all.push(files.join(", "));
            }
            told.push(all);
        }
        same("what key generation says and leaves", &told[0], &told[1])
    });
}

/// Keys in every state, and one that is none.
fn lay_out(pki: &Path, key: &str) -> Result {
    for (state, names) in [
        ("minions", &["old1", "Old2", "both"][..]),
        ("minions_pre", &["new1", "new2", "New3"]),
        ("minions_rejected", &["newly"]),
        ("minions_denied", &["both"]),
    ] {
        let dir = pki.join(state);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        for name in names {
            fs::write(dir.join(name), key)?;
        }
    }
    Ok(fs::write(pki.join("minions_pre/bad"), "no key\n")?)
}

/// Which key lies where.
fn standing(pki: &Path) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for state in ["minions", "minions_pre", "minions_rejected", "minions_denied"] {
        for entry in fs::read_dir(pki.join(state))? {
            all.push(format!("{state}/{}", entry?.file_name().to_string_lossy()));
        }
    }
    all.sort();
    Ok(all)
}
