//! One option as modules and returners see it: stock's `config.option`.

mod defaults;

pub use defaults::defaults;

use crate::Cx;
use brine_protocol::{Map, Value};

/// The value of an option: of the daemon's options, then grains, pillar, the master's options in the pillar, and defaults.
pub fn option(cx: &Cx, key: &str) -> Option<Value> {
    let of = |map: &Map| map.get(key).cloned();
    of(cx.opts.map())
        .or_else(|| of(&cx.grains))
        .or_else(|| of(&cx.pillar))
        .or_else(|| cx.pillar.get("master").and_then(Value::as_map).and_then(of))
        .or_else(|| of(defaults()))
}
