//! A line on the terminal that tells how far a long load is. Nobody sees it for a short one, or where standard error is no terminal.

use brine_inventory::Progress;
use std::io::{IsTerminal, Stderr, Write};
use std::time::{Duration, Instant};

/// Loads shorter than this say nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// Time between two lines.
const STEP: Duration = Duration::from_millis(100);

/// The line.
pub(super) struct Line<W: Write = Stderr> {
    out: W,
    seen: bool,
    next: Instant,
    shown: bool,
}

impl Line {
    pub(super) fn new() -> Self {
        let out = std::io::stderr();
        Self { seen: out.is_terminal(), out, next: Instant::now() + PATIENCE, shown: false }
    }
}

impl<W: Write> Line<W> {
    /// Shows how far it is, if it is time to.
    pub(super) fn show(&mut self, progress: &Progress) {
        if !self.seen || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + STEP;
        self.shown = true;
        // Where nobody looks there is nobody to tell.
        let _ = write!(self.out, "\r\x1b[K{}", text(progress));
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(self.out, "\r\x1b[K");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_load_is_told_on_a_line_that_goes_away_again() {
        let steps = [Progress::Reading { done: 3, of: 9 }, Progress::Viewing { done: 0, of: 2 }];
        let told = |seen, wait| {
            let mut out = Vec::new();
            let next = Instant::now() + wait;
            let mut line = Line { out: &mut out, seen, next, shown: false };
            steps.iter().for_each(|p| line.show(p));
            drop(line);
            String::from_utf8(out).unwrap()
        };
        // The second step comes too soon after the first.
        assert_eq!(told(true, Duration::ZERO), "\r\x1b[Kreading files: 3 of 9\r\x1b[K");
        assert_eq!((told(false, Duration::ZERO), told(true, PATIENCE)), (String::new(), String::new()));
    }
}
