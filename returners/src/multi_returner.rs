//! `multi_returner`: several returners as one.

use crate::{Returner, find};
use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, jid};
use std::time::SystemTime;

pub(crate) static RETURNER: Returner = Returner {
    name: "multi_returner",
    doc: "Writes to several returners, and reads from all of them together. The option `multi_returner` lists their \
          names.\n\nTo use it on a master: master_job_cache: multi_returner",
    returner: Some(returner),
    prep_jid: Some(prep_jid),
    save_load: Some(save_load),
    save_minions: Some(|_, _, _, _| Ok(())),
    get_load: Some(|cx, jid| merged(cx, "get_load", |r| r.get_load, |f| f(cx, jid))),
    get_jid: Some(|cx, jid| merged(cx, "get_jid", |r| r.get_jid, |f| f(cx, jid))),
    get_jids: Some(|cx| merged(cx, "get_jids", |r| r.get_jids, |f| f(cx))),
    clean_old_jobs: Some(clean_old_jobs),
    ..Returner::NOTHING
};

/// The returners that the option lists. Itself among them would have no end.
pub(crate) fn listed(cx: &Cx, function: &str) -> Result<Vec<Result<&'static Returner>>> {
    let names = cx.opts.get("multi_returner").ok_or_else(|| CallError::exception("KeyError", "'multi_returner'"))?;
    let found = |name: String| match name.as_str() {
        "multi_returner" => Err(CallError::execution("multi_returner cannot be one of its own returners")),
        name => find(&cx.opts, name, function),
    };
    Ok(crate::names_in(names).into_iter().map(found).collect())
}

/// Calls a function of each. One that fails does not keep the others from their part; the first error is the result.
fn each<F>(
    cx: &Cx,
    name: &str,
    function: fn(&Returner) -> Option<F>,
    mut call: impl FnMut(F) -> Result<()>,
) -> Result<()> {
    let mut result = Ok(());
    for returner in listed(cx, name)? {
        let done = returner.and_then(|r| r.has(function(r), name)).and_then(&mut call);
        result = result.and(done);
    }
    result
}

fn merged<F>(
    cx: &Cx,
    name: &str,
    function: fn(&Returner) -> Option<F>,
    mut call: impl FnMut(F) -> Result<Map>,
) -> Result<Map> {
    let mut all = Map::new();
    for returner in listed(cx, name)? {
        let returner = returner?;
        all.update(call(returner.has(function(returner), name)?)?);
    }
    Ok(all)
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    each(cx, "returner", |r| r.returner, |f| f(cx, ret))
}

fn save_load(cx: &Cx, jid: &str, load: &Map, minions: Option<&[String]>) -> Result<()> {
    each(cx, "save_load", |r| r.save_load, |f| f(cx, jid, load, minions))
}

/// The first returner chooses where no id is passed; the others are told.
fn prep_jid(cx: &Cx, nocache: bool, passed: Option<&str>) -> Result<String> {
    let mut chosen = passed.map(str::to_owned);
    for returner in listed(cx, "prep_jid")? {
        let returner = returner?;
        let own = returner.has(returner.prep_jid, "prep_jid")?(cx, nocache, chosen.as_deref())?;
        if chosen.as_ref().is_some_and(|chosen| *chosen != own) {
            tracing::debug!("returner {} keeps job {own} under another id", returner.name);
        }
        chosen.get_or_insert(own);
    }
    Ok(chosen.unwrap_or_else(|| jid::gen_jid(SystemTime::now())))
}

fn clean_old_jobs(cx: &Cx) -> Result<()> {
    let mut result = Ok(());
    for clean in listed(cx, "clean_old_jobs")?.into_iter().flatten().filter_map(|r| r.clean_old_jobs) {
        result = result.and(clean(cx));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::{Opts, Registry, map};
    use std::sync::Arc;

    fn error(opts: Map) -> String {
        let cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::default()), Arc::new(NoHost));
        returner(&cx, &Map::new()).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_listed_is_said() {
        assert_eq!(error(Map::new()), "KeyError: 'multi_returner'");
        assert_eq!(error(map! {"multi_returner" => vec!["nothing"]}), "'nothing.returner' is not available.");
        assert!(error(map! {"multi_returner" => vec!["multi_returner"]}).contains("its own"));
    }
}
