//! The master's event bus, read with stock's own client.

use serde_json::json;

use crate::bus::Bus;
use crate::cases::jobs;
use crate::failure::{Result, hold, same};
use crate::fleet::{Fleet, START};

/// A job appears as `new` and as one `ret` per minion.
pub fn job_events(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let jid = jobs::start(fleet, &["*", "test.arg", "1", "k=v"])?;
    for id in ["m1", "m2"] {
        let event = bus.wait("the return", START, |e| e.tag == format!("salt/job/{jid}/ret/{id}"))?;
        let data = &event.data;
        same("id", &data["id"], &json!(id))?;
        same("jid", &data["jid"], &json!(jid))?;
        same("fun", &data["fun"], &json!("test.arg"))?;
        same("fun_args", &data["fun_args"], &json!([1, {"__kwarg__": true, "k": "v"}]))?;
        same("cmd", &data["cmd"], &json!("_return"))?;
        same("success", &data["success"], &json!(true))?;
        hold(data["_stamp"].is_string(), || format!("no _stamp: {data}"))?;
        hold(data.get("tok").is_none() && data.get("nonce").is_none(), || {
            format!("secrets in the event: {data}")
        })?;
    }
    let new = bus.wait("the new event", START, |e| e.tag == format!("salt/job/{jid}/new"))?;
    same("minions", &new.data["minions"], &json!(["m1", "m2"]))?;
    same("missing", &new.data["missing"], &json!([]))?;
    same("tgt", &new.data["tgt"], &json!("*"))?;
    same("tgt_type", &new.data["tgt_type"], &json!("glob"))?;
    same("user", &new.data["user"], &json!("root"))?;
    same("arg", &new.data["arg"], &json!([1, {"__kwarg__": true, "k": "v"}]))
}

/// `event.send` and `event.fire_master` from a minion.
pub fn custom_tags(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let sent =
        fleet.salt(&["m1", "event.send", "acme/custom/tag", "{a: [1, ü], b: null}"])?.ok()?.ret("m1")?;
    same("event.send", sent, json!(true))?;
    let event = bus.wait("the event", START, |e| e.tag == "acme/custom/tag")?;
    same("id", &event.data["id"], &json!("m1"))?;
    same("a", &event.data["data"]["a"], &json!([1, "ü"]))?;
    same("b", &event.data["data"]["b"], &json!(null))?;
    fleet.salt(&["m2", "event.fire_master", "{x: 2}", "salt/custom/fired"])?.ok()?;
    let event = bus.wait("the fired event", START, |e| e.tag == "salt/custom/fired")?;
    same("id", &event.data["id"], &json!("m2"))?;
    same("x", &event.data["data"]["x"], &json!(2))
}

/// `fire_event` of a state; `state.single` fires none.
pub fn events_of_states(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    fleet.salt(&["m1", "state.high", "{here: {test: [nop, {fire_event: a/b}]}}"])?.ok()?;
    let ours = |tag: &str| tag.starts_with("salt/state_result/") && tag.ends_with("/m1/a/b");
    let event = bus.wait("the state's event", START, |e| ours(&e.tag))?;
    same("id", &event.data["id"], &json!("m1"))?;
    same("name", &event.data["data"]["ret"]["name"], &json!("here"))
}
