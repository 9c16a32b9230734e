//! Files of FTP servers: one login, one file, over passive connections to the host that was asked. Not TLS, which `ftp://` does not
//! mean.

use crate::{CONNECT, Fault, REPLY, tcp};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The longest line of a server, and the most lines of one answer.
const LINE: u64 = 4096;
const LINES: usize = 500;

/// A session of one server, logged in.
pub struct Ftp {
    control: BufReader<TcpStream>,
}

/// A file as it comes. [`Transfer::finish`] says whether that was all.
pub struct Transfer {
    data: TcpStream,
    session: Ftp,
}

impl Ftp {
    /// Logs in, as `anonymous` without a user.
    ///
    /// # Errors
    /// No connection, or the server's refusal.
    pub fn login(host: &str, port: u16, user: &str, password: &str) -> Result<Self, Fault> {
        let control = connect(host, port)?;
        let mut session = Self { control: BufReader::new(control) };
        session.answer(&["2"])?;
        let (user, password) = match (user, password) {
            ("" | "anonymous", "") => ("anonymous", "anonymous@"),
            known => known,
        };
        if session.ask(&format!("USER {user}"), &["2", "331"])?.starts_with('3') {
            session.ask(&format!("PASS {password}"), &["2"])?;
        }
        session.ask("TYPE I", &["2"])?;
        Ok(session)
    }

    /// Begins to fetch a file.
    ///
    /// # Errors
    /// The server's refusal, or no connection for data.
    pub fn retrieve(mut self, path: &str) -> Result<Transfer, Fault> {
        let peer = self.control.get_ref().peer_addr()?.ip();
        let port = if peer.is_ipv6() {
            let answer = self.ask("EPSV", &["229"])?;
            answer.rsplit('|').nth(1).and_then(|port| port.parse().ok())
        } else {
            let answer = self.ask("PASV", &["227"])?;
            // What the server says of its address is not believed: it could name any other.
            let numbers: Vec<u16> = answer[3..]
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse().ok().filter(|n| *n < 256))
                .collect();
            match numbers[..] {
                [.., high, low] if numbers.len() >= 6 => Some(high * 256 + low),
                _ => None,
            }
        };
        let port = port.ok_or(Fault::Nonsense("no port for data"))?;
        let data = connect(&peer.to_string(), port)?;
        self.ask(&format!("RETR {path}"), &["1"])?;
        Ok(Transfer { data, session: self })
    }

    /// A command, and its answer of one of these kinds.
    fn ask(&mut self, command: &str, kinds: &[&str]) -> Result<String, Fault> {
        if command.chars().any(char::is_control) {
            return Err(Fault::Nonsense("a name with control characters"));
        }
        self.control.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        self.answer(kinds)
    }

    fn answer(&mut self, kinds: &[&str]) -> Result<String, Fault> {
        let first = self.line()?;
        if first.get(3..4) == Some("-") {
            let end = format!("{} ", first.get(..3).unwrap_or_default());
            for more in 0.. {
                if more > LINES {
                    return Err(Fault::TooLarge(LINES));
                }
                if self.line()?.starts_with(&end) {
                    break;
                }
            }
        }
        match kinds.iter().any(|kind| first.starts_with(kind)) {
            true => Ok(first),
            false => Err(Fault::Refused { code: first.chars().take(3).collect(), text: first }),
        }
    }

    fn line(&mut self) -> Result<String, Fault> {
        let mut line = Vec::new();
        (&mut self.control).take(LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(Fault::Nonsense("a line without an end"));
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

impl Read for Transfer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.data.read(buffer)
    }
}

impl Transfer {
    /// The file has ended: whether the server thinks so, too.
    ///
    /// # Errors
    /// It does not.
    pub fn finish(mut self) -> Result<(), Fault> {
        drop(self.data);
        self.session.answer(&["2"])?;
        // Who has the file does not mind how the server takes leave.
        let _ = self.session.ask("QUIT", &["2"]);
        Ok(())
    }
}

fn connect(host: &str, port: u16) -> Result<TcpStream, Fault> {
    let stream = tcp(host, port, CONNECT)?;
    let limit = Some(Duration::from_secs(REPLY.as_secs().max(60)));
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server with one file, that names a foreign host for data; what it was told.
    fn server(last: &'static str) -> (u16, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let data = TcpListener::bind("127.0.0.1:0").unwrap();
            let at = data.local_addr().unwrap().port();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut out = stream;
            let mut told = Vec::new();
            out.write_all(b"220-Hello\r\n is said\r\n220 ready\r\n").unwrap();
            loop {
                let mut line = String::new();
                if lines.read_line(&mut line).unwrap_or(0) == 0 {
                    return told;
                }
                let answer = match line.split_whitespace().next().unwrap_or_default() {
                    "USER" => "331 password".into(),
                    "PASV" => format!("227 ok (10,9,8,7,{},{})", at / 256, at % 256),
                    "RETR" if line.contains("none") => "550 no such file".into(),
                    "RETR" => {
                        out.write_all(b"150 here\r\n").unwrap();
                        data.accept().unwrap().0.write_all(b"contents").unwrap();
                        last.to_owned()
                    }
                    _ => "200 ok".into(),
                };
                told.push(line.trim_end().to_owned());
                out.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
            }
        });
        (port, told)
    }

    #[test]
    fn a_file_comes_from_the_host_that_was_asked() {
        let (port, told) = server("226 done");
        let mut file = Ftp::login("127.0.0.1", port, "", "").unwrap().retrieve("a/b").unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        file.finish().unwrap();
        assert_eq!(text, "contents");
        let told = told.join().unwrap();
        assert_eq!(told, ["USER anonymous", "PASS anonymous@", "TYPE I", "PASV", "RETR a/b", "QUIT"]);
    }

    #[test]
    fn what_is_refused_or_broken_is_told() {
        let login = |port| Ftp::login("127.0.0.1", port, "u", "p").unwrap();
        let (port, _) = server("");
        let error = login(port).retrieve("none").err().unwrap().to_string();
        assert_eq!(error, "550 no such file");
        let (port, _) = server("426 broken");
        let mut file = login(port).retrieve("f").unwrap();
        std::io::copy(&mut file, &mut std::io::sink()).unwrap();
        assert_eq!(file.finish().unwrap_err().to_string(), "426 broken");
        let (port, _) = server("");
        assert!(login(port).retrieve("a\r\nDELE b").is_err());
        assert!(Ftp::login("127.0.0.1", 1, "", "").is_err());
    }
}
