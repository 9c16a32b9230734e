//! `yamlex`: YAML in which repeated keys are merged, with `!aggregate` and `!reset`.

use super::options::Options;
use super::yaml::{dump, error, source};
use crate::yaml::{Dumper, Loader, load_with};
use brine_python::{Obj, R};

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    dump(value, options, Dumper::Yamlex)
}

pub(super) fn deserialize(value: &Obj, options: &mut Options) -> R {
    options.done("load")?;
    let (text, name) = source(value)?;
    load_with(&text, name, Loader::Yamlex).map_err(|e| error(&e))
}
