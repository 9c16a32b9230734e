//! Events of a person's own on the master's bus.

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};

use crate::host::master;

module! { "event": send }

/// Fire an event with this tag, as it is given, and this dict of data.
///
/// CLI Example: salt-run event.send my/custom/event '{"foo": "bar"}'
#[exec]
fn send(cx: &Cx, tag: String, data: Option<Value>) -> Result<bool> {
    if tag.is_empty() {
        return Err(CallError::exception("ValueError", "Empty tag."));
    }
    let data = match data.filter(Value::truthy) {
        None => Map::new(),
        Some(Value::Map(data)) => data,
        Some(other) => {
            let text = format!("Dict object expected, not '{}'.", python_str(&other));
            return Err(CallError::exception("ValueError", text));
        }
    };
    master(cx)?.side.fire(&tag, data)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn the_tag_is_as_given_and_data_is_a_dict() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let args = Args::positional(["my/tag"]).with("data", map! {"a" => 1});
        assert_eq!(call(&cx, "event.send", args).unwrap(), true.into());
        call(&cx, "event.send", Args::positional(["other"])).unwrap();
        assert_eq!(
            fake.record.lock().fired,
            [("my/tag".into(), map! {"a" => 1}), ("other".into(), Map::new())]
        );
        let e = call(&cx, "event.send", Args::positional(["t", "x"])).unwrap_err();
        assert_eq!(e.to_string(), "ValueError: Dict object expected, not 'x'.");
        let e = call(&cx, "event.send", Args::positional([""])).unwrap_err();
        assert_eq!(e.to_string(), "ValueError: Empty tag.");
    }
}
