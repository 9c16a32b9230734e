//! What the fuzz targets for YAML and JSON do with their input, shared by libFuzzer's programs and the bounded test on stable.

use brine_python::{Limits, Obj, R};
use brine_render::json::{self, Options};
use brine_render::yaml::{DumpOptions, Dumper, Flow, Loader, Style, TEXT, dump_obj, load, load_with};

/// Bounds on what one input may make.
const LIMITS: Limits = Limits { bytes: 64 << 20, steps: 10_000_000 };

/// Reads text as YAML with a loader that the first byte chooses, as plain data too, and writes what was read in a way that the second
/// byte chooses. What is written plainly reads back as the same.
pub(crate) fn yaml(data: &[u8]) {
    let [loader, how, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text);
    let loaders = [Loader::Salt, Loader::SaltOrdered, Loader::Safe, Loader::Serializer, Loader::Yamlex];
    let loader = loaders[usize::from(*loader) % loaders.len()];
    LIMITS.enter(|| {
        let Ok(value) = load_with(&text, TEXT, loader).inspect_err(|e| assert!(!e.to_string().is_empty()))
        else {
            return;
        };
        let _chosen = dump_obj(&value, &options(*how));
        if loader == Loader::Salt {
            same_again(&value);
        }
    });
    let _plain = load(&text);
}

fn options(how: u8) -> DumpOptions {
    let dumpers = [Dumper::Ordered, Dumper::Safe, Dumper::Serializer, Dumper::Yamlex];
    let styles = [None, Some(Style::DoubleQuoted), Some(Style::Literal), Some(Style::Folded)];
    let flows = [Flow::Block, Flow::Inline, Flow::Leaves, Flow::Block];
    let bits = |shift: u8| usize::from(how >> shift) & 3;
    DumpOptions {
        dumper: dumpers[bits(0)],
        style: styles[bits(2)],
        flow: flows[bits(4)],
        width: if how & 64 != 0 { Some(10) } else { None },
        unicode: how & 128 == 0,
        ..DumpOptions::default()
    }
}

fn same_again(value: &Obj) {
    let write = |value: &Obj| -> R<String> { dump_obj(value, &DumpOptions::default()) };
    let Ok(text) = write(value) else { return };
    let again = load_with(&text, TEXT, Loader::Salt).map_err(|e| e.to_py());
    let again = again.and_then(|value| write(&value));
    assert_eq!(again.ok().as_deref(), Some(text.as_str()));
}

/// Reads text as JSON, and looks for JSON in it. What was read is written and reads back as the same.
pub(crate) fn json(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    LIMITS.enter(|| {
        let _found = json::find_json(&text);
        let Ok(value) = json::loads(&text) else { return };
        let options = Options { sort_keys: true, ..Options::salt() };
        let Ok(once) = json::dumps(&value, &options) else { return };
        let again = json::loads(&once).and_then(|value| json::dumps(&value, &options));
        assert_eq!(again.ok().as_deref(), Some(once.as_str()));
    });
}
