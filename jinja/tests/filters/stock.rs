//! One process of stock's Python that answers cases.

use crate::make::Case;
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Stock {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) filters: Vec<String>,
    pub(crate) tests: Vec<String>,
    pub(crate) globals: Vec<String>,
}

/// A case in words.
pub(crate) fn source(case: &Case) -> String {
    let mut args: Vec<String> = case.args.iter().map(crate::values::V::py).collect();
    args.extend(case.kw.iter().map(|(name, v)| format!("{name}={}", v.py())));
    format!("{} {} ({}) env {}", case.kind, case.name, args.join(", "), case.env)
}

fn question(case: &Case) -> Json {
    let args: Vec<String> = case.args.iter().map(crate::values::V::py).collect();
    let kw: Vec<(&str, String)> = case.kw.iter().map(|(name, v)| (*name, v.py())).collect();
    json!([case.kind, case.name, args, kw, case.env])
}

impl Stock {
    pub(crate) fn start() -> Self {
        let dir =
            std::env::var_os("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed");
        let python = PathBuf::from(dir).join("3006.28/bin/python");
        assert!(python.exists(), "no stock Salt: {} is not there", python.display());
        let mut child = Command::new(python)
            .args(["-B", "-W", "ignore", "-c", include_str!("stock.py")])
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        answers.read_line(&mut first).unwrap();
        let [filters, tests, globals]: [Vec<String>; 3] = serde_json::from_str(&first).unwrap();
        Self { child, questions, answers, filters, tests, globals }
    }

    /// The answers to cases, in their order; `None` where Python has no memory left.
    pub(crate) fn ask(&mut self, cases: &[Case]) -> Vec<Option<String>> {
        let questions: Vec<String> = cases.iter().map(|case| question(case).to_string()).collect();
        let (mut to, from) = (&self.questions, &mut self.answers);
        std::thread::scope(|scope| {
            let lines = &questions;
            scope.spawn(move || {
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                to.write_all(text.as_bytes()).unwrap();
            });
            let mut answer = String::new();
            questions
                .iter()
                .map(|question| {
                    answer.clear();
                    from.read_line(&mut answer).unwrap();
                    serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer:?} to {question}"))
                })
                .collect()
        })
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        // It may already be gone.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
