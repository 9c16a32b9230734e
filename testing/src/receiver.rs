//! A receiver of alerts by HTTP, as the sink `webhook` sends them, that is as bad as it is told to be.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;

use crate::Random;

/// How a receiver behaves.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Mood {
    /// It takes everything.
    Good,
    /// It says of everything that it is bad.
    Refuses,
    /// All that receivers do: takes, says that it is bad, fails, asks for patience, takes and is gone before it says so, or only hangs and
    /// is gone.
    Any,
    /// What [`Mood::Any`] does, without saying that something is bad.
    Failing,
    /// It cuts off whoever comes, as if it were not there.
    Away,
}

/// A receiver. It lives as long as the test's process.
#[derive(Clone, Debug)]
pub struct Receiver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    port: u16,
    mood: AtomicU8,
    came: Mutex<Vec<Json>>,
    random: Mutex<Random>,
}

impl Receiver {
    /// Starts one on a port that the system gives.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let this = Self(Arc::new(Inner {
            port,
            mood: AtomicU8::new(mood as u8),
            came: Mutex::default(),
            random: Mutex::new(Random::of_now()),
        }));
        let inner = Arc::clone(&this.0);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inner = Arc::clone(&inner);
                std::thread::spawn(move || while inner.serve(&stream).is_some() {});
            }
        });
        this
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// From now on it behaves so.
    pub fn mood(&self, mood: Mood) {
        self.0.mood.store(mood as u8, Ordering::Relaxed);
    }

    /// The alerts that it took, in their order; one whose answer was lost is there each time that it came.
    ///
    /// # Panics
    /// When a thread of the receiver panicked.
    pub fn came(&self) -> Vec<Json> {
        self.0.came.lock().unwrap().clone()
    }
}

impl Inner {
    /// One request of a connection; `None` when there will be no other.
    fn serve(&self, mut stream: &TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let body = body(stream)?;
        let chance = |below| self.random.lock().unwrap().below(below);
        let does = match self.mood.load(Ordering::Relaxed) {
            mood if mood == Mood::Good as u8 => 7,
            mood if mood == Mood::Refuses as u8 => 1,
            mood if mood == Mood::Any as u8 => chance(8),
            mood if mood == Mood::Failing as u8 => 2 + chance(6),
            _ => return None,
        };
        let mut answer = |status: &str| {
            stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).ok()
        };
        match does {
            1 => answer("400 Bad Request"),
            2 => answer("500 Oh"),
            3 => answer("429 Slow\r\nRetry-After: 0"),
            // It has it, and is cut off before it says so.
            4 => {
                self.take(&body);
                None
            }
            5 => {
                std::thread::sleep(Duration::from_millis(50));
                None
            }
            _ => {
                self.take(&body);
                answer("200 OK")
            }
        }
    }

    fn take(&self, body: &str) {
        let body: Json = serde_json::from_str(body).unwrap();
        self.came.lock().unwrap().extend(body["alerts"].as_array().unwrap().iter().cloned());
    }
}

/// The body of the next request.
fn body(mut stream: &TcpStream) -> Option<String> {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(body.to_owned());
            }
        }
        let mut some = [0; 4096];
        let read = stream.read(&mut some).ok().filter(|read| *read > 0)?;
        all.extend_from_slice(&some[..read]);
    }
}
