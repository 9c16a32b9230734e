//! `palletjack`: an inventory in Pallet Jack's format, straight from its graph.
//!
//! A warehouse is read once and shared by all requests; what a minion gets is looked up in memory. It is what `palletjack2salt` and
//! its pillar give, with whatever else the options add. Options and their meaning: `docs/inventory.md`.
//!
//! The minion's id is only ever compared with values of the warehouse; it becomes no path.

mod conf;
mod tree;
mod typing;
mod warehouse;

pub use conf::{Conf, ConfError, Place};
pub use warehouse::{Edition, Refreshed, Refusal, Warehouse};

use super::{Asked, Source};
use brine_core::{Map, Opts, Value};
use brine_inventory::salt;
use brine_python::{Args, Kind, PyErr, R, to_value};
use tree::Part;

pub(super) const SOURCE: Source = Source { name: conf::NAME, run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    let broken = |text: String| PyErr::new(Kind::Other("InventoryError"), text);
    let conf = Conf::read(&entry(args)?).map_err(|e| broken(e.to_string()))?;
    let edition = Warehouse::at(&conf.place, asked.opts()).edition().map_err(|refusal| {
        let more = refusal.why.len().saturating_sub(1);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        broken(format!("{}{more}", refusal.why.first().map_or("", String::as_str)))
    })?;
    Ok(Part::of(&edition, &conf, asked.id).pillar(&edition, &conf))
}

/// The entry of the configuration that these arguments were.
fn entry(args: &Args) -> R<Value> {
    if let ([only], []) = (&*args.pos, &*args.kw) {
        return to_value(only);
    }
    if let Some(more) = args.pos.first() {
        return Err(PyErr::ty(format!("options are named, {} is not", brine_python::repr(more)?)));
    }
    let mut options = Map::new();
    for (name, value) in &args.kw {
        options.insert(&**name, to_value(value)?);
    }
    Ok(options.into())
}

/// Which of these minions get something else by one edition than by another, for whatever entry.
pub fn changed(confs: &[Conf], old: &Edition, new: &Edition, ids: &[String]) -> Vec<String> {
    let same_global = old.global() == new.global();
    let differs = |conf: &Conf, id: &str| {
        let same = match (old.system(&conf.key, id), new.system(&conf.key, id)) {
            (Some(before), Some(after)) => salt::is_shared(old.snapshot(), before, new.snapshot(), after),
            (before, after) => before == after,
        };
        if same && (same_global || !conf.global) {
            return false;
        }
        let (before, after) = (Part::of(old, conf, id), Part::of(new, conf, id));
        // What is written otherwise may mean the same, and so may keys in another order.
        before != after && !before.means(&after, conf)
    };
    ids.iter().filter(|id| confs.iter().any(|conf| differs(conf, id))).cloned().collect()
}

/// What tells pillar of these options from what it was before a warehouse changed.
pub(crate) fn mark(opts: &Opts) -> String {
    let confs = Conf::all(opts).into_iter().flatten();
    let marks = confs.map(|conf| match Warehouse::at(&conf.place, opts).edition() {
        Ok(edition) => edition.mark(),
        Err(_) => "none".to_owned(),
    });
    marks.collect::<Vec<String>>().join(" ")
}
