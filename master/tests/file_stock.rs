//! The text files of the backend `file`, on generated files and logins, against the module of stock Salt 3006.28 itself.
//! `BRINE_STOCK_DIR` holds its virtualenv.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use brine_master::eauth::{BACKENDS, Login, Secret, Settings};
use brine_protocol::crypt::HashType;
use brine_protocol::{Map, Value, map};

/// Reads `file NUL separator NUL user field NUL password field NUL hash NUL user NUL password` a line, in hex; prints a
/// letter for each.
const PROGRAM: &str = "
import hashlib, logging, sys
logging.disable(logging.CRITICAL)
import salt.auth.file as module
module.__salt__ = {'hashutil.digest': lambda text, kind: getattr(hashlib, kind)(text.encode()).hexdigest()}
for line in sys.stdin:
    path, separator, user, password, kind, name, secret = bytes.fromhex(line.strip()).decode().split('\\0')
    options = dict(filename=path, field_separator=separator, username_field=int(user), password_field=int(password))
    print('y' if module._text(name, secret, hashtype=kind, **options) else 'n', end='')
";

fn python() -> PathBuf {
    let dir =
        std::env::var_os("BRINE_STOCK_DIR").map_or_else(|| "/var/cache/brine/stock".into(), PathBuf::from);
    let python = dir.join("3006.28/bin/python");
    assert!(python.exists(), "no stock Salt in {}; set BRINE_STOCK_DIR", dir.display());
    python
}

/// A small generator, so that a failure can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.roll(words.len())]
    }
}

#[test]
fn text_files_are_read_as_stock_reads_them() {
    let backend = BACKENDS.iter().find(|b| b.name == "file").unwrap();
    let names = ["dean", "gene", "Gene", " gene", "gen\u{e9}", "a:b", "#x", "46"];
    let secrets = ["x", "OceanMan", " x", "x ", "s\u{fc}ss"];
    let (separators, ends) = ([":", "|", "::", " ", ","], ["\n", "\r\n", "\r", "\n\n", " \n", "\t\n"]);
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let (mut asked, mut ours, mut shown) = (String::new(), String::new(), Vec::new());
    for n in 0..600 {
        let path = dir.path().join(n.to_string());
        let separator = dice.of(&separators);
        let kind = dice.of(&["plaintext", "plaintext", "md5", "sha256"]);
        let (mut text, mut right) = (String::new(), Vec::new());
        for _ in 0..dice.roll(5) {
            // Mostly what can be found, so that not all answers are no.
            let line = match dice.roll(4) {
                0 => {
                    let words = [&names[..], &secrets[..]].concat();
                    (0..1 + dice.roll(3)).map(|_| dice.of(&words)).collect::<Vec<_>>().join(separator)
                }
                _ => {
                    let secret = dice.of(&secrets);
                    let kept = match kind {
                        "md5" => HashType::Md5.hex(secret.as_bytes()),
                        "sha256" => HashType::Sha256.hex(secret.as_bytes()),
                        _ => secret.to_owned(),
                    };
                    let name = dice.of(&names);
                    right.push((name, secret));
                    [name, &kept, dice.of(&names)].join(separator)
                }
            };
            text += &line;
            text += dice.of(&ends);
        }
        std::fs::write(&path, &text).unwrap();
        let path = path.to_str().unwrap();
        let (user, password) = if dice.roll(3) == 0 { (1 + dice.roll(3), 1 + dice.roll(3)) } else { (1, 2) };
        for _ in 0..4 {
            let any = (dice.of(&names), dice.of(&secrets));
            let (name, secret) =
                if dice.roll(4) > 0 && !right.is_empty() { right[dice.roll(right.len())] } else { any };
            let question =
                [path, separator, &user.to_string(), &password.to_string(), kind, name, secret].join("\0");
            asked += &question.bytes().map(|b| format!("{b:02x}")).collect::<String>();
            asked.push('\n');
            let own = map! {
                "filename" => path, "field_separator" => separator, "username_field" => user.to_string(),
                "password_field" => Value::from(i64::try_from(password).unwrap()), "hashtype" => kind,
            };
            let settings = Settings { own, auth: Map::new() };
            let login =
                Login { eauth: "file".into(), username: name.into(), password: Secret::new(secret.into()) };
            ours.push(if (backend.auth)(&settings, &login).is_ok() { 'y' } else { 'n' });
            shown.push(format!("{text:?} {question:?}"));
        }
    }
    let mut child = Command::new(python())
        .args(["-W", "ignore", "-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let stocks = String::from_utf8(out.stdout).unwrap();
    assert_eq!(stocks.len(), ours.len());
    assert!(stocks.matches('y').count() > 100, "too few logins were right to show anything");
    for ((stock, own), what) in stocks.chars().zip(ours.chars()).zip(&shown) {
        assert_eq!(own, stock, "{what}");
    }
}
