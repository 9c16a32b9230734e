//! The event bus for shell scripts: `state.event`.

use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::target::expr_match;
use brine_render::out::event_line;
use std::io::Write;
use std::time::{Duration, Instant};

/// How often a watcher looks whether it is to stop.
const TURN: Duration = Duration::from_secs(1);

/// Watch an event bus: each event whose tag matches a shell pattern or regular expression is printed as its tag, a tab and its
/// data as JSON. Ends after `count` events; -1 never ends. `node` is `minion` or `master`.
///
/// CLI Example: salt-call --local state.event pretty=True
#[exec]
pub(super) fn event(
    cx: &Cx,
    #[default("*")] tagmatch: String,
    #[default(-1)] count: i64,
    #[default(false)] quiet: bool,
    sock_dir: Option<String>,
    #[default(false)] pretty: bool,
    #[default("minion")] node: String,
) -> Result<()> {
    let mut bus = cx.host.watch(&node, sock_dir.as_deref())?;
    let mut left = count;
    loop {
        cx.cancel.check()?;
        let Some((tag, data)) = bus.next(Instant::now() + TURN)? else { continue };
        if !expr_match(&tag, &tagmatch) {
            tracing::debug!("Skipping event tag: {tag}");
            continue;
        }
        if !quiet {
            let line = event_line(&tag, data, pretty);
            let line = line.ok_or_else(|| CallError::Arguments("keys of an event cannot be compared".into()))?;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush())?;
        }
        if left > 0 {
            left -= 1;
        }
        if left == 0 {
            return Ok(());
        }
    }
}
