//! `startup_states`: the job that a minion gives itself once it is ready for a master. Its return goes to that
//! master under a job id of the master's choice, as stock's does.

use super::attached::Attached;
use super::publish;
use brine_core::{Map, Opts, Value, map};
use brine_protocol::message::publish::PublishLoad;
use std::sync::Arc;

/// Runs the job, if the options ask for one and it has not run. Each master in use at the same time sees it once;
/// a minion that goes from one master to the next has done it already.
pub(super) fn run(attached: &Arc<Attached>) {
    let Some(load) = load(&attached.opts) else { return };
    let failover = attached.opts.str("master_type") == "failover";
    let whose = if failover { String::new() } else { attached.link.name().to_owned() };
    if !attached.minion.startup_jobs.lock().insert(whose) {
        return;
    }
    match PublishLoad::parse(load) {
        Ok(job) => publish::run(attached, job),
        Err(e) => tracing::error!("startup_states: {e}"),
    }
}

/// The job as a master would have published it.
fn load(opts: &Opts) -> Option<Map> {
    let argument = |key: &str| vec![opts.get(key).cloned().unwrap_or_default()];
    let (fun, arg) = match opts.get("startup_states").filter(|v| v.truthy())?.as_str() {
        Some("sls") => ("state.sls", argument("sls_list")),
        Some("top") => ("state.top", argument("top_file")),
        _ => ("state.highstate", Vec::new()),
    };
    // `req` asks the master for a job id.
    Some(map! {
        "jid" => "req", "fun" => fun, "arg" => Value::List(arg), "tgt" => opts.str("id"), "tgt_type" => "glob",
        "ret" => opts.str("ext_job_cache"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_names_function_and_argument() {
        let job = |options: Map| load(&Opts::new(options)).map(|l| PublishLoad::parse(l).unwrap());
        let fun_arg = |options: Map| {
            let load = job(options).unwrap().raw;
            (load.get("fun").cloned().unwrap(), load.get("arg").cloned().unwrap())
        };
        assert!(job(map! { "startup_states" => "" }).is_none());
        assert!(job(Map::new()).is_none());
        assert_eq!(
            fun_arg(map! { "startup_states" => "highstate" }),
            ("state.highstate".into(), Value::List(vec![]))
        );
        assert_eq!(
            fun_arg(map! { "startup_states" => "sls", "sls_list" => vec!["a", "b"] }),
            ("state.sls".into(), Value::List(vec![vec!["a", "b"].into()]))
        );
        assert_eq!(
            fun_arg(map! { "startup_states" => "top", "top_file" => "t.sls" }),
            ("state.top".into(), vec!["t.sls"].into())
        );
    }
}
