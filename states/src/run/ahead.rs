//! Files that are asked for ahead: while one file is seen to, the master says what it knows of those that come next.
//!
//! How many are asked for grows as long as nothing changes. What changes something, or may, begins anew: the next file may be one
//! that it changed, on a minion beside its master.

use super::Runner;
use brine_core::{Map, Value};

/// For how many files answers may be on their way.
const MOST: usize = 16;

/// How far a run looks ahead.
#[derive(Default)]
pub(super) struct Ahead {
    /// How many files in a row changed nothing.
    unchanged: usize,
    /// The chunk up to which files were asked for.
    until: usize,
}

/// The source of a file from the tree, and the environment of its chunk.
fn source(low: &Map) -> Option<(&str, &str)> {
    let is_plain = low.get_str("state") == Some("file")
        && low.get_str("fun") == Some("managed")
        && !low.get("parallel").is_some_and(Value::truthy);
    let source = low.get_str("source").filter(|source| is_plain && source.starts_with("salt://"))?;
    Some((source, low.get_str("saltenv").or_else(|| low.get_str("__env__")).unwrap_or("base")))
}

impl Runner {
    /// Before a chunk is run: asks for its file, and for those after it.
    pub(super) fn ask_ahead(&mut self, at: Option<usize>) {
        let Some(at) = at.filter(|at| self.chunks.get(*at).is_some_and(|low| source(low).is_some())) else {
            self.look_at_nothing();
            return;
        };
        let end = self.chunks.len().min(at + 1 + self.ahead.unchanged.min(MOST));
        let mut next = self.ahead.until.clamp(at, end);
        let files = self.cx.host.files();
        while next < end
            && let Some((path, saltenv)) = source(&self.chunks[next])
        {
            files.expect(path, saltenv);
            next += 1;
        }
        self.ahead.until = next;
    }

    /// After it was run.
    pub(super) fn note_ahead(&mut self, ret: &Map) {
        let changed = !matches!(ret.get("changes"), Some(Value::Map(changes)) if changes.is_empty());
        if changed && !self.cx.test {
            self.look_at_nothing();
        } else {
            self.ahead.unchanged += 1;
        }
    }

    fn look_at_nothing(&mut self) {
        if self.ahead.until > 0 {
            self.cx.host.files().expect_nothing();
        }
        self.ahead = Ahead::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::{Cx, Result};
    use brine_core::files::{Files, Listing};
    use brine_core::host::{Host, NoHost, Refresh};
    use brine_core::{Opts, map};
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// What was expected of the tree.
    #[derive(Default)]
    struct Tree(Mutex<Vec<String>>);

    impl Files for Tree {
        fn cache_file(&self, _: &str, _: &str) -> Result<Option<PathBuf>> {
            Ok(None)
        }
        fn list(&self, _: &str, _: Listing) -> Result<Vec<String>> {
            Ok(Vec::new())
        }
        fn envs(&self) -> Result<Vec<String>> {
            Ok(Vec::new())
        }
        fn expect(&self, path: &str, saltenv: &str) {
            self.0.lock().unwrap().push(format!("{saltenv} {path}"));
        }
        fn expect_nothing(&self) {
            self.0.lock().unwrap().push("nothing".into());
        }
    }

    struct Around(Arc<Tree>);

    impl Host for Around {
        fn files(&self) -> Arc<dyn Files> {
            self.0.clone()
        }
        fn master_request(&self, load: Map, timeout: Duration) -> Result<Value> {
            NoHost.master_request(load, timeout)
        }
        fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
            NoHost.fire_local(tag, data)
        }
        fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
            NoHost.refresh(what, wait)
        }
        fn compile_pillar(&self, a: Option<&str>, b: Option<&str>, over: Option<Map>) -> Result<Map> {
            NoHost.compile_pillar(a, b, over)
        }
        fn running(&self) -> Vec<Map> {
            NoHost.running()
        }
        fn signal_job(&self, jid: &str, signal: i32) -> Value {
            NoHost.signal_job(jid, signal)
        }
        fn master(&self) -> Option<String> {
            None
        }
    }

    #[test]
    fn files_are_asked_for_ahead_until_something_changes() {
        let tree = Arc::new(Tree::default());
        let cx = Cx::new(Arc::new(Opts::default()), Arc::default(), Arc::new(Around(tree.clone())));
        let mut runner = Runner::new(&cx);
        let file = |n: usize| {
            Arc::new(map! {
                "state" => "file", "fun" => "managed", "source" => format!("salt://{n}"), "__env__" => "base",
            })
        };
        let mut chunks: Vec<Arc<Map>> = (0..6).map(file).collect();
        chunks[4] = Arc::new(map! {"state" => "cmd", "fun" => "run"});
        runner.chunks = Arc::new(chunks);
        let same = map! {"changes" => Map::new()};
        let other = map! {"changes" => map! {"diff" => "New file"}};
        let mut step = |at: usize, ret: &Map| {
            runner.ask_ahead(Some(at));
            runner.note_ahead(ret);
            std::mem::take(&mut *tree.0.lock().unwrap()).join(", ")
        };
        assert_eq!(step(0, &same), "base salt://0");
        assert_eq!(step(1, &same), "base salt://1, base salt://2");
        // What comes behind something else is not looked at.
        assert_eq!(step(2, &same), "base salt://3");
        assert_eq!(step(3, &other), "nothing");
        assert_eq!(step(4, &same), "");
        assert_eq!(step(5, &same), "base salt://5");
        assert_eq!(step(4, &same), "nothing");
    }
}
