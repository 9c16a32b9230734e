//! Random values, each as an object of ours and as a description that the program of the other side builds the same from.

use super::Random;
use brine_python::time::{Date, DateTime, Zone};
use brine_python::{Dict, Key, List, Obj, Set};
use brine_render::yaml::Encrypted;
use serde_json::{Value as Json, json};
use std::rc::Rc;

const WORDS: &[&str] = &[
    "",
    "a",
    "b",
    "key",
    "foo bar",
    "true",
    "Yes",
    "null",
    "~",
    "1",
    "010",
    "0x1f",
    "1.5",
    "1e3",
    "1_0",
    "1:30",
    "2020-01-02",
    "=",
    "<<",
    "- a",
    "-",
    "--- a",
    "...",
    "a: b",
    "a:b",
    "a :b",
    "#c",
    "a #c",
    "a#c",
    ":",
    ": ",
    "a:",
    "?",
    "? a",
    "?a",
    "a?b",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "'",
    "it's",
    "\"",
    "%a",
    "@a",
    "`a`",
    "{",
    "{a}",
    "[a]",
    "a,b",
    "a]",
    " a",
    "a ",
    "a  b",
    "\ta",
    "a\tb",
    "\n",
    "a\n",
    "a\n\n",
    "\na",
    "a\nb",
    "a\n b",
    "a \nb",
    "a\n\nb\n",
    " a\nb",
    "a\n ",
    "\r",
    "a\r\nb",
    "\\",
    "a\\b",
    "é",
    "日本",
    "\u{1f600}",
    "\u{85}",
    "a\u{85}b",
    "\u{a0}",
    "\u{2028}",
    "a\u{2028}b",
    "\u{2029}",
    "\u{feff}",
    "\u{0}",
    "\u{7}",
    "\u{1b}",
    "\u{7f}",
    "\u{80}",
    "\u{fffe}",
    "\u{10ffff}",
    "\u{d7ff}",
    "\u{e000}",
    "salt://a/b.conf",
    "-1",
    "+1",
    ".5",
    "-.5",
    ".inf",
    ".",
    "..",
    "a.b",
    "y",
    "n",
    "on",
    "off",
    "~a",
    "null ",
    "a=b",
    "$x",
    "x(y)",
    "0o17",
    "09",
    "\u{3000}a",
];

/// A value and its description.
pub(crate) struct Maker<'r> {
    pub(crate) random: &'r mut Random,
    /// What can be referred to again.
    made: Vec<Obj>,
    /// Sets and what is as odd may come.
    pub(crate) odd: bool,
}

impl<'r> Maker<'r> {
    pub(crate) fn new(random: &'r mut Random, odd: bool) -> Self {
        Self { random, made: Vec::new(), odd }
    }

    pub(crate) fn text(&mut self) -> String {
        let pick = |this: &mut Self| this.random.pick(WORDS);
        match self.random.below(8) {
            0..=4 => pick(self).to_owned(),
            5 => (0..self.random.below(30) + 1)
                .map(|_| {
                    let word = if self.random.one_in(4) {
                        self.random.pick(WORDS)
                    } else {
                        self.random.pick(&["foo", "bar", "lorem", "ipsum", "x"])
                    };
                    format!("{word}{}", self.random.pick(&[" ", " ", " ", "  ", "\n", ""]))
                })
                .collect(),
            6 => format!("{}{}", pick(self), pick(self)),
            _ => {
                let n = self.random.below(150);
                self.random.pick(&["x", "é", "ab", "\u{1f600}", "a b "]).repeat(n)
            }
        }
    }

    pub(crate) fn scalar(&mut self) -> (Obj, Json) {
        match self.random.below(if self.odd { 14 } else { 10 }) {
            0 => (Obj::None, Json::Null),
            1 => {
                let b = self.random.one_in(2);
                (Obj::Bool(b), json!(b))
            }
            2 => {
                let n = self.random.pick(&[
                    "0",
                    "1",
                    "-7",
                    "123456789",
                    "9223372036854775807",
                    "123456789012345678901234567890",
                    "-99999999999999999999",
                ]);
                (brine_python::int(&n.into(), None).unwrap(), json!({"i": n}))
            }
            3 => {
                let x = self.random.pick(&[
                    0.0,
                    -0.0,
                    1.0,
                    0.1,
                    -2.5,
                    1e16,
                    1e17,
                    1.5e300,
                    1e-7,
                    123456.789,
                    f64::INFINITY,
                    f64::NEG_INFINITY,
                    f64::NAN,
                    5e-324,
                ]);
                (Obj::Float(x), json!({"f": brine_python::float_repr(x)}))
            }
            10 => {
                let n = self.random.pick(&[0, 1, 2, 3, 57, 58, 60, 200]);
                let bytes: Vec<u8> = (0..n).map(|_| self.random.below(256) as u8).collect();
                let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
                (Obj::bytes(bytes), json!({"b": hex}))
            }
            11 => (Obj::Date(Date::new(2020, 1, 2).unwrap()), json!({"date": [2020, 1, 2]})),
            12 => {
                let micro = self.random.pick(&[0, 7]);
                let zone = self.random.pick(&[None, Some(0), Some(5400), Some(-3600)]);
                let Obj::DateTime(at) =
                    DateTime::naive(Date::new(2001, 12, 14).unwrap(), [21, 59, 43, micro])
                else {
                    panic!()
                };
                let at = DateTime {
                    date: at.date,
                    time: at.time,
                    zone: zone.map(|z| Rc::new(Zone::new(z).unwrap())),
                };
                let obj = Obj::DateTime(Rc::new(at));
                self.made.push(obj.clone());
                (
                    obj,
                    json!({"time": [2001, 12, 14, 21, 59, 43, micro], "zone": zone, "id": self.made.len() - 1}),
                )
            }
            13 => {
                let text = self.text();
                (Obj::other(Encrypted::new(&text)), json!({"enc": text}))
            }
            _ => {
                let text = self.text();
                (Obj::str(&text), json!(text))
            }
        }
    }

    fn key(&mut self) -> (Obj, Json) {
        if self.odd && self.random.one_in(12) {
            let (a, b) = self.scalar();
            let (c, d) = self.scalar();
            let tuple = Obj::tuple(if self.random.one_in(3) { vec![a] } else { vec![a, c] });
            let n = tuple.sequence().unwrap().len();
            self.made.push(tuple.clone());
            return (tuple, json!({"t": (&[b, d][..n]), "id": self.made.len() - 1}));
        }
        if self.random.one_in(5) {
            return self.scalar();
        }
        let text = self.text();
        (Obj::str(&text), json!(text))
    }

    pub(crate) fn value(&mut self, depth: usize) -> (Obj, Json) {
        if !self.made.is_empty() && self.random.one_in(12) {
            let which = self.random.below(self.made.len());
            return (self.made[which].clone(), json!({"ref": which}));
        }
        if depth == 0 || self.random.one_in(3) {
            return self.scalar();
        }
        let n = self.random.below(5);
        match self.random.below(if self.odd { 12 } else { 8 }) {
            0..=2 => {
                let list = Rc::new(List::default());
                let id = self.keep(Obj::List(list.clone()));
                let members: Vec<_> = (0..n).map(|_| self.value(depth - 1)).collect();
                list.borrow_mut().extend(members.iter().map(|(o, _)| o.clone()));
                (Obj::List(list), json!({"l": members.iter().map(|(_, j)| j).collect::<Vec<_>>(), "id": id}))
            }
            8 => {
                let members: Vec<_> = (0..n).map(|_| self.value(depth - 1)).collect();
                let tuple = Obj::tuple(members.iter().map(|(o, _)| o.clone()).collect());
                let id = self.keep(tuple.clone());
                (tuple, json!({"t": members.iter().map(|(_, j)| j).collect::<Vec<_>>(), "id": id}))
            }
            9 => {
                // Of text only, so that they can be sorted: their order is Python's own business otherwise.
                let texts: Vec<String> = (0..n).map(|_| self.text()).collect();
                let members = texts.iter().map(|t| Key::text(t)).collect();
                let set = Obj::Set(Rc::new(Set::new(members, false)));
                let id = self.keep(set.clone());
                (set, json!({"s": texts, "id": id}))
            }
            10 if self.random.one_in(4) => {
                let set = Obj::Set(Rc::new(Set::new([Key::text("a")].into_iter().collect(), true)));
                let id = self.keep(set.clone());
                (set, json!({"fs": ["a"], "id": id}))
            }
            _ => {
                let ordered = self.random.one_in(3);
                let dict = Rc::new(if ordered { Dict::ordered() } else { Dict::new() });
                let id = self.keep(Obj::Dict(dict.clone()));
                let mut pairs = Vec::new();
                for _ in 0..n {
                    let (key, key_json) = self.key();
                    let (value, value_json) = self.value(depth - 1);
                    dict.set(key, value).unwrap();
                    pairs.push(json!([key_json, value_json]));
                }
                (Obj::Dict(dict), json!({"d": pairs, "ordered": ordered, "id": id}))
            }
        }
    }

    fn keep(&mut self, obj: Obj) -> usize {
        self.made.push(obj);
        self.made.len() - 1
    }
}
