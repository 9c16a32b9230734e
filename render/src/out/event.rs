//! Events in lines, for shell scripts: `state.event`.

use super::json::dumps;
use base64::Engine as _;
use brine_core::call::{CallError, Cx, Result};
use brine_core::target::expr_match;
use brine_protocol::{Map, Value};

/// Which events are shown, and how.
pub struct EventLines<'a> {
    /// A shell pattern or regular expression for their tags.
    pub tagmatch: &'a str,
    /// After how many it ends; -1 never ends.
    pub count: i64,
    /// Whether they are only counted.
    pub quiet: bool,
    /// Whether the data takes several lines.
    pub pretty: bool,
}

impl EventLines<'_> {
    /// Prints events until there were enough. `next` gives one, or None after a while, so that the job can be asked to stop.
    ///
    /// # Errors
    /// When the job is to stop, `next` or `print` fails, or the data of an event cannot be JSON.
    pub fn print_all(
        &self,
        cx: &Cx,
        mut next: impl FnMut() -> Result<Option<(String, Map)>>,
        mut print: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let mut left = self.count;
        loop {
            cx.cancel.check()?;
            let Some((tag, data)) = next()? else { continue };
            if !expr_match(&tag, self.tagmatch) {
                tracing::debug!("Skipping event tag: {tag}");
                continue;
            }
            if !self.quiet {
                let line = event_line(&tag, data, self.pretty);
                let unfit = || CallError::Arguments("keys of an event cannot be compared".into());
                print(&line.ok_or_else(unfit)?)?;
            }
            if left > 0 {
                left -= 1;
            }
            if left == 0 {
                return Ok(());
            }
        }
    }
}

/// The tag, a tab, and the data as JSON; None if a key of them cannot be one in JSON. Bytes stand as text where they are that,
/// else in base64.
fn event_line(tag: &str, data: Map, pretty: bool) -> Option<String> {
    let json = dumps(&printable(data.into()), pretty.then_some(4), pretty)?;
    Some(format!("{tag}\t{json}"))
}

fn printable(value: Value) -> Value {
    match value {
        Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(e) => base64::engine::general_purpose::STANDARD.encode(e.into_bytes()).into(),
        },
        Value::List(items) => items.into_iter().map(printable).collect(),
        Value::Map(map) => map.into_iter().map(|(k, v)| (printable(k), printable(v))).collect::<Map>().into(),
        other => other,
    }
}
