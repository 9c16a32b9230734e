//! Cases for outputters: what stock prints of each, what we print, and the smallest that differs.

#![allow(clippy::print_stdout, reason = "a test tells how much it compared")]

use super::stock::Stock;
use super::tag;
use brine_core::Opts;
use brine_protocol::{Map, Value};
use brine_render::out::{Style, format};
use serde_json::json;
use std::time::{Duration, Instant};

/// One question.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) out: Option<&'static str>,
    pub(crate) opts: Map,
    pub(crate) retcode: i64,
    pub(crate) data: Value,
}

impl Case {
    fn question(&self) -> serde_json::Value {
        json!({
            "out": self.out,
            "opts": tag(&Value::Map(self.opts.clone())),
            "retcode": self.retcode,
            "data": tag(&self.data),
        })
    }

    pub(crate) fn ours(&self) -> String {
        let opts = Opts::new(self.opts.clone());
        let mut style = Style::new(&opts, false);
        style.retcode = self.retcode;
        format(&self.data, self.out, &opts, &style)
    }
}

/// What stock prints, and the exception if it ended with one.
fn stock(stock: &mut Stock, cases: &[Case]) -> Vec<(String, Option<String>)> {
    let questions: Vec<_> = cases.iter().map(Case::question).collect();
    let text = |json: &serde_json::Value| json.as_str().map(str::to_owned);
    stock
        .ask(&questions)
        .iter()
        .map(|answer| (text(&answer["text"]).unwrap_or_default(), text(&answer["raised"])))
        .collect()
}

/// Asks all, and fails with the smallest case that still differs in the way of the first.
pub(crate) fn compare(name: &str, cases: &[Case]) {
    let mut python = Stock::start(include_str!("../data/stock_out.py"));
    let answers = stock(&mut python, cases);
    let raised = answers.iter().filter(|(_, raised)| raised.is_some()).count();
    let mut wrong: Vec<&Case> = cases
        .iter()
        .zip(&answers)
        .filter(|(case, (text, _))| case.ours() != *text)
        .map(|(case, _)| case)
        .collect();
    println!("{name}: {} cases, {raised} of them tracebacks in stock, {} differ", cases.len(), wrong.len());
    wrong.sort_by_key(|case| tag(&case.data).to_string().len());
    let Some(first) = wrong.first() else { return };
    let mut smallest = (*first).clone();
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        let smaller: Vec<Case> = smaller(&smallest.data)
            .into_iter()
            .take(100)
            .map(|data| Case { data, ..smallest.clone() })
            .collect();
        let answers = stock(&mut python, &smaller);
        match smaller.into_iter().zip(answers).find(|(case, (text, _))| case.ours() != *text) {
            Some((case, _)) => smallest = case,
            None => break,
        }
    }
    let (text, raised) = stock(&mut python, std::slice::from_ref(&smallest)).remove(0);
    let ours = smallest.ours();
    let line = text.lines().zip(ours.lines()).position(|(stock, ours)| stock != ours);
    panic!(
        "{} of {} differ; the smallest, made smaller:\n{:?} retcode {} {:?}\n{}\n--- stock {raised:?}\n{text}\n--- \
         ours\n{ours}\n--- from line {line:?} on\n{text:?}\n{ours:?}",
        wrong.len(),
        cases.len(),
        smallest.out,
        smallest.retcode,
        smallest.opts,
        tag(&smallest.data),
    );
}

/// The same with one thing less, in all ways.
fn smaller(value: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    match value {
        Value::List(items) => {
            for i in 0..items.len() {
                let mut less = items.clone();
                less.remove(i);
                out.push(Value::List(less));
            }
            for (i, item) in items.iter().enumerate() {
                for less in smaller(item) {
                    let mut items = items.clone();
                    items[i] = less;
                    out.push(Value::List(items));
                }
            }
        }
        Value::Map(map) => {
            for key in map.keys() {
                let mut less = map.clone();
                less.remove_key(key);
                out.push(Value::Map(less));
            }
            for (key, item) in map {
                for less in smaller(item) {
                    let mut map = map.clone();
                    map.insert(key.clone(), less);
                    out.push(Value::Map(map));
                }
            }
        }
        Value::Str(text) if text.chars().count() > 1 => {
            let chars: Vec<char> = text.chars().collect();
            let middle = chars.len() / 2;
            out.push(chars[..middle].iter().collect::<String>().into());
            out.push(chars[middle..].iter().collect::<String>().into());
            out.push(chars[1..].iter().collect::<String>().into());
            out.push(chars[..chars.len() - 1].iter().collect::<String>().into());
        }
        _ => {}
    }
    out
}
