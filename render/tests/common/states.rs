//! Random returns of state runs: as states make them, and here and there as a broken one might.

use super::random::Random;
use brine_protocol::{Map, Value, map};

impl Random {
    /// What a highstate outputter may be given: minions with states, errors or text, or an orchestration; with the
    /// envelopes of runners and the job cache.
    pub(crate) fn highstate(&mut self) -> Value {
        let mut hosts = Map::new();
        for i in 0..1 + self.below(3) {
            let name =
                format!("{}{i}", self.pick(&["minion", "web.example.com-", "\x1b[1mid", "m\u{fc}ller"]));
            hosts.insert(name, self.host(2));
        }
        if self.one_in(8) {
            hosts = map! {"local_master" => self.host(2), "retcode" => i64::from(self.one_in(2))};
        }
        let hosts = Value::Map(hosts);
        match self.below(24) {
            0 => map! {"return" => hosts, "retcode" => 0, "success" => true}.into(),
            1 => map! {"data" => hosts, "outputter" => "highstate", "retcode" => 0}.into(),
            2 => map! {"return" => map!{"data" => hosts}}.into(),
            3 => {
                map! {"m" => map!{"jid" => "2026", "fun" => "state.apply", "return" => map!{"data" => hosts}}}
                    .into()
            }
            4 => map! {"m" => map!{"jid" => "2026", "fun" => "state.apply", "return" => hosts}}.into(),
            5 => self.value(2),
            _ => hosts,
        }
    }

    /// What one minion returned.
    fn host(&mut self, depth: usize) -> Value {
        match self.below(20) {
            0 => (0..self.below(4)).map(|_| self.text()).collect(),
            1 => self.text().into(),
            2 => self.leaf(),
            3 => (0..self.below(3)).map(|_| self.leaf()).collect(),
            _ => self.states(depth).into(),
        }
    }

    fn states(&mut self, depth: usize) -> Map {
        let mut states = Map::new();
        for i in 0..self.below(7) {
            let state = self.state(i, depth);
            let module = self.pick(&["file", "pkg", "cmd", "service", "salt", "module", "test"]);
            let function =
                self.pick(&["managed", "run", "installed", "state", "function", "succeed_with_changes"]);
            let id = state.get_str("__id__").unwrap_or("an id").to_owned();
            let name = state.get_str("name").unwrap_or("a name").to_owned();
            let mut key = format!("{module}_|-{id}_|-{name}_|-{function}");
            if self.one_in(60) {
                key = self.text();
            }
            states.insert(key, state);
        }
        if self.one_in(60) {
            states.insert("changes", self.map(2, 1));
        }
        if self.one_in(60) {
            states.insert(self.text(), self.value(1));
        }
        states
    }

    fn state(&mut self, number: usize, depth: usize) -> Map {
        let result = match self.below(20) {
            0..=9 => Value::Bool(true),
            10..=13 => false.into(),
            14..=18 => Value::Nil,
            _ => self.leaf(),
        };
        let id = self.pick(&["motd", "nginx", "install nginx", "/etc/motd", "b\u{e4}r"]).to_owned();
        let name = if self.one_in(2) { id.clone() } else { self.text() };
        let mut state = map! {
            "name" => name,
            "result" => result,
            "comment" => self.comment(),
            "changes" => self.changes(depth),
            "__id__" => id,
            "__sls__" => self.pick(&["core", "web.nginx"]),
            "__run_num__" => i64::try_from(if self.one_in(3) { self.below(9) } else { number }).unwrap(),
            "start_time" => format!("10:0{}:{:02}.{:06}", self.below(10), self.below(60), self.below(1_000_000)),
            "duration" => self.duration(),
        };
        if self.one_in(5) {
            state.insert("warnings", (0..1 + self.below(3)).map(|_| self.warning()).collect::<Value>());
        }
        if self.one_in(6) {
            state.insert("pchanges", self.map(2, 1));
        }
        if self.one_in(10) {
            state.insert("__parallel__", true);
        }
        if self.one_in(12) {
            state.insert("data", self.value(2));
        }
        if depth > 0 && self.one_in(12) {
            let name = self.pick(&["state.orch", "state.orchestrate", "state.sls"]);
            state.insert("name", name);
            let mut run = map! {"master_master" => self.host(depth - 1)};
            if self.one_in(2) {
                run.insert("retcode", 0);
            }
            state.insert("changes", run);
        }
        for key in
            ["start_time", "duration", "__run_num__", "comment", "changes", "result", "warnings", "__id__"]
        {
            if self.one_in(150) {
                state.remove(key);
            } else if self.one_in(300) {
                let odd = self.value(1);
                state.insert(key, odd);
            }
        }
        state
    }

    fn duration(&mut self) -> Value {
        match self.below(12) {
            0 => self.pick(&["12.5 ms", "12.5 ms", "nan", "1_0.5", " inf "]).into(),
            1 => self.below(3000).to_string().into(),
            2 => (self.below(5000) as i64).into(),
            3 if self.one_in(4) => self.text().into(),
            _ => (self.below(4_000_000) as f64 / 1000.0).into(),
        }
    }

    fn warning(&mut self) -> String {
        match self.below(3) {
            0 => self.text(),
            _ => self.words(40),
        }
    }

    fn comment(&mut self) -> Value {
        match self.below(12) {
            0 => (0..self.below(3)).map(|_| self.text()).collect(),
            1 if self.one_in(2) => self.value(1),
            2..=4 => self.text().into(),
            5 => format!("  first line\n{}\n\n", self.words(12)).into(),
            _ => "The file is in the correct state".into(),
        }
    }

    fn changes(&mut self, depth: usize) -> Value {
        match self.below(14) {
            0..=4 => Map::new().into(),
            5 => map! {"diff" => "--- \n+++ \n@@ -1 +1 @@\n-old\n+new\n", "mode" => "0644"}.into(),
            6 => map! {"nginx" => map!{"old" => "", "new" => "1.22"}}.into(),
            7 => map! {"pid" => 12, "retcode" => 0, "stdout" => self.text(), "stderr" => ""}.into(),
            8 if depth > 0 => {
                let mut ret = Map::new();
                for i in 0..self.below(3) {
                    ret.insert(format!("m{i}"), self.host(depth - 1));
                }
                map! {"out" => "highstate", "ret" => ret}.into()
            }
            9 => map! {"ret" => self.value(1), "out" => self.pick(&["", "nested", "highstate"])}.into(),
            10 if self.one_in(3) => self.value(2),
            _ => self.map(3, 2).into(),
        }
    }
}
