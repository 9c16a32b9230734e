//! States of single rules, and of lists of them.

use super::{changed, file, needed, save};
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, is_internal};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// What a state does with a rule.
#[derive(Clone, Copy, PartialEq)]
enum Deed {
    Append,
    Insert,
    Delete,
}

/// One rule, as text and as the command that sets it.
struct Rule {
    name: Value,
    table: Value,
    family: Value,
    chain: Value,
    words: Map,
    text: Value,
    command: String,
}

impl Rule {
    fn new(cx: &Cx, deed: Deed, name: Value, table: Value, family: Value, mut words: Map) -> Result<Self> {
        words.remove("__agg__");
        words.retain(|key, _| !is_internal(key.as_str().unwrap_or_default()));
        words.insert("name", name.clone());
        words.insert("table", table.clone());
        let build = |more: &[(&str, &str)]| {
            let mut keyword = words.clone();
            keyword.insert("family", family.clone());
            for (key, value) in more {
                keyword.insert(*key, *value);
            }
            cx.call("iptables.build_rule", Args { positional: Vec::new(), keyword })
        };
        let letter = match deed {
            Deed::Append => "A",
            Deed::Insert => "I",
            Deed::Delete => "D",
        };
        let text = build(&[])?;
        let command = python_str(&build(&[("full", "True"), ("command", letter)])?).trim().to_owned();
        let chain = needed(&words, "chain")?;
        Ok(Self { name, table, family, chain, words, text, command })
    }

    fn is_there(&self, cx: &Cx) -> Result<bool> {
        let words = [self.table.clone(), self.chain.clone(), self.text.clone(), self.family.clone()];
        Ok(cx.call("iptables.check", Args::positional(words))? == Value::Bool(true))
    }

    /// Whether the file keeps the rules that are in force.
    fn is_kept(&self, cx: &Cx, file: &Value) -> Result<bool> {
        let rules = |all: &Value| -> Vec<Value> {
            let tables = all.as_map().into_iter().flat_map(Map::values);
            let chains = tables.flat_map(|table| table.as_map().into_iter().flat_map(Map::values));
            chains.map(|chain| chain.get("rules").cloned().unwrap_or_default()).collect()
        };
        let family = || Args::none().with("family", self.family.clone());
        let kept = cx.call("iptables.get_saved_rules", family().with("conf_file", file.clone()))?;
        let now = cx.call("iptables.get_rules", family())?;
        Ok(rules(&kept) == rules(&now))
    }

    fn ok(&self, said: String) -> Outcome {
        Outcome::ok(self.name.clone(), said)
    }

    /// Done; and kept in a file, if that is wished.
    fn done(&self, cx: &Cx, plain: String, kept: &str) -> Result<Outcome> {
        let said = match file(&self.words) {
            Some(file) => {
                let out = python_str(&save(cx, file, &self.family)?);
                let (name, family) = (python_str(&self.name), python_str(&self.family));
                format!("{kept} iptables rule {name} for {family}\n{}\n{out}", self.command)
            }
            None => plain,
        };
        Ok(self.ok(said).with_changes(changed(&self.name)))
    }
}

/// Each rule of a list, one after another.
fn each(cx: &Cx, deed: Deed, name: Value, family: &Value, rules: Vec<Value>) -> Result<Outcome> {
    let mut outcome = Outcome::would(name, "");
    let (mut changes, mut said, mut keep) = (Vec::new(), Vec::new(), None);
    for rule in rules {
        let Value::Map(mut words) = rule else { continue };
        words.remove("rules");
        if let Some(file) = file(&words) {
            keep = Some(file);
            words.insert("save", false);
        }
        let name = words.remove("name").unwrap_or_default();
        let table = words.remove("table").unwrap_or_else(|| "filter".into());
        let own_family = words.remove("family").unwrap_or_else(|| "ipv4".into());
        let one = one(cx, deed, name, table, own_family, words)?;
        changes.extend(one.changes.get("locale").cloned());
        said.push(python_str(&one.comment));
        outcome.result = one.result;
    }
    if let Some(file) = keep {
        save(cx, file, family)?;
    }
    if !changes.is_empty() {
        outcome.changes.insert("locale", changes);
    }
    outcome.comment = said.join("\n").into();
    Ok(outcome)
}

fn one(cx: &Cx, deed: Deed, name: Value, table: Value, family: Value, mut words: Map) -> Result<Outcome> {
    if let Some(Value::List(rules)) = words.remove("rules") {
        return each(cx, deed, name, &family, rules);
    }
    let rule = Rule::new(cx, deed, name, table, family, words)?;
    if deed == Deed::Delete { gone(cx, &rule) } else { there(cx, deed, &rule) }
}

/// The rule is there.
fn there(cx: &Cx, deed: Deed, rule: &Rule) -> Result<Outcome> {
    let [name, family] = [&rule.name, &rule.family].map(python_str);
    let command = &rule.command;
    // The two states put their words in different orders.
    let about = |what: &str| match deed {
        Deed::Append => format!("iptables rule for {name} {what} ({command}) for {family}"),
        _ => format!("iptables rule for {name} {what} for {family} ({command})"),
    };
    if rule.is_there(cx)? {
        let mut said = about("already set");
        if let Some(file) = file(&rule.words)
            && !rule.is_kept(cx, &file)?
        {
            let out = python_str(&save(cx, file, &rule.family)?);
            said += &format!("\nSaved iptables rule {name} for {family}\n{command}\n{out}");
        }
        return Ok(rule.ok(said));
    }
    if cx.test {
        return Ok(Outcome::would(rule.name.clone(), about("needs to be set")));
    }
    let (table, chain) = (rule.table.clone(), rule.chain.clone());
    let set = if deed == Deed::Append {
        let words = [table, chain, rule.text.clone(), rule.family.clone()];
        cx.call("iptables.append", Args::positional(words))?.truthy()
    } else {
        let words = [table, chain, needed(&rule.words, "position")?, rule.text.clone(), rule.family.clone()];
        !cx.call("iptables.insert", Args::positional(words))?.truthy()
    };
    if set {
        return rule.done(cx, format!("Set iptables rule for {name} to: {command} for {family}"), "Set and saved");
    }
    let end = if deed == Deed::Append { format!(" for {family}") } else { String::new() };
    let said = format!("Failed to set iptables rule for {name}.\nAttempted rule was {command}{end}");
    Ok(Outcome::failed(rule.name.clone(), said))
}

/// The rule is not there.
fn gone(cx: &Cx, rule: &Rule) -> Result<Outcome> {
    let [name, family] = [&rule.name, &rule.family].map(python_str);
    let command = &rule.command;
    let position = rule.words.get("position").cloned();
    if !rule.is_there(cx)? && position.is_none() {
        return Ok(rule.ok(format!("iptables rule for {name} already absent for {family} ({command})")));
    }
    if cx.test {
        let said = format!("iptables rule for {name} needs to be deleted for {family} ({command})");
        return Ok(Outcome::would(rule.name.clone(), said));
    }
    let args = Args::positional([rule.table.clone(), rule.chain.clone()]).with("family", rule.family.clone());
    let args = match position {
        Some(position) => args.with("position", position),
        None => args.with("rule", rule.text.clone()),
    };
    if cx.call("iptables.delete", args)?.truthy() {
        let said = format!("Failed to delete iptables rule for {name}.\nAttempted rule was {command}");
        return Ok(Outcome::failed(rule.name.clone(), said));
    }
    rule.done(cx, format!("Delete iptables rule for {name} {command}"), "Deleted and saved")
}

/// A chain has this rule; if it has not, the rule comes at its end.
///
/// name: anything; table; family: `ipv4` or `ipv6`; chain; save: keep the rules in the machine's file, or in another; rules: a list
/// of rules instead; all others: as of `iptables.build_rule`
#[exec]
pub(super) fn append(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    one(cx, Deed::Append, name, table, family, kwargs.0)
}

/// A chain has this rule; if it has not, the rule comes at a place.
///
/// position: the place; all others: as of `append`
#[exec]
pub(super) fn insert(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    one(cx, Deed::Insert, name, table, family, kwargs.0)
}

/// A chain does not have this rule.
///
/// position: its place, instead of what it says; all others: as of `append`
#[exec]
pub(super) fn delete(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    one(cx, Deed::Delete, name, table, family, kwargs.0)
}
