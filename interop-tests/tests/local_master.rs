//! A minion on its master's machine, whose configurations lie in one directory: `saltutil.runner`, `saltutil.wheel` and
//! `saltutil.cmd` reach the master. First on stock alone, then ours on either master.

use std::fs;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Fleet, Result, Side};
use serde_json::json;

fn local(master: &str, minion: &str) -> Result {
    let fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?.start_accepted()?;
    fs::copy(fleet.path("etc/master"), fleet.path("m1/master"))?;
    let call = |words: &[&str]| fleet.salt_call("m1", words)?.ok()?.ret("local");
    let words = ["saltutil.runner", "test.arg", "arg=[1, two]", "kwarg={'k': 'v'}"];
    same("a runner", call(&words)?, json!({"args": [1, "two"], "kwargs": {"k": "v"}}))?;
    let whole = call(&["saltutil.runner", "test.metasyntactic", "full_return=True"])?;
    same("its name", whole["fun"].clone(), json!("runner.test.metasyntactic"))?;
    same("its end", whole["success"].clone(), json!(true))?;
    let keys = call(&["saltutil.wheel", "key.list", "acc"])?;
    same("a wheel function", keys["return"].clone(), json!({"minions": ["m1", "m2"]}))?;
    let through = fleet.salt(&["m1", "saltutil.runner", "test.arg", "kwarg={'a': 1}"])?.ok()?;
    same("in a job", through.ret("m1")?, json!({"args": [], "kwargs": {"a": 1}}))?;
    if minion == "ours" {
        let pings = call(&["saltutil.cmd", "*", "test.ping"])?;
        for id in ["m1", "m2"] {
            same(id, pings[id]["ret"].clone(), json!(true))?;
        }
        let batch = call(&["saltutil.cmd", "*", "test.ping", "batch=1"])?;
        let one = json!({"out": "highstate", "ret": true});
        same("a batch", batch, json!({"m1": one, "m2": one}))?;
        let some = call(&["saltutil.cmd", "*", "test.arg", "arg=[5]", "subset=1"])?;
        same("a subset", some.as_object().map(|some| some.len()), Some(1))?;
        let id = if some["m1"].is_null() { "m2" } else { "m1" };
        same("its return", some[id]["ret"]["args"].clone(), json!([5]))?;
        fs::remove_file(fleet.path("m1/master"))?;
        let refused = fleet.salt_call("m1", &["saltutil.wheel", "key.list", "acc"])?.code(1)?;
        let text = "This command can only be executed on a minion that is located on the master.";
        hold(refused.err.contains(text), || refused.err.clone())?;
    }
    Ok(())
}

#[test]
fn stock_3006_on_itself() -> Result {
    local("3006", "3006")
}

#[test]
fn ours_beside_stock_3006() -> Result {
    local("3006", "ours")
}

#[test]
fn ours_beside_ours() -> Result {
    local("ours", "ours")
}
