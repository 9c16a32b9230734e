//! The returners of one job: those that its publish names, and for a job of one function those of the option `return`.
//! They come after the return is on its way to the master, so that none of them can lose it.

use brine_core::call::Cx;
use brine_core::{Map, Opts, Value};
use brine_protocol::message::publish::{Functions, PublishLoad};
use brine_returners::{give, names_in};

/// What is to be done with the return, beside giving it to the master.
pub struct Wishes {
    names: Vec<String>,
    /// `ret_config` and `ret_kwargs`.
    options: Map,
}

impl Wishes {
    /// What a job and the minion's options ask for.
    pub fn of(publish: &PublishLoad, opts: &Opts) -> Self {
        let mut names = names_in(&publish.returners().collect());
        if let (Functions::One(_), Some(more)) = (&publish.fun, opts.get("return")) {
            names.extend(names_in(more));
            names = names_in(&Value::from(names));
        }
        let of_job = |key: &str| Some((key.to_owned(), publish.raw.get(key)?.clone()));
        let options = ["ret_config", "ret_kwargs"].into_iter().filter_map(of_job).collect();
        Self { names, options }
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Gives a return (without `cmd` and `id`) to them; they look for their options in `cx`.
    pub fn give(self, cx: &Cx, mut ret: Map) {
        ret.update(self.options);
        ret.insert("id", cx.opts.str("id"));
        give(cx, &self.names, &ret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::{Registry, map};
    use std::sync::Arc;

    fn publish(fun: Value, ret: &str) -> PublishLoad {
        PublishLoad::parse(map! {
            "fun" => fun, "arg" => Value::List(vec![]), "tgt" => "*", "jid" => "20261125120000000001", "ret" => ret,
            "ret_config" => "other",
        })
        .unwrap()
    }

    #[test]
    fn the_job_and_the_option_name_returners_each_once() {
        let opts = Opts::new(map! {"return" => "syslog,local"});
        let names = |fun: Value, ret: &str| Wishes::of(&publish(fun, ret), &opts).names;
        assert_eq!(names("test.ping".into(), "redis,local,redis"), ["redis", "local", "syslog"]);
        assert_eq!(names(vec!["a.b", "c.d"].into(), "redis"), ["redis"]);
        assert!(Wishes::of(&publish("a.b".into(), ""), &Opts::default()).is_empty());
    }

    #[test]
    fn a_returner_gets_the_return_with_its_options_and_the_id() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("out");
        let opts = map! {"id" => "m1", "other.rawfile_json.filename" => file.to_string_lossy().into_owned()};
        let cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::default()), Arc::new(NoHost));
        let wishes = Wishes::of(&publish("test.ping".into(), "nobody,mongo,rawfile_json"), &cx.opts);
        wishes.give(&cx, map! {"return" => true, "jid" => "1"});
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!(text, "{\"return\": true, \"jid\": \"1\", \"ret_config\": \"other\", \"id\": \"m1\"}\n");
    }
}
