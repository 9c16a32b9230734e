//! One process of stock Salt's Python that calls returners.

use brine_core::{Map, Value};
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Stock {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The directory of stock 3006.28.
pub(crate) fn home() -> PathBuf {
    let dir =
        std::env::var_os("BRINE_STOCK_DIR").map_or_else(|| "/var/cache/brine/stock".into(), PathBuf::from);
    let home = dir.join("3006.28");
    assert!(home.join("bin/python").exists(), "no stock Salt in {}; set BRINE_STOCK_DIR", home.display());
    home
}

impl Stock {
    /// Starts it; with a syslog, in a mount namespace where `/dev/log` is that socket.
    pub(crate) fn start(syslog: Option<&Path>) -> Self {
        let python = home().join("bin/python");
        let mut command = match syslog {
            None => Command::new(python),
            Some(socket) => {
                let mut command = Command::new("unshare");
                // Whoever is not root becomes it in a user namespace.
                command.arg(if nix::unistd::geteuid().is_root() { "-m" } else { "-rm" });
                let script = "mount -t tmpfs tmpfs /dev && ln -s \"$0\" /dev/log && exec \"$@\"";
                command.args(["sh", "-c", script]).arg(socket).arg(python);
                command
            }
        };
        let mut child = command
            .args(["-B", "-c", include_str!("../data/stock.py")])
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    /// The answers to questions: `result`, or `error` with the name of the exception.
    pub(crate) fn ask(&mut self, questions: &[Map]) -> Vec<Value> {
        let mut answer = String::new();
        questions
            .iter()
            .map(|question| {
                writeln!(self.questions, "{}", to_json(&question.clone().into())).unwrap();
                answer.clear();
                self.answers.read_line(&mut answer).unwrap();
                from_json(&serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer:?}")))
            })
            .collect()
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        // It may already be gone.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => i64::try_from(*n).unwrap().into(),
        Value::Float(x) => (*x).into(),
        Value::Str(s) => s.as_str().into(),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(map) => {
            Json::Object(map.iter().map(|(k, v)| (k.as_str().unwrap().to_owned(), to_json(v))).collect())
        }
        other => panic!("no JSON: {other:?}"),
    }
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => n.as_i64().map_or_else(|| n.as_f64().unwrap().into(), Value::from),
        Json::String(s) => s.as_str().into(),
        Json::Array(list) => list.iter().map(from_json).collect(),
        Json::Object(map) => Value::Map(map.iter().map(|(k, v)| (k.as_str(), from_json(v))).collect()),
    }
}
