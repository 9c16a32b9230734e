//! The mine: values minions leave with the master for each other.

use serde_json::{Value, json};

use crate::failure::{Result, same};
use crate::fleet::{Fleet, START};
use crate::wait;

fn get(fleet: &Fleet, words: &[&str]) -> Result<Value> {
    fleet.salt(&[&["m2", "mine.get"], words].concat())?.ok()?.ret("m2")
}

/// What `words` get becomes `want`: stock hands mine data over in the background.
fn becomes(fleet: &Fleet, words: &[&str], want: &Value) -> Result {
    let mut last = Value::Null;
    let outcome = wait::until("the mine", START, || {
        last = get(fleet, words)?;
        Ok((last == *want).then_some(()))
    });
    outcome.or_else(|_| same(&format!("mine.get {words:?}"), &last, want))
}

/// A value is sent, read by another minion, and deleted.
pub fn send_get_delete(fleet: &mut Fleet) -> Result {
    let sent = fleet.salt(&["m1", "mine.send", "test.echo", "hello"])?.ok()?.ret("m1")?;
    same("mine.send", sent, json!(true))?;
    becomes(fleet, &["m1", "test.echo"], &json!({"m1": "hello"}))?;
    fleet.salt(&["m1", "mine.send", "alias", "mine_function=test.echo", "again"])?.ok()?;
    becomes(fleet, &["*", "alias"], &json!({"m1": "again"}))?;
    becomes(fleet, &["role:web", "alias", "tgt_type=grain"], &json!({"m1": "again"}))?;
    becomes(fleet, &["role:db", "alias", "tgt_type=grain"], &json!({}))?;
    same(
        "several",
        get(fleet, &["m1", "[test.echo, alias]"])?,
        json!({"test.echo": {"m1": "hello"}, "alias": {"m1": "again"}}),
    )?;
    let gone = fleet.salt(&["m1", "mine.delete", "alias"])?.ok()?.ret("m1")?;
    same("mine.delete", gone, json!(true))?;
    becomes(fleet, &["*", "alias"], &json!({}))?;
    same("the other is still there", get(fleet, &["m1", "test.echo"])?, json!({"m1": "hello"}))
}

/// `mine.update` collects what the configuration names in `mine_functions`.
pub fn update(fleet: &mut Fleet) -> Result {
    fleet.salt(&["*", "mine.update"])?.ok()?;
    becomes(fleet, &["*", "mined_ping"], &json!({"m1": true, "m2": true}))?;
    becomes(
        fleet,
        &["*", "test.arg"],
        &json!({"m1": {"args": ["x"], "kwargs": {}}, "m2": {"args": ["x"], "kwargs": {}}}),
    )
}
