//! One process of stock Salt 3006.28's Python that reads templates, a line of JSON each.

use brine_jinja::{Newline, Syntax};
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process.
pub(crate) struct Stock {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn options(syntax: &Syntax) -> Json {
    json!({
        "block_start_string": syntax.block_start,
        "block_end_string": syntax.block_end,
        "variable_start_string": syntax.variable_start,
        "variable_end_string": syntax.variable_end,
        "comment_start_string": syntax.comment_start,
        "comment_end_string": syntax.comment_end,
        "line_statement_prefix": syntax.line_statement_prefix,
        "line_comment_prefix": syntax.line_comment_prefix,
        "trim_blocks": syntax.trim_blocks,
        "lstrip_blocks": syntax.lstrip_blocks,
        "newline_sequence": match syntax.newline_sequence {
            Newline::Lf => "\n",
            Newline::CrLf => "\r\n",
            Newline::Cr => "\r",
        },
        "keep_trailing_newline": syntax.keep_trailing_newline,
    })
}

impl Stock {
    /// Starts stock's Python, with an environment for each syntax.
    pub(crate) fn start(syntaxes: &[Syntax]) -> Self {
        let mut stock = Self::script(include_str!("../data/stock_parse.py"));
        let environments: Json = syntaxes.iter().map(options).collect();
        assert_eq!(stock.ask(&[environments]), [json!(syntaxes.len())]);
        stock
    }

    /// Starts stock's Python with a script that answers each line with a line.
    pub(crate) fn script(script: &str) -> Self {
        let dir =
            std::env::var_os("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed");
        let python = PathBuf::from(dir).join("3006.28/bin/python");
        assert!(python.exists(), "no stock Salt: {} is not there", python.display());
        let mut child = Command::new(python)
            .args(["-B", "-W", "ignore", "-c", script])
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
