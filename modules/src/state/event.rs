//! The event bus for shell scripts: `state.event`.

use brine_core::call::{Cx, Result, exec};
use brine_render::out::EventLines;
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
    let print = |line: &str| -> Result<()> {
        let mut out = std::io::stdout().lock();
        Ok(writeln!(out, "{line}").and_then(|()| out.flush())?)
    };
    let lines = EventLines { tagmatch: &tagmatch, count, quiet, pretty };
    lines.print_all(cx, || bus.next(Instant::now() + TURN), print)
}
