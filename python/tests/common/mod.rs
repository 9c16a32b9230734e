//! Cases for Python and for us: values that both can make, what is done with them, and how it is asked.

pub(crate) mod cases;
pub(crate) mod make;
pub(crate) mod pools;
pub(crate) mod values;

use serde_json::Value as Json;
use std::io::Write;
use std::process::{Command, Stdio};

/// Small, repeatable random numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Evaluates expressions in one process of Python; `None` for what has no counterpart here.
pub(crate) fn python(sources: &[String]) -> Vec<Option<String>> {
    let mut child = Command::new("/usr/bin/python3")
        .args(["-I", "-c", include_str!("../data/answer.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .env("TZ", "UTC")
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = serde_json::to_vec(sources).unwrap();
    let writer = std::thread::spawn(move || input.write_all(&text));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();
    answers.iter().map(|a| a.as_str().map(str::to_owned)).collect()
}
