//! A line on the terminal that tells how far a long load is. Nobody sees it for a short one, or where standard error is no terminal.

use brine_inventory::Progress;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Loads shorter than this say nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// Time between two lines.
const STEP: Duration = Duration::from_millis(100);

/// The line.
pub(super) struct Line {
    seen: bool,
    next: Instant,
    shown: bool,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { seen: std::io::stderr().is_terminal(), next: Instant::now() + PATIENCE, shown: false }
    }

    /// Shows how far it is, if it is time to.
    pub(super) fn show(&mut self, progress: &Progress) {
        if !self.seen || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + STEP;
        self.shown = true;
        // Where nobody looks there is nobody to tell.
        let _ = write!(std::io::stderr(), "\r\x1b[K{}", text(progress));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn text(progress: &Progress) -> String {
    match progress {
        Progress::Listing => "listing files".to_owned(),
        Progress::Reading { done, of } => format!("reading files: {done} of {of}"),
        Progress::Viewing { done, of } => format!("inheriting values: {done} of {of} pallets"),
    }
}
