//! Random data in the shapes that single outputters are made for: tables, lists of keys, stages, virtual machines.

use super::random::Random;
use brine_protocol::{Map, Value, map};

impl Random {
    /// Lists of rows at some depth, with labels beside them.
    pub(crate) fn table(&mut self) -> Value {
        match self.below(8) {
            0 => self.value(2),
            1 => map! {"comment" => "", "result" => true, "out" => self.rows()}.into(),
            2 | 3 => {
                let labels: Value = match self.below(4) {
                    0 => map! {"b" => "Beta", "a" => "Alpha"}.into(),
                    1 => "ab".into(),
                    2 => Value::List(Vec::new()),
                    _ => ["One", "Two", "Three"].into_iter().collect(),
                };
                map! {"rows" => self.rows(), "labels" => labels}.into()
            }
            4 => map! {"deep" => map!{"rows" => self.rows()}}.into(),
            _ => self.rows(),
        }
    }

    fn rows(&mut self) -> Value {
        let columns = 1 + self.below(4);
        let kind = self.below(8);
        (0..self.below(5))
            .map(|_| match kind {
                0 => self.words(12).into(),
                1..=4 => {
                    let mut row = Map::new();
                    for i in 0..columns {
                        row.insert(format!("{}{i}", ["column_", "mac", "is_it-"][i % 3]), self.leaf());
                    }
                    row.into()
                }
                5 => self.leaf(),
                _ => (0..columns).map(|_| self.cell()).collect(),
            })
            .collect()
    }

    fn cell(&mut self) -> Value {
        if self.one_in(40) {
            self.leaf()
        } else if self.one_in(2) {
            self.words(14).into()
        } else {
            self.text().into()
        }
    }

    /// What `salt-key` lists.
    pub(crate) fn keys(&mut self) -> Value {
        let mut out = Map::new();
        for state in ["minions", "minions_pre", "minions_denied", "minions_rejected", "local", "unknown"] {
            if self.one_in(if state == "unknown" { 30 } else { 2 }) {
                let keys = match self.below(12) {
                    0 => self.leaf(),
                    1..=4 => (0..self.below(4)).map(|_| (self.text(), "ab:cd:ef")).collect::<Map>().into(),
                    5 => (0..self.below(3)).map(|_| self.leaf()).collect(),
                    _ => (0..self.below(5)).map(|_| self.text()).collect(),
                };
                out.insert(state, keys);
            }
        }
        out.into()
    }

    /// Stages of an orchestration.
    pub(crate) fn stages(&mut self) -> Value {
        if self.one_in(8) {
            return self.value(3);
        }
        (0..self.below(4))
            .map(|i| {
                let stage = map! {"match" => vec![Value::from("a"), "b".into()], "require" => self.leaf(), "sls" => self.value(1)};
                map! {format!("group{i}") => stage}
            })
            .collect()
    }

    /// What the runner `virt.query` finds.
    pub(crate) fn machines(&mut self) -> Value {
        let mut machines = Map::new();
        for i in 0..1 + self.below(2) {
            let mut info = map! {"cpu" => 2, "mem" => 2048, "state" => "running"};
            if self.one_in(2) {
                info.insert("graphics", map! {"type" => self.pick(&["vnc", "spice"]), "port" => 5900});
            }
            if self.one_in(2) {
                let disk = map! {"disk size" => "8G", "file" => "/d.qcow2", "file format" => "qcow2"};
                info.insert("disks", map! {"vda" => disk});
            }
            if self.one_in(2) {
                let nic = map! {"source" => map!{"bridge" => "br0"}, "type" => "bridge"};
                info.insert("nics", map! {"aa:bb" => nic});
            }
            if self.one_in(8) {
                let key = self.pick(&["cpu", "graphics", "disks", "nics"]);
                info.insert(key, self.value(1));
            }
            machines.insert(format!("vm{i}"), info);
        }
        let found = map! {"vm_info" => machines};
        let mut out = map! {"data" => map!{"host1" => found.clone()}};
        if !self.one_in(4) {
            out.insert("host1", found);
        }
        out.into()
    }
}
