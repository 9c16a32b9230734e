//! Jobs that a minion was killed in the middle of. When it is started again, the masters that gave them learn that: the returns are in the
//! spool before the minion forgets the jobs.

use crate::jobs::outcome::Outcome;
use crate::jobs::proc_files::{Owed, ProcDir};
use crate::jobs::{job_cache, reply};
use crate::spool::{Item, Spool};
use brine_core::{Map, Opts};
use brine_protocol::message::publish::{Functions, PublishLoad};
use std::collections::HashSet;

/// What is said of such a job.
const WHY: &str =
    "The job did not run to its end: the minion was killed, or its machine went down. Some of it may be done";

/// Puts a return for each of them into the spool. Not where one is there already: then the job was over.
pub(super) fn note(opts: &Opts, id: &str, proc: &ProcDir, spool: &Spool) {
    let owed = proc.sweep();
    if owed.is_empty() {
        return;
    }
    let jid = |seq| Some(spool.get(seq).ok()?.load.get_str("jid")?.to_owned());
    let over: HashSet<String> = spool.pending().into_iter().filter_map(jid).collect();
    for Owed { master, load } in owed {
        let jid = load.get_str("jid").unwrap_or_default().to_owned();
        tracing::warn!("Job {jid} was cut off: the minion was killed, or its machine went down");
        if (jid == "req" || !over.contains(&jid))
            && let Some(ret) = returned(opts, load)
            && let Err(e) = give_back(opts, id, master, ret, spool)
        {
            tracing::error!("its return is not in the spool: {e}");
            continue;
        }
        proc.remove(&jid);
    }
}

fn give_back(
    opts: &Opts,
    id: &str,
    master: String,
    ret: Map,
    spool: &Spool,
) -> Result<(), crate::spool::SpoolError> {
    if opts.flag("cache_jobs") {
        job_cache::store(opts, &ret);
    }
    if opts.get("pub_ret").is_some_and(|wanted| !wanted.truthy()) {
        return Ok(());
    }
    spool.put(&Item { master, load: reply::load(id, ret) }).map(drop)
}

/// The return of a job that was cut off; none of what is no job.
fn returned(opts: &Opts, mut load: Map) -> Option<Map> {
    let outcome = Outcome::cut_off(WHY);
    if load.contains("schedule") {
        load.insert("return", outcome.value);
        load.insert("success", false);
        load.insert("retcode", outcome.retcode);
        // The master makes a job of it.
        load.insert("jid", "req");
        return Some(load);
    }
    let publish = PublishLoad::parse(load).ok()?;
    Some(match &publish.fun {
        Functions::One(_) => reply::of_one(&publish.raw, outcome),
        Functions::Many(all) => {
            let outcomes = all.iter().map(|_| outcome.clone()).collect();
            reply::of_several(all, &publish.raw, outcomes, opts.flag("multifunc_ordered"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Value, map};

    #[test]
    fn each_kind_of_job_returns_that_it_was_cut_off() {
        let said = format!("ERROR: {WHY}");
        let of = |load: Map| returned(&Opts::default(), load);
        let nothing = || Value::List(Vec::new());
        let one = of(map! {"jid" => "1", "tgt" => "*", "fun" => "state.apply", "arg" => nothing()}).unwrap();
        assert_eq!((one.get_str("return"), one.get("success")), (Some(&*said), Some(&false.into())));
        assert_eq!((one.get_str("jid"), one.get_str("fun")), (Some("1"), Some("state.apply")));
        let several = map! {"jid" => "1", "tgt" => "*", "fun" => vec!["a.b", "c.d"], "arg" => vec![nothing(), nothing()]};
        let several = of(several).unwrap();
        assert_eq!(
            several.get("return"),
            Some(&map! {"a.b" => said.as_str(), "c.d" => said.as_str()}.into())
        );
        let scheduled =
            of(map! {"jid" => "1", "fun" => "state.apply", "schedule" => "s", "id" => "m1"}).unwrap();
        assert_eq!((scheduled.get_str("return"), scheduled.get_str("jid")), (Some(&*said), Some("req")));
        assert!(of(map! {"jid" => "1"}).is_none());
    }

    #[test]
    fn a_job_that_was_over_is_returned_once() {
        let dir = tempfile::tempdir().unwrap();
        let (key, proc) = (dir.path().join("key"), ProcDir::open(dir.path()).unwrap());
        let spool = Spool::open(&dir.path().join("spool"), &key, 1 << 20).unwrap();
        let load = |jid: &str| map! {"jid" => jid, "tgt" => "*", "fun" => "test.ping", "arg" => Value::List(Vec::new())};
        for jid in ["1", "2"] {
            proc.write(jid, &load(jid), Some("m")).unwrap();
        }
        let done =
            Item { master: "m".into(), load: map! {"cmd" => "_return", "jid" => "1", "return" => true} };
        spool.put(&done).unwrap();
        note(&Opts::default(), "m1", &proc, &spool);
        let items: Vec<Item> = spool.pending().into_iter().map(|seq| spool.get(seq).unwrap()).collect();
        assert_eq!(items.len(), 2);
        assert_eq!(
            (items[0].load.get("return"), items[1].load.get_str("jid")),
            (Some(&true.into()), Some("2"))
        );
        assert_eq!((items[1].master.as_str(), items[1].load.get_str("id")), ("m", Some("m1")));
        note(&Opts::default(), "m1", &proc, &spool);
        assert_eq!(spool.pending().len(), 2);
    }
}
