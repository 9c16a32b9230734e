//! What a command does now, in one line of a terminal that is rewritten as it goes on: where a program turns it on, which it
//! does where a person sits before standard error, and nowhere else. What is no such line is written [`beside`] it.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the line is drawn.
const AGAIN: Duration = Duration::from_millis(200);

/// Takes the line away.
const CLEAR: &str = "\r\x1b[K";

static ON: AtomicBool = AtomicBool::new(false);
/// What is done, and since when.
static DOING: Mutex<Option<(String, Instant)>> = Mutex::new(None);
/// What stands in the terminal. Held by who writes there, which a terminal may let wait as long as it likes.
static DRAWN: Mutex<Option<String>> = Mutex::new(None);
static OVER: Condvar = Condvar::new();

/// The line is there as long as this is.
pub struct Shown(Option<JoinHandle<()>>);

/// Shows, until the result is dropped, what is done. `columns` says how wide the terminal is.
pub fn show(columns: fn() -> usize) -> Shown {
    if ON.swap(true, Ordering::Relaxed) {
        return Shown(None);
    }
    let thread = std::thread::Builder::new().name("progress".into()).spawn(move || {
        let mut drawn = lock(&DRAWN);
        while ON.load(Ordering::Relaxed) {
            draw(&mut drawn, columns());
            drawn = OVER.wait_timeout(drawn, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    });
    Shown(thread.ok())
}

impl Drop for Shown {
    fn drop(&mut self) {
        let Some(thread) = self.0.take() else { return };
        {
            let mut drawn = lock(&DRAWN);
            ON.store(false, Ordering::Relaxed);
            clear(&mut drawn);
            *lock(&DOING) = None;
        }
        OVER.notify_all();
        // It has nothing to say.
        let _ = thread.join();
    }
}

/// Says what is done now. Nothing, and no work, where nobody looks.
pub fn now(text: impl FnOnce() -> String) {
    if ON.load(Ordering::Relaxed) {
        let text = text();
        *lock(&DOING) = Some((text, Instant::now()));
    }
}

/// Writes to the terminal while the line is out of the way.
pub fn beside<T>(write: impl FnOnce() -> T) -> T {
    if !ON.load(Ordering::Relaxed) {
        return write();
    }
    let mut drawn = lock(&DRAWN);
    clear(&mut drawn);
    write()
}

fn lock<T>(what: &'static Mutex<T>) -> MutexGuard<'static, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn draw(drawn: &mut Option<String>, columns: usize) {
    let text = lock(&DOING).as_ref().map(|(doing, since)| fitting(doing, since.elapsed(), columns));
    if let Some(text) = text.filter(|text| drawn.as_ref() != Some(text)) {
        write(&format!("{CLEAR}{text}"));
        *drawn = Some(text);
    }
}

fn clear(drawn: &mut Option<String>) {
    if drawn.take().is_some() {
        write(CLEAR);
    }
}

fn write(text: &str) {
    let mut to = std::io::stderr().lock();
    // Where nobody looks there is nobody to tell.
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// The line: no wider than the terminal, in which it must not wrap, and without what a terminal would take for an order.
fn fitting(doing: &str, since: Duration, columns: usize) -> String {
    let seconds = match since.as_secs() {
        0 => String::new(),
        n => format!(" ({n} s)"),
    };
    let room = columns.saturating_sub(1 + seconds.len());
    let plain = doing.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut text: String = plain.clone().take(room).collect();
    if plain.count() > room && room > 3 {
        text = text.chars().take(room - 3).collect::<String>() + "...";
    }
    text + &seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_and_gives_no_orders() {
        let at = |text: &str, seconds: u64, columns| fitting(text, Duration::from_secs(seconds), columns);
        assert_eq!(at("[1/2] test.nop: a", 0, 80), "[1/2] test.nop: a");
        assert_eq!(at("[1/2] test.nop: a", 7, 80), "[1/2] test.nop: a (7 s)");
        assert_eq!(at("a\x1b[2J\nb", 0, 80), "a [2J b");
        assert_eq!(at("abcdefghijkl", 0, 9), "abcde...");
        assert_eq!(at("abcdefghijkl", 10, 15), "abcd... (10 s)");
        assert_eq!(at("abc", 0, 0), "");
    }
}
