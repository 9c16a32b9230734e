//! `pj query`: pallets by kind, names and values.

use super::warehouse::{Warehouse, nothing};
use super::{Told, print};
use crate::exit::Result;
use brine_inventory::{Node, Pallet};
use fancy_regex::Regex;
use serde_json::{Map, Value, json};

pub(super) fn run(told: &Told) -> Result {
    let filter = Filter::of(told)?;
    let snap = Warehouse::of(told)?.load_to_look()?;
    let keys: Vec<&str> = told.line.all("key").collect();
    let kind = told.get("type").unwrap_or("system");
    let found: Vec<(&Pallet, &Node)> = snap
        .of_kind(kind)
        .iter()
        .map(|id| (snap.pallet(*id), snap.view(*id)))
        .filter(|(pallet, view)| filter.takes(pallet, view))
        .collect();
    if found.is_empty() {
        return Err(nothing());
    }
    if told.has("json") {
        return print::json_text(&found.iter().map(|(p, v)| one_json(p, v, &keys)).collect());
    }
    let mut out = String::new();
    for (pallet, view) in found {
        out.push_str(pallet.full_name());
        for key in &keys {
            out.push('\t');
            out.push_str(&view.get(key).map_or_else(String::new, shown));
        }
        out.push('\n');
    }
    print::text(&out)
}

/// A value on one line: a text as it is, anything else, or what would break the line, as JSON.
pub(super) fn shown(node: &Node) -> String {
    match node.str() {
        Some(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => print::node(node).to_string(),
    }
}

fn one_json(pallet: &Pallet, view: &Node, keys: &[&str]) -> Value {
    let mut out = json!({"kind": pallet.kind(), "name": pallet.leaf_name(), "full_name": pallet.full_name()});
    if !keys.is_empty() {
        let value = |key: &&str| ((*key).to_owned(), view.get(key).map_or(Value::Null, print::node));
        out["values"] = Value::Object(keys.iter().map(value).collect::<Map<_, _>>());
    }
    out
}

/// What a pallet must be.
struct Filter<'a> {
    names: Vec<&'a str>,
    full_names: Vec<&'a str>,
    parents: Vec<&'a str>,
    tests: [Vec<Test<'a>>; 4],
}

/// One test of a value.
struct Test<'a> {
    key: &'a str,
    wanted: Wanted<'a>,
}

enum Wanted<'a> {
    Anything,
    Text(&'a str),
    Match(Box<Regex>),
}

impl<'a> Filter<'a> {
    fn of(told: &'a Told) -> Result<Self> {
        let tests = |name: &'static str| -> Result<Vec<Test<'a>>> {
            let test = |text| Test::parse(text).map_err(|e| told.usage(&format!("option --{name}: {e}")));
            told.line.all(name).map(test).collect()
        };
        let mut names: Vec<&str> = told.line.all("name").collect();
        names.extend(told.line.args.iter().map(String::as_str));
        Ok(Self {
            names,
            full_names: told.line.all("full_name_is").collect(),
            parents: told.line.all("parent_name").collect(),
            tests: [tests("all")?, tests("any")?, tests("none")?, tests("one")?],
        })
    }

    fn takes(&self, pallet: &Pallet, view: &Node) -> bool {
        let one = |wanted: &[&str], own: &str| wanted.is_empty() || wanted.contains(&own);
        let named = one(&self.names, pallet.leaf_name())
            && one(&self.full_names, pallet.full_name())
            && one(&self.parents, pallet.parent_name().unwrap_or_default());
        let count = |tests: &[Test<'_>]| tests.iter().filter(|t| t.holds(view)).count();
        let [all, any, none, exactly] = &self.tests;
        named
            && count(all) == all.len()
            && (any.is_empty() || count(any) > 0)
            && count(none) == 0
            && (exactly.is_empty() || count(exactly) == 1)
    }
}

impl<'a> Test<'a> {
    /// `KEY`, `KEY=TEXT` or `KEY~REGEXP`: keys have neither sign.
    fn parse(text: &'a str) -> std::result::Result<Self, String> {
        let at = text.find(['=', '~']);
        let (key, wanted) = match at {
            None => (text, Wanted::Anything),
            Some(at) => {
                let rest = &text[at + 1..];
                let wanted = match text.as_bytes()[at] {
                    b'=' => Wanted::Text(rest),
                    _ => Wanted::Match(Box::new(Regex::new(rest).map_err(|e| format!("{rest:?}: {e}"))?)),
                };
                (&text[..at], wanted)
            }
        };
        if key.is_empty() { Err(format!("{text:?} names no key")) } else { Ok(Self { key, wanted }) }
    }

    fn holds(&self, view: &Node) -> bool {
        view.get(self.key).is_some_and(|value| match (&self.wanted, value) {
            (Wanted::Anything, _) => true,
            (_, Node::List(list)) => list.items().iter().any(|item| self.fits(item)),
            (_, value) => self.fits(value),
        })
    }

    fn fits(&self, value: &Node) -> bool {
        let Some(text) = value.str() else { return false };
        match &self.wanted {
            Wanted::Anything => true,
            Wanted::Text(wanted) => text == *wanted,
            // One that takes too long on a value does not match it.
            Wanted::Match(regex) => regex.is_match(text).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_a_key_and_perhaps_a_value() {
        let parts = |text| {
            let test: Test<'_> = Test::parse(text).map_err(|e| e.to_string())?;
            let wanted = match test.wanted {
                Wanted::Anything => "there".to_owned(),
                Wanted::Text(t) => format!("={t}"),
                Wanted::Match(r) => format!("~{}", r.as_str()),
            };
            Ok::<_, String>((test.key.to_owned(), wanted))
        };
        assert_eq!(parts("a.b").unwrap(), ("a.b".into(), "there".into()));
        assert_eq!(parts("a.b=c~d=e").unwrap(), ("a.b".into(), "=c~d=e".into()));
        assert_eq!(parts("a.b~^c=d$").unwrap(), ("a.b".into(), "~^c=d$".into()));
        assert!(parts("=x").is_err() && parts("a~(").is_err() && parts("").is_err());
    }
}
