//! Objects of a repository, by one `git cat-file --batch` that stays; one that failed is replaced at the next question.

use super::program::Git;
use super::refs::Oid;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

/// The longest commit or target of a link that is read.
const MOST_TEXT: u64 = 1 << 20;

/// The answers to questions for one repository, one at a time.
#[derive(Debug)]
pub(crate) struct Objects {
    git: Git,
    running: Mutex<Option<Reader>>,
}

#[derive(Debug)]
struct Reader {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a question is answered with.
enum Header {
    Missing,
    Found { kind: String, size: u64 },
}

impl Objects {
    pub(crate) fn new(git: Git) -> Self {
        Self { git, running: Mutex::new(None) }
    }

    /// Ends the program; the next question starts another.
    pub(crate) fn stop(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Writes what is in a file; `None` if there is no such object, or no file. How many bytes it was.
    ///
    /// # Errors
    /// It is longer than `most`, git ended, or it cannot be written.
    pub(crate) fn copy(&self, blob: &Oid, most: u64, to: &mut dyn Write) -> io::Result<Option<u64>> {
        self.ask(blob.as_str(), |kind, size, from| {
            if kind != "blob" {
                return Ok(None);
            }
            if size > most {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!("the file is larger than {most} bytes"),
                ));
            }
            io::copy(&mut from.take(size), to).map(Some)
        })
    }

    /// A short text: the target of a link.
    pub(crate) fn text(&self, blob: &Oid) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        Ok(self.copy(blob, MOST_TEXT, &mut text)?.map(|_| text))
    }

    /// The tree of a commit, by its id or the beginning of it; `None` if there is no such commit, or more than one.
    ///
    /// # Errors
    /// Git ended.
    pub(crate) fn commit_tree(&self, id: &str) -> io::Result<Option<Oid>> {
        let hex = id.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex || !(4..=64).contains(&id.len()) {
            return Ok(None);
        }
        self.ask(id, |kind, size, from| {
            if kind != "commit" || size > MOST_TEXT {
                return Ok(None);
            }
            let mut text = Vec::new();
            from.take(size).read_to_end(&mut text)?;
            let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
            Ok(std::str::from_utf8(line).ok().and_then(|line| Oid::parse(line.strip_prefix("tree ")?)))
        })
    }

    /// One question. What the taker leaves unread is thrown away, or git with it if that is much.
    fn ask<T>(
        &self,
        id: &str,
        take: impl FnOnce(&str, u64, &mut dyn Read) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // One that ended while nobody asked is found out at the first question, and replaced.
        let mut reader = match running.take() {
            Some(reader) => reader,
            None => self.start()?,
        };
        let header = match reader.question(id) {
            Ok(header) => header,
            Err(_) => {
                reader = self.start()?;
                reader.question(id)?
            }
        };
        let Header::Found { kind, size } = header else {
            *running = Some(reader);
            return Ok(None);
        };
        let mut body = (&mut reader.from).take(size);
        let taken = take(&kind, size, &mut body);
        if body.limit() <= MOST_TEXT {
            let skipped = io::copy(&mut body, &mut io::sink()).is_ok() && body.limit() == 0;
            let mut end = [0];
            if skipped && reader.from.read_exact(&mut end).is_ok() && end == *b"\n" {
                *running = Some(reader);
            } else if taken.is_ok() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        taken
    }

    fn start(&self) -> io::Result<Reader> {
        let mut command = self.git.command(&["cat-file", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Reader { child, to, from: BufReader::with_capacity(64 << 10, from) })
    }
}

impl Reader {
    fn question(&mut self, id: &str) -> io::Result<Header> {
        self.to.write_all(format!("{id}\n").as_bytes())?;
        self.to.flush()?;
        let mut line = Vec::new();
        (&mut self.from).take(4096).read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        if !line.ends_with('\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let parts: Vec<&str> = line.split_whitespace().collect();
        match parts[..] {
            [_, "missing" | "ambiguous"] => Ok(Header::Missing),
            [_, kind, size] => match size.parse() {
                Ok(size) => Ok(Header::Found { kind: kind.to_owned(), size }),
                Err(_) => Err(io::ErrorKind::InvalidData.into()),
            },
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
