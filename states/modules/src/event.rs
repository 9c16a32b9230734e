//! States that fire events.

use brine_core::call::{Args, Cx, Given, Result, exec, given};
use brine_core::state::{Outcome, state_module};
use brine_core::{Map, Value, map};

state_module! { "event": send, wait, "fire_master" => send, "mod_watch" => send }

given! {
    /// Send an event to the master's bus.
    ///
    /// name: the tag. data: a dict. preload: adds to the message that carries it. with_env, with_grains, with_pillar: add those,
    /// all of them or what a list names. show_changed: report tag and data as changes. Further arguments are data.
    fn send(
        name, data = (), preload = (), with_env = false, with_grains = false, with_pillar = false, show_changed = true;
        kwargs
    ) => fire
}

fn fire(cx: &Cx, given: Given) -> Result {
    let name = given.value("name");
    let changes = match given.truthy("show_changed") {
        true => map! { "tag" => name.clone(), "data" => given.value("data") },
        false => Map::new(),
    };
    let ret = |result: Value, comment: &str| -> Result {
        Ok(map! { "name" => name.clone(), "changes" => changes, "result" => result, "comment" => comment }.into())
    };
    if cx.test {
        return ret(Value::Nil, "Event would have been fired");
    }
    let mut args = Args { positional: vec![name.clone()], keyword: given.extra.clone() };
    for key in ["data", "preload", "with_env", "with_grains", "with_pillar"] {
        args.keyword.insert(key, given.value(key));
    }
    ret(cx.call("event.send", args)?, "Event fired")
}

/// Send an event only when something that is watched has changed. Arguments are those of `event.send`.
#[exec]
fn wait(name: Value, sfun: Option<Value>, data: Option<Value>) -> Result<Outcome> {
    // What is to be done is `mod_watch`'s.
    let _unread = (sfun, data);
    Ok(Outcome::ok(name, ""))
}
