//! Results told while the run goes on: `state_events` and `fire_event`.

use super::Runner;
use brine_core::call::{Args, Cx};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

impl Runner {
    /// Whether the result of a chunk is told.
    pub(super) fn is_told(&self, fire_event: Option<&Value>) -> bool {
        let opts = &self.cx.opts;
        !opts.flag("local")
            && (opts.get("state_events").is_none_or(Value::truthy) || fire_event.is_some_and(Value::truthy))
    }

    /// Tells a master of a result. Whether it hears of it changes nothing here.
    pub(super) fn event(&self, ret: &Map, fire_event: Option<&Value>) {
        let jid = self.jid.clone().map_or(Value::Nil, Value::from);
        let id = self.cx.opts.str("id").to_owned();
        let mut data = map! {"ret" => ret.clone()};
        let parts = match fire_event {
            Some(Value::Bool(true)) => {
                vec!["state_result".into(), python_str(&jid), id, text(ret, "name")]
            }
            Some(Value::Str(name)) => vec!["state_result".into(), python_str(&jid), id, name.clone()],
            _ => {
                data.insert("len", self.turns.len());
                vec!["job".into(), python_str(&jid), "prog".into(), id, text(ret, "__run_num__")]
            }
        };
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let tag = format!("salt/{}", parts.join("/"));
        if is_masters(&self.cx) {
            if let Err(e) = self.cx.host.fire_local(&tag, data) {
                tracing::debug!("an event of a state cannot be fired: {e}");
            }
            return;
        }
        let mut args = Args::none().with("preload", map! {"jid" => jid});
        args.positional = vec![data.into(), tag.into()];
        if let Err(e) = self.cx.call("event.fire_master", args) {
            tracing::debug!("an event of a state cannot be fired: {e}");
        }
    }
}

/// Whether the run is one of a master's own, which has its bus at hand.
fn is_masters(cx: &Cx) -> bool {
    cx.opts.str("__role") == "master"
}

fn text(ret: &Map, key: &str) -> String {
    ret.get(key).map(python_str).unwrap_or_default()
}
