//! Runners and wheel functions for callers of the request port. Who may call what is decided before.
//!
//! A runner's caller gets the run's id and tag at once and reads the result from the bus; a wheel's caller waits for it.

use std::sync::Arc;

use brine_core::Registry;
use brine_core::call::Args;
use brine_protocol::{Map, Value, map};
use brine_render::args::load_args_and_kwargs;
use brine_runners::{Kind, MasterHost, Run};
use tokio::runtime::Handle;

use super::clear::unavailable;
use crate::master::Master;
use crate::side::OwnSide;

/// What may be in a request beside the function's own arguments.
const NOT_ARGUMENTS: [&str; 14] = [
    "cmd",
    "fun",
    "user",
    "key",
    "kwarg",
    "arg",
    "client",
    "eauth",
    "token",
    "username",
    "password",
    "full_return",
    "print_event",
    "id",
];

/// The arguments of a request: `arg` and `kwarg`, or plain fields of the load (stock's old form).
pub(super) fn arguments(load: &Map) -> Args {
    // `cmd_sync` of stock's clients packs both into `kwarg`.
    let packed = load.get("kwarg").and_then(Value::as_map);
    let (arg, kwarg) = match packed {
        Some(both)
            if both.len() == 2
                && both.get("arg").is_some_and(|a| a.as_list().is_some())
                && both.contains("kwarg") =>
        {
            (both.get("arg"), both.get("kwarg"))
        }
        _ => (load.get("arg"), load.get("kwarg")),
    };
    let words = match arg {
        Some(Value::List(words)) => words.clone(),
        None | Some(Value::Nil) => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    let mut args = load_args_and_kwargs(&words);
    for (key, value) in load {
        if key.as_str().is_some_and(|key| !NOT_ARGUMENTS.contains(&key) && !key.starts_with("__")) {
            args.keyword.insert(key.clone(), value.clone());
        }
    }
    if let Some(kwarg) = kwarg.and_then(Value::as_map) {
        args.keyword.update(kwarg.clone());
    }
    args
}

/// Prepares a run on behalf of `user`.
fn prepare(master: &Arc<Master>, kind: Kind, registry: Arc<Registry>, user: String) -> Run {
    let side = OwnSide { master: master.clone(), runtime: Handle::current(), user: user.clone() };
    Run {
        kind,
        jid: master.new_jid().as_str().to_owned(),
        user,
        opts: Arc::new(master.config.opts.clone()),
        registry,
        host: MasterHost::new(&master.config.opts, Box::new(side)),
    }
}

/// Runs a function whose caller may run it.
pub(super) async fn run(master: &Arc<Master>, kind: Kind, load: &Map, user: String) -> Value {
    let fun = load.get_str("fun").unwrap_or_default().to_owned();
    let registry = Arc::new(kind.registry());
    if registry.get(&fun).is_none() {
        return unavailable(&fun, kind.name());
    }
    let args = arguments(load);
    let run = prepare(master, kind, registry, user);
    let (jid, tag) = (run.jid.clone(), kind.tag(&run.jid));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_in_three_forms() {
        let want = Args::positional(["m"]).with("show_ip", true);
        let plain = map! {"cmd" => "runner", "fun" => "x.y", "key" => "k", "arg" => vec!["m"], "kwarg" => map! {"show_ip" => true}};
        assert_eq!(arguments(&plain), want);
        let packed =
            map! {"fun" => "x.y", "kwarg" => map! {"arg" => vec!["m"], "kwarg" => map! {"show_ip" => true}}};
        assert_eq!(arguments(&packed), want);
        let old = map! {"fun" => "x.y", "match" => "m*", "token" => "t", "__jid__" => "1"};
        assert_eq!(arguments(&old), Args::none().with("match", "m*"));
    }
}
