//! Runners and wheel functions for callers of the request port. Who may call what is decided before.
//!
//! A runner's caller gets the run's id and tag at once and reads the result from the bus; a wheel's caller waits for it.

use std::sync::Arc;

use brine_core::call::Args;
use brine_protocol::{Value, map};
use brine_runners::Kind;

use super::clear::unavailable;
use crate::access::{self, Act, Caller};
use crate::master::Master;
use crate::runs::prepare;

/// Runs a function whose caller may run it with these arguments.
pub(super) async fn run(master: &Arc<Master>, caller: &Caller, kind: Kind, fun: &str, args: Args) -> Value {
    let registry = master.runs.registry(kind);
    if registry.get(fun).is_none() {
        access::record(master, caller, &Act { kind: kind.name(), fun: fun.to_owned(), ..Act::default() });
        return unavailable(&registry.missing(fun).to_string(), kind.name());
    }
    let run = prepare(master, kind, &caller.name);
    let (jid, tag) = (run.jid.clone(), kind.tag(&run.jid));
    let act = Act { kind: kind.name(), fun: fun.to_owned(), jid: jid.clone(), ..Act::default() };
    access::record(master, caller, &act);
    let fun = fun.to_owned();
    let work = tokio::task::spawn_blocking(move || run.call(&fun, args));
    match kind {
        Kind::Runner => map! {"tag" => tag, "jid" => jid}.into(),
        Kind::Wheel => {
            let mut data = work.await.unwrap_or_default();
            data.insert("tag", tag.as_str());
            map! {"tag" => tag, "data" => data}.into()
        }
    }
}
