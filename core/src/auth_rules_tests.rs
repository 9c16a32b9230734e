//! Rules, and the holes that stock has or had in them.

use super::*;
use crate::target::FleetData;
use brine_protocol::map;

struct Two(Map);

impl Fleet for Two {
    fn accepted(&self) -> Vec<String> {
        vec!["db1".into(), "web1".into()]
    }
    fn cached(&self) -> Vec<String> {
        Vec::new()
    }
    fn data(&self, _: &str) -> Option<FleetData> {
        None
    }
    fn nodegroups(&self) -> &Map {
        &self.0
    }
    fn minion_data_cache(&self) -> bool {
        true
    }
}

fn publish(rules: &[Value], funs: &[(&str, Vec<Value>)], minions: &[&str]) -> bool {
    let calls: Vec<Call<'_>> = funs.iter().map(|(fun, arg)| Call { fun, arg }).collect();
    let minions: Vec<String> = minions.iter().map(|m| (*m).to_owned()).collect();
    authorised(rules, Ask::Publish { calls: &calls, minions: &minions, fleet: &Two(Map::new()) })
}

fn one(rules: &[Value], fun: &str, minions: &[&str]) -> bool {
    publish(rules, &[(fun, vec![])], minions)
}

#[test]
fn nothing_is_allowed_without_a_rule() {
    assert!(!one(&[], "test.ping", &["web1"]));
    assert!(!publish(&[".*".into()], &[], &["web1"]));
    for junk in [Value::Nil, 5.into(), true.into(), Map::new().into(), "[".into(), "".into()] {
        assert!(!one(&[junk], "test.ping", &["web1"]));
    }
    assert!(one(&[], "saltutil.find_job", &["web1"]));
}

#[test]
fn every_function_must_pass() {
    let rules = ["test.ping".into()];
    let ask =
        |funs: &[&str]| publish(&rules, &funs.iter().map(|f| (*f, vec![])).collect::<Vec<_>>(), &["web1"]);
    assert!(ask(&["test.ping"]));
    assert!(ask(&["test.ping", "saltutil.find_job"]));
    assert!(!ask(&["test.ping", "cmd.run"]));
    assert!(!ask(&["saltutil.find_job", "cmd.run"]));
}

#[test]
fn functions_match_as_a_whole() {
    let rules = ["test.ping".into(), "pkg\\..*".into()];
    assert!(!one(&rules, "test.pingx", &["web1"]));
    assert!(!one(&rules, "xtest.ping", &["web1"]));
    assert!(!one(&rules, "test.ping\n", &["web1"]));
    assert!(one(&rules, "pkg.install", &["web1"]));
}

#[test]
fn a_target_bounds_the_minions() {
    let rules = [map! {"web*" => vec!["test.*", "pkg.version"]}.into()];
    assert!(one(&rules, "test.ping", &["web1"]));
    assert!(!one(&rules, "test.ping", &["web1", "db1"]));
    assert!(!one(&rules, "cmd.run", &["web1"]));
    // A job for no minion known here would reach only others, by way of syndics.
    assert!(!one(&rules, "test.ping", &[]));
    let two = [map! {"web*" => ".*", "db*" => ".*"}.into()];
    assert!(!one(&two, "test.ping", &["web1"]));
}

#[test]
fn rules_are_taken_together_only_when_told_to() {
    let together = |rules: &[Value], fun: &str, minions: &[&str]| {
        let calls = [Call { fun, arg: &[] }];
        let minions: Vec<String> = minions.iter().map(|m| (*m).to_owned()).collect();
        authorised_together(rules, &calls, &minions, &Two(Map::new()))
    };
    let rules = [map! {"web*" => "test.*"}.into(), map! {"db*" => vec!["test.ping", "cmd.run"]}.into()];
    assert!(!one(&rules, "test.ping", &["web1", "db1"]) && together(&rules, "test.ping", &["web1", "db1"]));
    assert!(!together(&rules, "cmd.run", &["web1", "db1"]) && together(&rules, "cmd.run", &["db1"]));
    assert!(!together(&rules, "test.ping", &["web1", "other"]) && !together(&rules, "test.ping", &[]));
    assert!(together(&[".*".into()], "cmd.run", &["web1"]) && together(&[], "saltutil.find_job", &["web1"]));
    assert!(!together(&["@runner".into(), map! {"@test" => ".*"}.into()], "test.ping", &["web1"]));
    let both = [Call { fun: "test.ping", arg: &[] }, Call { fun: "cmd.run", arg: &[] }];
    assert!(!authorised_together(&["test.ping".into()], &both, &["web1".into()], &Two(Map::new())));
    assert!(!authorised_together(&[".*".into()], &[], &["web1".into()], &Two(Map::new())));
}

#[test]
fn arguments_are_bounded_too() {
    let conditions =
        map! {"args" => vec![Value::from("ls.*"), Value::Nil], "kwargs" => map! {"cwd" => "/tmp"}};
    let rules = [map! {"*" => Value::List(vec![map! {"cmd.run" => conditions}.into()])}.into()];
    let kw = |pairs: &[(&str, &str)]| {
        let mut marked = map! {"__kwarg__" => true};
        for (k, v) in pairs {
            marked.insert(*k, *v);
        }
        Value::Map(marked)
    };
    let ask = |arg: Vec<Value>| publish(&rules, &[("cmd.run", arg)], &["web1"]);
    assert!(ask(vec!["ls -l".into(), 1.into(), kw(&[("cwd", "/tmp")])]));
    assert!(ask(vec![kw(&[("cwd", "/tmp")]), "ls -l".into(), 1.into()]));
    assert!(!ask(vec!["rm".into(), 1.into(), kw(&[("cwd", "/tmp")])]));
    assert!(!ask(vec!["ls".into(), kw(&[("cwd", "/tmp")])]));
    assert!(!ask(vec!["ls".into(), 1.into()]));
    assert!(!ask(vec!["ls".into(), 1.into(), kw(&[("cwd", "/")])]));
    // The last one counts on the minion.
    assert!(!ask(vec!["ls".into(), 1.into(), kw(&[("cwd", "/tmp")]), kw(&[("cwd", "/")])]));
    assert!(!ask(vec!["ls".into(), 1.into(), kw(&[("cwd", "/tmp")]), "cwd=/".into()]));
    // Text that becomes a keyword argument does not count as the first argument.
    assert!(!ask(vec!["ls=1".into(), "rm".into(), kw(&[("cwd", "/tmp")])]));
}

#[test]
fn runners_and_wheels_need_their_own_rules() {
    let none = Map::new();
    let runner = |rules: &[Value], fun: &str| authorised(rules, Ask::Runner { fun, arg: &[], kwarg: &none });
    let wheel = |rules: &[Value], fun: &str| authorised(rules, Ask::Wheel { fun, arg: &[], kwarg: &none });
    assert!(!runner(&[], "jobs.active"));
    assert!(!runner(&[".*".into()], "jobs.active"));
    assert!(runner(&["@runner".into()], "jobs.active") && runner(&["@runners".into()], "jobs.active"));
    assert!(runner(&["@jobs".into()], "jobs.active"));
    assert!(!wheel(&["@runner".into()], "key.accept"));
    assert!(!runner(&["@runner".into()], "active"));
    assert!(!runner(&["@runner".into()], "a.b.c"));
    let some = [map! {"@runner" => vec!["jobs.list_.*"]}.into()];
    assert!(runner(&some, "jobs.list_jobs") && !runner(&some, "jobs.active"));
    let module = [map! {"@key" => "list.*"}.into()];
    assert!(wheel(&module, "key.list_all") && !wheel(&module, "key.accept"));
    // Rules for the master say nothing about minions.
    assert!(!one(&["@runner".into(), "@test".into()], "@runner", &["web1"]));
}

#[test]
fn rules_are_found_by_name_and_group() {
    let section = map! {
        "fred" => vec!["a"], "adm%" => vec!["b"], "*" => vec!["c"], "dev.*" => vec!["d"], "john.doe" => vec!["e"]
    };
    let of = |user: &str, groups: &[&str], permissive| -> Vec<String> {
        let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
        rules_of(&section, user, &groups, permissive).iter().map(python_str).collect()
    };
    assert_eq!(of("fred", &[], false), ["a"]);
    assert_eq!(of("fred", &["adm"], false), ["a", "b"]);
    assert_eq!(of("eve", &[], false), ["c"]);
    assert_eq!(of("fred", &[], true), ["a", "c"]);
    assert_eq!(of("developer", &[], false), ["d"]);
    assert_eq!(of("john.doe", &[], false), ["e"]);
    // Neither a user who is called like a pattern nor a name with a dot gets more.
    assert_eq!(of("*", &[], false), ["c"]);
    assert_eq!(of("johnxdoe", &[], false), ["c"]);
    assert_eq!(of("adm%", &[], false), ["c"]);
    // The form of stock's own example, and a name with a domain.
    assert!(user_matches("^(?!sudo_).*$", "fred") && !user_matches("^(?!sudo_).*$", "sudo_fred"));
    assert!(user_matches("DOM\\fred", "DOM\\fred") && !user_matches("DOM\\fred", "DOMxfred"));
    // Expressions are held against whole names.
    assert!(!user_matches("^adm", "admin") && !user_matches("dev.*", "xdev"));
}

#[test]
fn the_blacklist_looks_at_every_function() {
    let list = map! {"users" => vec!["evil.*"], "modules" => vec!["cmd.*"]};
    assert!(blacklisted(&list, "evildoer", ["test.ping"]));
    assert!(blacklisted(&list, "fred", ["test.ping", "cmd.run"]));
    assert!(!blacklisted(&list, "fred", ["test.ping"]));
    assert!(!blacklisted(&Map::new(), "fred", ["cmd.run"]));
}

#[test]
fn calls_must_fit_their_arguments() {
    let list = |v: Vec<Value>| Value::List(v);
    assert!(calls(&"a.b".into(), &list(vec![1.into()])).is_some());
    let two = list(vec!["a.b".into(), "c.d".into()]);
    assert_eq!(calls(&two, &list(vec![list(vec![]), list(vec![1.into()])])).unwrap().len(), 2);
    for arg in [list(vec![]), list(vec![list(vec![])]), list(vec![1.into(), 2.into()]), Value::Nil] {
        assert!(calls(&two, &arg).is_none());
    }
    assert!(calls(&list(vec![]), &list(vec![])).is_none());
    assert!(calls(&5.into(), &list(vec![])).is_none());
}
