//! A returner under test beside stock's module of it: what both are given, and how their work is compared. No tests.

use super::common::Stock;
use brine_core::call::Cx;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Registry, Value, map};
use brine_returners::{Returner, find, json};
use std::sync::Arc;

pub(crate) const JIDS: [&str; 3] = ["20261125120000000001", "20261125120000000002", "20261125120000000003"];

pub(crate) fn cx(opts: &Map) -> Cx {
    Cx::new(Arc::new(Opts::new(opts.clone())), Arc::new(Registry::default()), Arc::new(NoHost))
}

pub(crate) fn ret(jid: &str, id: &str, fun: &str, value: impl Into<Value>) -> Map {
    map! {
        "success" => true, "return" => value.into(), "retcode" => 0, "jid" => jid, "fun" => fun,
        "fun_args" => vec![Value::from("ä\"\n\\'%s"), 1.into(), map! {"__kwarg__" => true, "k" => Value::Nil}.into()],
        "user" => "root", "id" => id,
    }
}

fn load(jid: &str, fun: &str) -> Map {
    map! {
        "jid" => jid, "fun" => fun, "arg" => vec![Value::from("x"), 1.into()], "tgt" => "*", "tgt_type" => "glob",
        "user" => "sudo_fred", "ret" => "", "metadata" => map! {"t" => "ü"},
    }
}

/// One of the two that are compared.
pub(crate) enum Side<'a> {
    Stock(&'a mut Stock),
    Ours,
}

/// A returner under test: its name for us, stock's module, and its options.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) opts: Map,
}

impl Subject {
    pub(crate) fn ours(&self) -> &'static Returner {
        find(&Opts::default(), self.name, "").unwrap()
    }

    pub(crate) fn ask(&self, stock: &mut Stock, fun: &str, args: Vec<Value>) -> Value {
        let question =
            map! {"module" => self.module, "fun" => fun, "args" => args, "opts" => self.opts.clone()};
        let answer = stock.ask(&[question]).remove(0);
        answer.get("result").unwrap_or_else(|| panic!("{} {fun}: {answer:?}", self.module)).clone()
    }

    /// Jobs, returns and events, by one side.
    pub(crate) fn write(&self, side: &mut Side<'_>) {
        let loads = [
            (JIDS[0], load(JIDS[0], "test.echo")),
            (JIDS[1], load(JIDS[1], "saltutil.find_job")),
            (JIDS[1], load(JIDS[1], "saltutil.find_job")),
            (JIDS[2], load(JIDS[2], "test.echo")),
        ];
        let mut plain =
            ret(JIDS[1], "m1", "test.echo", map! {"a" => vec![Value::from(1.5), true.into(), "€".into()]});
        plain.remove("success");
        let rets = [
            ret(JIDS[0], "m1", "test.echo", "text"),
            ret(JIDS[0], "m2", "test.echo", Value::Nil),
            plain,
            ret(JIDS[2], "m2", "test.ping", true),
        ];
        let events: Vec<Value> = vec![
            map! {"tag" => "salt/job/1/ret/m1", "data" => map! {"id" => "m1", "ö" => 1}}.into(),
            map! {"tag" => "salt/auth"}.into(),
        ];
        let (ours, cx) = (self.ours(), cx(&self.opts));
        for (jid, load) in loads {
            match side {
                Side::Stock(stock) => drop(self.ask(stock, "save_load", vec![jid.into(), load.into()])),
                Side::Ours => ours.save_load.unwrap()(&cx, jid, &load, None).unwrap(),
            }
        }
        for ret in rets {
            match side {
                Side::Stock(stock) => drop(self.ask(stock, "returner", vec![ret.into()])),
                Side::Ours => ours.returner.unwrap()(&cx, &ret).unwrap(),
            }
        }
        if let Some(event_return) = ours.event_return {
            match side {
                Side::Stock(stock) => drop(self.ask(stock, "event_return", vec![events.into()])),
                Side::Ours => event_return(&cx, &events).unwrap(),
            }
        }
    }

    /// What we read, which is what stock reads.
    fn read(&self, stock: &mut Stock) -> Map {
        let (ours, cx) = (self.ours(), cx(&self.opts));
        let mut out = Map::new();
        for jid in [JIDS[0], JIDS[1], "none"] {
            out.insert(format!("get_load {jid}"), ours.get_load.unwrap()(&cx, jid).unwrap());
            out.insert(format!("get_jid {jid}"), ours.get_jid.unwrap()(&cx, jid).unwrap());
        }
        for fun in ["test.echo", "none"] {
            out.insert(format!("get_fun {fun}"), ours.get_fun.unwrap()(&cx, fun).unwrap());
        }
        out.insert("get_jids", ours.get_jids.unwrap()(&cx).unwrap());
        out.insert("get_minions", sorted(ours.get_minions.unwrap()(&cx).unwrap().into()));
        for (question, answer) in &out {
            let mut words = question.as_str().unwrap().split(' ');
            let fun = words.next().unwrap();
            if (self.name, fun) == ("postgres", "get_fun") {
                // Stock's statement has quotes of MySQL there, and fails.
                continue;
            }
            let want = self.ask(stock, fun, words.map(Value::from).collect());
            assert_eq!(*answer, sorted(want), "{} {question:?}", self.name);
        }
        out
    }

    /// Both write, and leave the same; both read the same of either.
    pub(crate) fn compare(&self, stock: &mut Stock, empty: impl Fn(), dump: impl Fn() -> String) {
        let mut seen = Vec::new();
        for ours in [false, true] {
            empty();
            self.write(&mut if ours { Side::Ours } else { Side::Stock(stock) });
            seen.push((dump(), self.read(stock)));
        }
        assert!(seen[0].0.contains("m1") && seen[0].0.lines().count() > 5, "{}", seen[0].0);
        assert_eq!(seen[0].0, seen[1].0, "{}", self.name);
        assert_eq!(seen[0].1, seen[1].1, "{}", self.name);
        assert_eq!(seen[0].1.get("get_minions"), Some(&vec!["m1", "m2"].into()));
        let jid = seen[0].1.get(&format!("get_jid {}", JIDS[0])).unwrap();
        assert_eq!(jid.get("m1").unwrap().get("return"), Some(&"text".into()));
    }

    /// Both remove the same of what is old, and put it into the archive where they are told to.
    pub(crate) fn compare_cleaning(
        &self,
        stock: &mut Stock,
        age: impl Fn(),
        empty: impl Fn(),
        dump: impl Fn() -> String,
    ) {
        for archive in [false, true] {
            let mut opts = self.opts.clone();
            opts.update(map! {"keep_jobs_seconds" => 3600, "archive_jobs" => archive});
            let subject = Subject { opts, ..*self };
            let mut seen = Vec::new();
            for ours in [false, true] {
                empty();
                subject.write(&mut Side::Ours);
                age();
                let before = dump();
                if ours {
                    subject.ours().clean_old_jobs.unwrap()(&cx(&subject.opts)).unwrap();
                } else {
                    subject.ask(stock, "clean_old_jobs", Vec::new());
                }
                assert_ne!(before, dump());
                seen.push(dump());
            }
            assert_eq!(seen[0], seen[1], "{} {archive}", self.name);
        }
        // Nothing is too old for ever.
        let mut opts = self.opts.clone();
        opts.insert("keep_jobs_seconds", 0);
        let before = dump();
        self.ours().clean_old_jobs.unwrap()(&cx(&opts)).unwrap();
        assert_eq!(before, dump());
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::List(mut list) => {
            list.sort_by_key(|one| json(one).unwrap());
            list.into()
        }
        other => other,
    }
}
