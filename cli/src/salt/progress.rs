//! The bar of `--progress`: drawn on standard error as minions return. Its text is `brine_render`'s.

use brine_render::out::{DEFAULT_COLUMNS, Progress};
use std::io::Write;
use std::time::Instant;

/// A bar that is being drawn.
pub(crate) struct Bar {
    progress: Progress,
    columns: usize,
    since: Instant,
}

impl Bar {
    /// Begins a bar for so many minions, and draws it empty.
    pub(crate) fn start(minions: usize) -> Self {
        let columns = columns();
        let (progress, first) = Progress::start(minions as u64, columns);
        write(&first);
        Self { progress, columns, since: Instant::now() }
    }

    /// So many have returned.
    pub(crate) fn update(&mut self, returned: usize) {
        let seconds = self.since.elapsed().as_secs_f64();
        if let Some(line) = self.progress.update(returned as u64, seconds, self.columns) {
            write(&line);
        }
    }
}

fn write(text: &str) {
    // Where nobody looks there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Columns of the terminal that standard error is; without one stock's package takes one less than `COLUMNS`.
fn columns() -> usize {
    match rustix::termios::tcgetwinsize(std::io::stderr()) {
        Ok(size) => size.ws_col.into(),
        Err(_) => {
            let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok());
            columns.map_or(DEFAULT_COLUMNS, |c| c.saturating_sub(1))
        }
    }
}
