//! Command lines made by chance, read by our tables and by the parsers of stock Salt 3006.28: the same options with the
//! same values, the same words left over, the same complaint.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::cmdline::{Kind, Opt, Program, parse};
use brine_protocol::{Map, Value};
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const PYTHON: &str = r#"
import json, optparse, sys
import salt.utils.parsers as parsers
CLASSES = {"salt": "SaltCMDOptionParser", "salt-key": "SaltKeyOptionParser", "salt-cp": "SaltCPOptionParser",
           "salt-run": "SaltRunOptionParser"}
made = {}
def refuse(message):
    raise ValueError(message)
for line in sys.stdin:
    program, words = json.loads(line)
    if program not in made:
        sys.argv = [program]
        made[program] = getattr(parsers, CLASSES[program])()
        made[program].error = refuse
    try:
        options, args = optparse.OptionParser.parse_args(made[program], words, optparse.Values())
        print(json.dumps({"given": options.__dict__, "args": args}))
    except ValueError as error:
        print(json.dumps({"error": str(error)}))
"#;

/// A small generator: tests must be repeatable.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "*", "test.ping", "a=b", "-", "", "5", "0x1f", "-3", "1.5", "010", "08", "1_0", " 7 ", "x y", "debug", "info", "all",
    "é", "1e3", "--", "-x", "--zz", "10%", "True",
];

/// Some words of a command line: an option in one of its spellings, perhaps with a value, or a word.
fn words(chance: &mut Chance, options: &[&'static Opt]) -> Vec<String> {
    let mut line = Vec::new();
    for _ in 0..=chance.below(5) {
        if chance.below(3) == 0 {
            line.push(chance.of(WORDS).to_owned());
            continue;
        }
        let option = options[chance.below(options.len())];
        let mut name = chance.of(option.names).to_owned();
        if name.starts_with("--") && chance.below(3) == 0 {
            let keep = 4 + chance.below(name.len());
            name.truncate(keep.min(name.len()));
        }
        let value = match option.kind {
            Kind::Choice(_, choices) if chance.below(3) > 0 => chance.of(choices),
            _ => chance.of(WORDS),
        };
        match (chance.below(4), name.starts_with("--")) {
            (0, true) => line.push(format!("{name}={value}")),
            (0, false) => line.push(format!("{name}{value}")),
            (1, _) => line.push(name),
            _ => {
                line.push(name);
                if option.kind.metavar().is_some() {
                    line.push(value.to_owned());
                }
            }
        }
    }
    line
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => i64::try_from(*i).unwrap().into(),
        Value::Float(x) => json!(x),
        other => other.as_str().unwrap().into(),
    }
}

fn ours(program: &Program, words: &[String]) -> Json {
    match parse(program, words.to_vec()) {
        Ok(line) => {
            let given: Map = program.given(&line);
            let given: serde_json::Map<String, Json> =
                given.iter().map(|(k, v)| (k.as_str().unwrap().to_owned(), plain(v))).collect();
            json!({"given": given, "args": line.args})
        }
        Err(said) => json!({"error": said}),
    }
}

/// What stock makes of these lines.
fn stocks(lines: &[(&Program, Vec<String>)]) -> Vec<Json> {
    let dir = std::env::var_os("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed");
    let mut python = Command::new(PathBuf::from(dir).join("3006.28/bin/python"));
    python.args(["-B", "-c", PYTHON]).env("LANG", "C.UTF-8").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let questions: String = lines.iter().map(|(p, words)| format!("{}\n", json!([p.name, words]))).collect();
    let writer = std::thread::spawn(move || to.write_all(questions.as_bytes()).unwrap());
    let answers = child.wait_with_output().unwrap();
    writer.join().unwrap();
    String::from_utf8(answers.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn command_lines_are_read_as_stock_reads_them() {
    let mut chance = Chance(20_261_125);
    let programs = [
        &brine_cli::salt::options::PROGRAM,
        &brine_cli::key::options::PROGRAM,
        &brine_cli::cp::options::PROGRAM,
        &brine_cli::run::options::PROGRAM,
    ];
    let mut lines = Vec::new();
    for program in programs {
        // Pages end stock's process; its log file is rewritten on the way; what stock lacks cannot be compared.
        let skipped = ["help", "version", "versions_report", "log_file", "key_logfile"];
        let options: Vec<_> = program.options().filter(|o| !o.whole && !skipped.contains(&o.dest)).collect();
        lines.extend((0..700).map(|_| (program, words(&mut chance, &options))));
    }
    // Beginnings of options that are skipped.
    let skipped = |w: &String| ["--h", "--v", "--log-f", "-h", "-V"].iter().any(|s| w.starts_with(s));
    lines.retain(|(_, words)| !words.iter().any(skipped));
    let answers = stocks(&lines);
    assert_eq!(answers.len(), lines.len());
    let mut wrong = Vec::new();
    for ((program, words), stock) in lines.iter().zip(&answers) {
        let ours = ours(program, words);
        if ours != *stock {
            wrong.push(format!("{} {words:?}\n  ours  {ours}\n  stock {stock}", program.name));
        }
    }
    let read = answers.iter().filter(|a| a.get("given").is_some()).count();
    assert!(read > lines.len() / 5, "only {read} of {} lines are right", lines.len());
    let some = wrong[..wrong.len().min(15)].join("\n");
    assert!(wrong.is_empty(), "{} of {} differ:\n{some}", wrong.len(), lines.len());
}
