//! What returners have kept, asked from a minion.

use brine_core::call::{Cx, Result, exec, module};
use brine_core::{Map, Value};
use brine_returners::find;

module! { "ret": get_fun, get_jid, get_jids, get_minions }

/// What minions returned for a job, as a returner has it.
///
/// CLI Example: salt '*' ret.get_jid redis 20421104181954700505
#[exec]
fn get_jid(cx: &Cx, returner: String, jid: String) -> Result<Map> {
    let returner = find(&cx.opts, &returner, "get_jid")?;
    returner.has(returner.get_jid, "get_jid")?(cx, &jid)
}

/// The last return of each minion for a function.
///
/// CLI Example: salt '*' ret.get_fun mysql network.interfaces
#[exec]
fn get_fun(cx: &Cx, returner: String, fun: String) -> Result<Map> {
    let returner = find(&cx.opts, &returner, "get_fun")?;
    returner.has(returner.get_fun, "get_fun")?(cx, &fun)
}

/// All jobs that a returner knows.
///
/// CLI Example: salt '*' ret.get_jids mysql
#[exec]
fn get_jids(cx: &Cx, returner: String) -> Result<Map> {
    let returner = find(&cx.opts, &returner, "get_jids")?;
    returner.has(returner.get_jids, "get_jids")?(cx)
}

/// All minions of which a returner has something.
///
/// CLI Example: salt '*' ret.get_minions mysql
#[exec]
fn get_minions(cx: &Cx, returner: String) -> Result<Vec<Value>> {
    let returner = find(&cx.opts, &returner, "get_minions")?;
    returner.has(returner.get_minions, "get_minions")?(cx)
}

#[cfg(test)]
mod tests {
    use brine_core::call::{Args, Cx};
    use brine_core::host::NoHost;
    use brine_core::{Map, Opts, Registry, Value, map};
    use std::sync::Arc;

    #[test]
    fn returners_are_asked_and_listed() {
        let tmp = tempfile::tempdir().unwrap();
        let opts = map! {"cachedir" => tmp.path().to_string_lossy().into_owned(), "disable_returners" => vec!["local"]};
        let registry = Registry::new(crate::ALL.iter().copied());
        let cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(registry), Arc::new(NoHost));
        let call = |fun: &str, args: Args| cx.call(fun, args);
        let jid = "20261125120000000001";
        let local = brine_returners::find(&cx.opts, "local_cache", "").unwrap();
        let ret = map! {"jid" => jid, "id" => "m1", "return" => 1};
        local.returner.unwrap()(&cx, &ret).unwrap();
        let kept = call("ret.get_jid", Args::positional(["local_cache", jid])).unwrap();
        assert_eq!(kept, map! {"m1" => map! {"return" => 1}}.into());
        assert_eq!(call("ret.get_jids", Args::positional(["local_cache"])).unwrap(), Map::new().into());
        for (fun, args) in [("ret.get_minions", Args::positional(["local_cache"])), ("ret.get_fun", Args::positional(["mongo", "x"]))] {
            assert!(call(fun, args).unwrap_err().to_string().starts_with('\''), "{fun}");
        }
        let listed = |args: Args| call("sys.list_returners", args).unwrap();
        assert_eq!(listed(Args::positional(["local*", "syslog"])), vec!["local_cache", "syslog"].into());
        assert!(!listed(Args::none()).as_list().unwrap().contains(&"local".into()));
        let functions = call("sys.list_returner_functions", Args::positional(["syslog"])).unwrap();
        assert_eq!(functions, vec!["syslog.prep_jid", "syslog.returner"].into());
        let spec = call("sys.returner_argspec", Args::positional(["syslog"])).unwrap();
        let prep = spec.get("syslog.prep_jid").unwrap();
        assert_eq!(prep.get("args"), Some(&vec!["nocache", "passed_jid"].into()));
        assert_eq!(prep.get("defaults"), Some(&vec![Value::from(false), Value::Nil].into()));
        let docs = call("sys.returner_doc", Args::positional(["syslog.returner"])).unwrap();
        assert!(docs.get("syslog.returner").and_then(Value::as_str).unwrap().contains("syslog.facility"));
    }
}
