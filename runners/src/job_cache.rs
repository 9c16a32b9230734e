//! The return of a run for a job cache beside the master's own store (`master_job_cache`), as stock keeps it there; also for
//! the files of a stock master, where that is the one that runs here.

use brine_core::call::{Cx, Result};
use brine_core::{Map, Opts, map};
use brine_store::jobs::Shelf;

/// Whether the options name such a cache, and the master gives returns to it.
pub(crate) fn wanted(opts: &Opts) -> bool {
    let name = opts.str("master_job_cache");
    !name.is_empty() && name != "local_cache" && keeps(opts)
}

/// Whether returns belong into the files of a stock master, since none of ours has kept jobs here.
pub(crate) fn is_stocks(opts: &Opts, jobs: &Shelf) -> bool {
    opts.str("master_job_cache") == "local_cache" && keeps(opts) && !jobs.exists()
}

fn keeps(opts: &Opts) -> bool {
    opts.flag("job_cache") && opts.str("ext_job_cache").is_empty()
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

    #[test]
    fn a_run_beside_a_stock_master_is_kept_as_stock_keeps_it() {
        let tmp = tempfile::tempdir().unwrap();
        let more = map! {"master_job_cache" => "local_cache", "job_cache" => true, "ext_job_cache" => ""};
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), more);
        let shelf = Shelf::at(&cx.opts.path("cachedir"));
        assert!(is_stocks(&cx.opts, &shelf));
        let jid = "20150319120000000000";
        let ret = map! {"fun" => "runner.test.arg", "user" => "ann", "return" => 1, "success" => true};
        keep(&cx, &load(jid, "test_master", &ret));
        let listed =
            crate::fake::call(&cx, "jobs.list_job", brine_core::call::Args::positional([jid])).unwrap();
        assert_eq!(listed.get("Function"), Some(&"runner.test.arg".into()));
        assert_eq!(listed.get("User"), Some(&"ann".into()));
        let hex = brine_protocol::crypt::HashType::default().hex(jid.as_bytes());
        let dir = cx.opts.path("cachedir").join("jobs").join(&hex[..2]).join(&hex[2..]);
        assert!(dir.join(".load.p").is_file() && dir.join("test_master/return.p").is_file());
        std::fs::create_dir_all(tmp.path().join("cache/job_store")).unwrap();
        std::fs::write(tmp.path().join("cache/job_store/returns.sqlite"), "").unwrap();
        assert!(!is_stocks(&cx.opts, &shelf));
    }
}
