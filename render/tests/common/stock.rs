//! One process of stock Salt 3006.28's Python that answers questions, a line of JSON each.

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A Python program that reads questions and prints as many answers.
pub(crate) struct Stock {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Stock {
    /// Starts a program in the environment of the stock Salt that `BRINE_STOCK_DIR` holds.
    pub(crate) fn start(program: &str) -> Self {
        let dir =
            std::env::var_os("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed");
        let python = PathBuf::from(dir).join("3006.28/bin/python");
        assert!(python.exists(), "no stock Salt: {} is not there", python.display());
        let mut child = Command::new(python)
            .args(["-B", "-c", program])
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    /// The answers to questions, in their order.
    pub(crate) fn ask(&mut self, questions: &[Json]) -> Vec<Json> {
        let (mut to, from) = (&self.questions, &mut self.answers);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for question in questions {
                    writeln!(to, "{question}").unwrap();
                }
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
