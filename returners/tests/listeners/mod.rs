//! Listeners of the tests' own that write down what they are told: one for HTTP, one for mail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// What a listener answers: status and body.
pub(crate) type Answer = Box<dyn FnMut(&Request) -> (u16, String) + Send>;

/// An HTTP server; it ends with the process.
pub(crate) struct Http {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Http {
    pub(crate) fn start(mut answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else { continue };
                let (status, body) = answer(&request);
                list.lock().unwrap().push(request.clone());
                // A body is announced in answers to HEAD too, and not sent.
                let shown = if request.method == "HEAD" { "" } else { &body };
                let _gone = write!(
                    &stream,
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nX-Elastic-Product: Elasticsearch\r\n\
                     Connection: close\r\nContent-Length: {}\r\n\r\n{shown}",
                    body.len(),
                );
            }
        });
        Self { port, seen }
    }

    /// What has come since the last time.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut content_type, mut authorization) = (0, None, None);
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else { break };
        let value = value.trim().to_owned();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "content-type" => content_type = Some(value),
            "authorization" => authorization = Some(value),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, content_type, authorization, body: String::from_utf8(body).ok()? })
}

/// A mail server; it ends with the process.
pub(crate) struct Mail {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Mail {
    /// A server that can do what the lines say; `refused` is an address that it takes no mail for.
    pub(crate) fn start(can: &'static [&'static str], refused: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _gone = serve(&stream, can, refused, &list);
            }
        });
        Self { port, seen }
    }

    /// What has been said since the last time, line by line.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(
    mut stream: &TcpStream,
    can: &[&str],
    refused: &str,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let reader = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n")?;
    let (mut in_mail, mut challenged) = (false, false);
    for line in reader.lines() {
        let line = line?;
        let upper = line.to_uppercase();
        let answer = if in_mail && line != "." {
            None
        } else if in_mail || upper.starts_with("MAIL") {
            in_mail = false;
            Some("250 ok".to_owned())
        } else if std::mem::take(&mut challenged) {
            Some("235 come in".into())
        } else if upper.starts_with("EHLO") {
            let lines: Vec<_> = can.iter().map(|line| format!("250-{line}\r\n")).collect();
            Some(format!("250-me\r\n{}250 HELP", lines.concat()))
        } else if upper.starts_with("RCPT") {
            Some(if line.contains(refused) { "550 unknown" } else { "250 ok" }.into())
        } else if upper.starts_with("AUTH CRAM-MD5") {
            challenged = true;
            Some("334 PDEyM0B4Pg==".into())
        } else if upper.starts_with("AUTH LOGIN") {
            challenged = true;
            Some("334 UGFzc3dvcmQ6".into())
        } else if upper.starts_with("AUTH") {
            Some("235 come in".into())
        } else if upper.starts_with("DATA") {
            in_mail = true;
            Some("354 go on".into())
        } else if upper.starts_with("QUIT") {
            Some("221 bye".into())
        } else {
            Some("500 what".into())
        };
        seen.lock().unwrap().push(line);
        if let Some(answer) = answer {
            stream.write_all(format!("{answer}\r\n").as_bytes())?;
        }
    }
    Ok(())
}
