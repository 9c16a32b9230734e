//! The return of a run for a job cache beside the master's own store (`master_job_cache`), as stock keeps it there.

use brine_core::call::{Cx, Result};
use brine_core::{Map, Opts, map};

/// Whether the options name such a cache, and the master gives returns to it.
pub(crate) fn wanted(opts: &Opts) -> bool {
    let name = opts.str("master_job_cache");
    let others = !name.is_empty() && name != "local_cache";
    others && opts.flag("job_cache") && opts.str("ext_job_cache").is_empty()
}

/// The load that stands for a run: a job for the master itself that has returned.
pub(crate) fn load(jid: &str, id: &str, ret: &Map) -> Map {
    let mut load = map! {"id" => id, "tgt" => id, "jid" => jid, "return" => ret.clone()};
    for key in ["fun", "user"] {
        if let Some(value) = ret.get(key) {
            load.insert(key, value.clone());
        }
    }
    load
}

/// Gives such a load to the cache, now. What fails is logged in stock's words.
pub(crate) fn keep(cx: &Cx, load: &Map) {
    let name = cx.opts.str("master_job_cache");
    let jid = load.get_str("jid").unwrap_or_default();
    let cache = |function: &str| brine_returners::find(&cx.opts, name, function);
    let saved = cache("save_load").and_then(|r| r.has(r.save_load, "save_load")?(cx, jid, load, None));
    let given = cache("returner").and_then(|r| r.has(r.returner, "returner")?(cx, load));
    for e in [saved, given].into_iter().filter_map(Result::err) {
        tracing::error!(critical = true, "The specified '{name}' returner threw a stack trace: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;
    use crate::run::Kind;

    #[test]
    fn a_run_is_kept_where_the_option_says() {
        let tmp = tempfile::tempdir().unwrap();
        let off = |more: Map| {
            let mut opts = map! {"master_job_cache" => "redis", "job_cache" => true, "ext_job_cache" => ""};
            opts.update(more);
            wanted(&Opts::new(opts))
        };
        assert!(off(Map::new()));
        for more in [
            map! {"master_job_cache" => "local_cache"},
            map! {"job_cache" => false},
            map! {"ext_job_cache" => "redis"},
        ] {
            assert!(!off(more));
        }
        let file = tmp.path().join("returns");
        let more = map! {
            "master_job_cache" => "multi_returner", "multi_returner" => vec!["rawfile_json"],
            "rawfile_json.filename" => file.to_string_lossy().into_owned(),
        };
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), more);
        let load =
            load("7", "test_master", &map! {"fun" => "runner.test.arg", "user" => "root", "return" => 1});
        // This one keeps no loads, which is said, but it takes returns.
        keep(&cx, &load);
        let line = std::fs::read_to_string(&file).unwrap();
        assert!(line.contains("\"return\": {\"fun\": \"runner.test.arg\""), "{line}");
    }
}
