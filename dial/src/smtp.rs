//! SMTP: what is said to a mail server, in the order in which Python's `smtplib` says it. What a mail is made of is the caller's business.

use crate::{CONNECT, Fault, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brine_core::Secret;
use brine_protocol::crypt::fingerprint::hex;
use hmac::{Hmac, KeyInit, Mac};
use std::net::IpAddr;
use std::sync::Arc;

/// A line of an answer, and how many lines one has.
const MAX_LINE: usize = 8192;
const MAX_LINES: usize = 200;

/// Who sends what to whom.
pub struct Mail {
    /// The address that gets what cannot be delivered.
    pub from: String,
    /// Addresses.
    pub to: Vec<String>,
    /// Head and body. Lines end in CR LF.
    pub message: String,
}

/// A connection to a mail server that has been greeted.
pub struct Client {
    wire: Wire,
    /// What the server can do, in lower case.
    can: Vec<String>,
}

impl Client {
    /// Connects in clear, and greets.
    ///
    /// # Errors
    /// When nobody is there, or it is no mail server.
    pub fn connect(host: &str, port: u16) -> Result<Self, Fault> {
        Self::greeted(Wire::tcp(host, port, CONNECT)?)
    }

    /// Connects in TLS from the first byte on, and greets.
    ///
    /// # Errors
    /// When nobody is there, or nobody who proves this name.
    pub fn connect_tls(host: &str, port: u16, config: Arc<rustls::ClientConfig>) -> Result<Self, Fault> {
        Self::greeted(Wire::tcp(host, port, CONNECT)?.start_tls(host, config)?)
    }

    fn greeted(wire: Wire) -> Result<Self, Fault> {
        let mut client = Self { wire, can: Vec::new() };
        client.answer("220")?;
        client.greet()?;
        Ok(client)
    }

    /// The code and the text of an answer; all lines have the same code.
    fn read(&mut self) -> Result<(String, Vec<String>), Fault> {
        let mut lines = Vec::new();
        loop {
            let line = String::from_utf8_lossy(&self.wire.line(MAX_LINE)?).into_owned();
            let (code, text) = line.split_at_checked(3).ok_or(Fault::Nonsense("an answer without code"))?;
            let last = !text.starts_with('-');
            lines.push(text.get(1..).unwrap_or("").to_owned());
            if last {
                return Ok((code.to_owned(), lines));
            }
            if lines.len() == MAX_LINES {
                return Err(Fault::Nonsense("an answer without end"));
            }
        }
    }

    /// An answer whose code begins like this.
    fn answer(&mut self, want: &str) -> Result<Vec<String>, Fault> {
        let (code, lines) = self.read()?;
        if code.starts_with(want) {
            return Ok(lines);
        }
        let text = format!("({code}, {})", brine_core::text::python_repr(&lines.join("\n").into()));
        Err(Fault::Refused { code, text })
    }

    fn say(&mut self, line: &str, want: &str) -> Result<Vec<String>, Fault> {
        self.wire.send(format!("{line}\r\n").as_bytes())?;
        self.answer(want)
    }

    fn greet(&mut self) -> Result<(), Fault> {
        let name = self.own_name();
        match self.say(&format!("ehlo {name}"), "2") {
            Ok(lines) => self.can = lines.iter().skip(1).map(|line| line.to_lowercase()).collect(),
            Err(Fault::Refused { .. }) => {
                self.say(&format!("helo {name}"), "2")?;
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// The host's name if it is a full one, else its address.
    fn own_name(&self) -> String {
        let host =
            nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        if host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')) {
            return host;
        }
        match self.wire.local_ip() {
            Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            Some(ip) => format!("[{ip}]"),
            None => "[127.0.0.1]".into(),
        }
    }

    fn can(&self, word: &str) -> Option<&str> {
        self.can.iter().find_map(|line| {
            line.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with([' ', '=']))
        })
    }

    /// Goes on in TLS. What the server said of itself before does not count any more.
    ///
    /// # Errors
    /// When the server cannot, or does not prove this name.
    pub fn start_tls(mut self, host: &str, config: Arc<rustls::ClientConfig>) -> Result<Self, Fault> {
        if self.can("starttls").is_none() {
            return Err(Fault::Refused {
                code: String::new(),
                text: "STARTTLS extension not supported by server.".into(),
            });
        }
        self.say("STARTTLS", "220")?;
        let mut client = Self { wire: self.wire.start_tls(host, config)?, can: Vec::new() };
        client.greet()?;
        Ok(client)
    }

    /// Tells who we are, in the first way that works of those that the server offers.
    ///
    /// # Errors
    /// When none works.
    pub fn login(&mut self, user: &str, password: &Secret) -> Result<(), Fault> {
        let offered: Vec<String> = self
            .can("auth")
            .unwrap_or("")
            .split([' ', '='])
            .map(str::to_owned)
            .filter(|way| !way.is_empty())
            .collect();
        let mut last = Fault::Refused {
            code: String::new(),
            text: "SMTP AUTH extension not supported by server.".into(),
        };
        for way in ["cram-md5", "plain", "login"] {
            if !offered.iter().any(|one| one == way) {
                continue;
            }
            let done = match way {
                "cram-md5" => self.cram_md5(user, password),
                "plain" => {
                    let both = STANDARD.encode(format!("\0{user}\0{}", password.reveal()));
                    self.say(&format!("AUTH PLAIN {both}"), "2")
                }
                _ => self
                    .say(&format!("AUTH LOGIN {}", STANDARD.encode(user)), "334")
                    .and_then(|_| self.say(&STANDARD.encode(password.reveal()), "2")),
            };
            match done {
                Ok(_) => return Ok(()),
                Err(e @ Fault::Refused { .. }) => last = e,
                Err(e) => return Err(e),
            }
        }
        Err(last)
    }

    fn cram_md5(&mut self, user: &str, password: &Secret) -> Result<Vec<String>, Fault> {
        const BAD: Fault = Fault::Nonsense("a challenge that is none");
        let challenge = self.say("AUTH CRAM-MD5", "334")?;
        let challenge = STANDARD.decode(challenge.first().ok_or(BAD)?).map_err(|_| BAD)?;
        let mut mac = Hmac::<md5::Md5>::new_from_slice(password.reveal().as_bytes()).map_err(|_| BAD)?;
        mac.update(&challenge);
        let digest = hex(&mac.finalize().into_bytes());
        self.say(&STANDARD.encode(format!("{user} {digest}")), "2")
    }

    /// Sends a mail. It is an error if nobody gets it; some who do not are logged.
    ///
    /// # Errors
    /// What the server says, or that there is none any more.
    pub fn send(mut self, mail: &Mail) -> Result<(), Fault> {
        let body = stuffed(&mail.message);
        let mut from = format!("mail FROM:<{}>", mail.from);
        if self.can("size").is_some() {
            from += &format!(" size={}", mail.message.len());
        }
        if !mail.message.is_ascii() && self.can("8bitmime").is_some() {
            from += " body=8bitmime";
        }
        self.say(&from, "250")?;
        let mut refused = None;
        let mut taken = 0;
        for to in &mail.to {
            match self.say(&format!("rcpt TO:<{to}>"), "25") {
                Ok(_) => taken += 1,
                Err(Fault::Refused { code, text }) => {
                    tracing::warn!("smtp: the server takes no mail for {to}: {text}");
                    refused = Some(Fault::Refused { code, text });
                }
                Err(e) => return Err(e),
            }
        }
        if let (0, Some(e)) = (taken, refused) {
            let _gone_anyway = self.say("rset", "2");
            return Err(e);
        }
        self.say("data", "354")?;
        self.wire.send(body.as_bytes())?;
        self.answer("250")?;
        // It has the mail: what it says now changes nothing.
        let _gone_anyway = self.say("quit", "2");
        Ok(())
    }
}

/// Lines that begin with a dot get another, and a line with a dot ends it.
fn stuffed(message: &str) -> String {
    let mut out = String::with_capacity(message.len() + 8);
    for line in message.split_inclusive("\r\n") {
        if line.starts_with('.') {
            out.push('.');
        }
        out.push_str(line);
    }
    if !out.ends_with("\r\n") {
        out.push_str("\r\n");
    }
    out.push_str(".\r\n");
    out
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod server_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_do_not_end_a_mail_before_its_end() {
        assert_eq!(stuffed("a\r\n.\r\n..b"), "a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed("x\r\n"), "x\r\n.\r\n");
    }
}
