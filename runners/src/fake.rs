//! A master for tests: minions whose answers are written down, and a record of all that a runner asked for.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use brine_core::call::{Args, Cx, JobContext, Result};
use brine_core::{Map, Opts, Value, map};
use brine_protocol::ids::MinionId;
use brine_store::KeyState;
use parking_lot::Mutex;

use crate::host::{Execution, MasterHost};
use crate::run::Kind;
use crate::side::{Link, Published, Side};

/// What happened.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) fired: Vec<(String, Map)>,
    pub(crate) printed: Vec<String>,
    pub(crate) published: Vec<Map>,
    pub(crate) gone: Vec<String>,
    pub(crate) rotated: usize,
    pub(crate) logins: Vec<Map>,
}

/// The master.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    /// Function to the returns of the minions that are meant; `Nil` is a minion that stays silent.
    pub(crate) answers: BTreeMap<String, Map>,
    /// Events on the bus.
    pub(crate) events: Vec<(String, Map)>,
    pub(crate) connected: Map,
    pub(crate) own_process: bool,
    pub(crate) record: Arc<Mutex<Record>>,
}

impl Fake {
    pub(crate) fn answering(mut self, fun: &str, returns: Map) -> Self {
        self.answers.insert(fun.into(), returns);
        self
    }

    /// A call's surroundings on a master whose files are below `dir`.
    pub(crate) fn cx(&self, kind: Kind, dir: &Path, more: Map) -> Cx {
        let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
        let mut opts = map! {
            "pki_dir" => path("pki"), "cachedir" => path("cache"), "sqlite_queue_dir" => path("queues"),
            "conf_file" => path("master"), "config_dir" => dir.to_string_lossy().into_owned(),
            "default_include" => "master.d/*.conf", "timeout" => 0.01, "gather_job_timeout" => 0.01,
            "id" => "test_master", "hash_type" => "sha256", "minion_data_cache" => true, "cache" => "localfs",
            "master_job_cache" => "local_cache", "ext_job_cache" => "", "rotate_aes_key" => true,
        };
        opts.update(more);
        let opts = Arc::new(Opts::new(opts));
        for state in KeyState::ALL {
            std::fs::create_dir_all(dir.join("pki").join(state.dir_name())).unwrap();
        }
        let host = MasterHost::with_execution(&opts, Box::new(self.clone()), Execution::default());
        let mut cx = Cx::new(opts, Arc::new(kind.registry()), host);
        cx.job = Arc::new(JobContext::new(map! {"jid" => "1", "user" => "root", "tag" => kind.tag("1")}));
        cx
    }
}

/// Calls a function.
pub(crate) fn call(cx: &Cx, fun: &str, args: Args) -> Result {
    cx.call(fun, args)
}

struct FakeLink {
    fake: Fake,
    queue: VecDeque<(String, Map)>,
}

impl Link for FakeLink {
    fn publish(&mut self, load: Map) -> Result<Option<Published>> {
        let fun = load.get_str("fun").unwrap_or_default().to_owned();
        self.fake.record.lock().published.push(load);
        let Some(returns) = self.fake.answers.get(&fun) else { return Ok(None) };
        let mut minions = Vec::new();
        for (id, value) in returns {
            let id = id.as_str().unwrap_or_default();
            minions.push(id.to_owned());
            if !value.is_nil() {
                let data = map! {"id" => id, "return" => value.clone(), "retcode" => 0, "success" => true};
                self.queue.push_back((format!("salt/job/7/ret/{id}"), data));
            }
        }
        Ok(Some(Published { jid: "7".into(), minions, not_connected: Vec::new() }))
    }

    fn next(&mut self, _: Instant) -> Result<Option<(String, Map)>> {
        Ok(self.queue.pop_front())
    }
}

impl Side for Fake {
    fn link(&self) -> Result<Box<dyn Link>> {
        Ok(Box::new(FakeLink { fake: self.clone(), queue: self.events.iter().cloned().collect() }))
    }

    fn job(&self, order: &Map) -> Result<Map> {
        self.record.lock().published.push(order.clone());
        let fun = order.get_str("fun").unwrap_or_default();
        let returns = self.answers.get(fun).cloned().unwrap_or_default();
        Ok(returns
            .into_iter()
            .map(|(id, ret)| (id, Value::from(map! {"ret" => ret, "jid" => "7", "out" => "highstate"})))
            .collect())
    }

    fn fire(&self, tag: &str, data: Map) -> Result<()> {
        self.record.lock().fired.push((tag.into(), data));
        Ok(())
    }

    fn connected(&self) -> Result<Map> {
        Ok(self.connected.clone())
    }

    fn key_gone(&self, _: KeyState, id: &MinionId) {
        self.record.lock().gone.push(id.as_str().into());
    }

    fn rotate(&self) {
        self.record.lock().rotated += 1;
    }

    fn make_token(&self, load: Map) -> Result<Value> {
        self.record.lock().logins.push(load);
        Ok(map! {"token" => "t"}.into())
    }

    fn print(&self, line: &str) {
        self.record.lock().printed.push(line.into());
    }

    fn is_callers_process(&self) -> bool {
        self.own_process
    }
}

/// A list of texts.
pub(crate) fn list<const N: usize>(items: [&str; N]) -> Value {
    items.into_iter().collect()
}
