//! Events held against the operator's own rules.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::Labels;
use crate::config::Rule;
use crate::event::Event;
use crate::signal::{RuleIndex, Signal};
use crate::text::{Runner, Vars};

/// How often the log says that a rule fails.
const COMPLAIN: Duration = Duration::from_secs(60);

/// The rules, on the thread that runs them.
pub struct Rules {
    rules: Vec<(RuleIndex, Rule)>,
    runner: Runner,
    complained: BTreeMap<RuleIndex, Instant>,
}

impl Rules {
    /// Of these rules; the first has the index `first`.
    pub fn new(rules: Vec<Rule>, first: RuleIndex) -> Self {
        let rules = rules.into_iter().enumerate().map(|(n, rule)| (first + n, rule)).collect();
        Self { rules, runner: Runner::new(), complained: BTreeMap::new() }
    }

    /// What they say of an event. `inventory` gives the labels of a minion, and is asked at most once, and only where a rule
    /// wants this tag.
    pub fn event(&mut self, event: &Event, inventory: impl FnOnce(&str) -> Labels) -> Vec<Signal> {
        let wanted = |rule: &Rule| {
            rule.raise.has_tag(&event.tag) || rule.resolve.as_ref().is_some_and(|c| c.has_tag(&event.tag))
        };
        let mut signals = Vec::new();
        let hits: Vec<usize> = (0..self.rules.len()).filter(|n| wanted(&self.rules[*n].1)).collect();
        if hits.is_empty() {
            return signals;
        }
        let minion = event.minion();
        let labels = minion.map(inventory).unwrap_or_default();
        let vars = Vars::new(&event.tag, &event.data, minion, &labels);
        for n in hits {
            let (index, rule) = &self.rules[n];
            match apply(&self.runner, *index, rule, event, &vars) {
                Ok(signal) => signals.extend(signal),
                Err(why) => {
                    let (index, name) = (*index, rule.settings.name.clone());
                    self.complain(index, &name, &event.tag, &why);
                }
            }
        }
        signals
    }

    fn complain(&mut self, index: RuleIndex, name: &str, tag: &str, why: &str) {
        if self.complained.get(&index).is_some_and(|at| at.elapsed() < COMPLAIN) {
            return;
        }
        self.complained.insert(index, Instant::now());
        tracing::error!("the rule {name} of alerts fails on {tag}: {why}");
    }
}

fn apply(
    runner: &Runner,
    index: RuleIndex,
    rule: &Rule,
    event: &Event,
    vars: &Vars,
) -> Result<Option<Signal>, String> {
    let holds = |condition: &crate::config::Condition| -> Result<bool, String> {
        if !condition.has_tag(&event.tag) {
            return Ok(false);
        }
        condition.when.as_ref().map_or(Ok(true), |when| runner.holds(when, vars))
    };
    let mut signal = if holds(&rule.raise)? {
        Signal::on(index)
    } else if rule.resolve.as_ref().map_or(Ok(false), holds)? {
        Signal::off(index)
    } else {
        return Ok(None);
    };
    if let Some(minion) = event.minion() {
        signal = signal.about(minion);
    }
    for (name, text) in &rule.labels {
        let value = runner.text(text, vars).map_err(|why| format!("label {name}: {why}"))?;
        signal = signal.label(name, value);
    }
    if signal.on {
        for (name, text) in &rule.annotations {
            // An alert without a good text is better than none.
            let value = runner.text(text, vars).unwrap_or_else(|why| format!("({why})"));
            signal = signal.note(name, &value);
        }
    }
    Ok(Some(signal.of(event.identity())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Map, Value, map};
    use std::time::SystemTime;

    fn rules(conf: Map) -> Rules {
        Rules::new(vec![Rule::read(&Value::Map(conf), "alerts:rules:0").unwrap()], 3)
    }

    fn event(tag: &str, data: Map) -> Event {
        Event { tag: tag.into(), data, at: SystemTime::UNIX_EPOCH }
    }

    #[test]
    fn a_rule_raises_and_resolves_by_tag_and_data() {
        let mut rules = rules(map! {
            "alert" => "BackupFailed", "tag" => "salt/job/*/ret/*",
            "when" => "data.fun == 'backup.run' and data.retcode != 0",
            "resolve" => map! {"tag" => "salt/job/*/ret/*", "when" => "data.fun == 'backup.run'"},
            "labels" => map! {"target" => "{{ data['return'].target }}", "team" => "ops"},
            "summary" => "Backup of {{ minion }} in {{ labels.site }} failed",
        });
        let mut take = |tag: &str, data: Map| {
            rules.event(&event(tag, data), |minion| {
                assert_eq!(minion, "m1");
                Labels::from([("site".to_owned(), "akl".to_owned())])
            })
        };
        let data =
            |code: i64| map! {"fun" => "backup.run", "retcode" => code, "return" => map! {"target" => "db"}};
        let raised = take("salt/job/1/ret/m1", data(1));
        assert_eq!(raised.len(), 1);
        assert!(raised[0].on && raised[0].rule == 3 && raised[0].event.as_deref() == Some("1/m1"));
        assert_eq!(raised[0].annotations["summary"], "Backup of m1 in akl failed");
        assert_eq!((raised[0].labels["target"].as_str(), raised[0].labels["team"].as_str()), ("db", "ops"));
        let resolved = take("salt/job/2/ret/m1", data(0));
        assert!(!resolved[0].on && resolved[0].labels == raised[0].labels);
        assert!(take("salt/job/2/ret/m1", map! {"fun" => "test.ping", "retcode" => 1}).is_empty());
    }

    #[test]
    fn a_rule_that_is_wrong_is_refused_by_its_key() {
        let rule = |change: &dyn Fn(&mut Map)| {
            let mut conf = map! {"alert" => "A", "tag" => "x/*", "resolve_after" => "1h"};
            change(&mut conf);
            Rule::read(&Value::Map(conf), "alerts:rules:0").map_err(|e| e.at)
        };
        assert!(rule(&|_| {}).is_ok());
        let at = |key: &str, value: Value| rule(&|c| drop(c.insert(key, value.clone()))).unwrap_err();
        assert_eq!(at("whn", "x".into()), "alerts:rules:0:whn");
        assert_eq!(at("when", "a b".into()), "alerts:rules:0:when");
        assert_eq!(at("alert", "a b".into()), "alerts:rules:0:alert");
        assert_eq!(at("for", "soon".into()), "alerts:rules:0:for");
        assert_eq!(at("labels", map! {"alertname" => "x"}.into()), "alerts:rules:0:labels:alertname");
        assert_eq!(at("labels", map! {"a-b" => "x"}.into()), "alerts:rules:0:labels:a-b");
        assert_eq!(at("summary", "{{".into()), "alerts:rules:0:summary");
        assert_eq!(at("resolve", map! {"when" => "x"}.into()), "alerts:rules:0:resolve:tag");
        assert_eq!(at("group", Value::List(vec!["a b".into()])), "alerts:rules:0:group");
        assert_eq!(at("resolve_after", 0.into()), "alerts:rules:0:resolve");
    }
}
