//! `smtp`: a mail for each group of alerts.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brine_core::clock::Clock;
use brine_dial::Fault;
use brine_dial::smtp::{Client, Mail};

use crate::Labels;
use crate::conf::{ConfError, Hidden, Keys};
use crate::notice::fingerprint;
use crate::queue::Item;
use crate::sinks::http::named;
use crate::sinks::settings::told_by;
use crate::sinks::text::{headline, label, lines, one_line};
use crate::sinks::{Around, Kind, Outcome, Sink};

pub(super) static KIND: Kind = Kind {
    name: "smtp",
    doc: "Sends a mail for each group of alerts.",
    keys: &[
        ("host, port", "the mail server; the port is 25, 587 with a username, 465 with tls"),
        ("security", "starttls (the default), tls, or none: then without a username"),
        (
            "username, password_file, password_env",
            "who we are: AUTH PLAIN, LOGIN or CRAM-MD5, as the server offers",
        ),
        ("from, to", "addresses; to is a list"),
        ("ca, cert, key, verify", "TLS"),
    ],
    batch: 200,
    group_wait: Some(Duration::from_secs(30)),
    rate: Some("30/1m"),
    make,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    StartTls,
    Tls,
    Clear,
}

struct Smtp {
    host: String,
    port: u16,
    security: Security,
    tls: Arc<rustls::ClientConfig>,
    login: Option<(String, Hidden)>,
    from: String,
    to: Vec<String>,
    by: Vec<String>,
}

fn make(keys: &mut Keys<'_>, _: &Around) -> Result<Box<dyn Sink>, ConfError> {
    let security = match keys.text("security")?.as_deref() {
        None | Some("starttls") => Security::StartTls,
        Some("tls") => Security::Tls,
        Some("none") => Security::Clear,
        Some(_) => return Err(keys.error("security", "has to be starttls, tls or none")),
    };
    let login = named(keys)?;
    if login.is_some() && security == Security::Clear {
        return Err(keys.error("security", "no password is told in clear"));
    }
    let usual = match security {
        Security::Tls => 465,
        _ if login.is_some() => 587,
        _ => 25,
    };
    let port = u16::try_from(keys.count("port", usual, 1, 65535)?).unwrap_or(25);
    let from = address(&keys.need("from")?).ok_or_else(|| keys.error("from", "is no address"))?;
    let to = keys.texts("to")?.iter().map(|to| address(to)).collect::<Option<Vec<_>>>();
    let to =
        to.filter(|to| !to.is_empty()).ok_or_else(|| keys.error("to", "has to be a list of addresses"))?;
    Ok(Box::new(Smtp {
        host: keys.need("host")?,
        port,
        security,
        tls: keys.tls()?.config().map_err(|e| ConfError::new(keys.at(), e.to_string()))?,
        login,
        from,
        to,
        by: told_by(keys)?,
    }))
}

/// An address that can stand in a command and in a head: nothing in it ends either.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_graphic() && !"<>,;:\"()[]\\".contains(c);
    let (user, host) = text.split_once('@')?;
    (!user.is_empty() && !host.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
}

/// A header's text: words beyond ASCII are encoded (RFC 2047), in pieces that fit a line.
fn header(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().take(900).collect();
    }
    let (mut words, mut piece) = (Vec::new(), String::new());
    for c in text.chars().take(300) {
        if piece.len() + c.len_utf8() > 42 {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(c);
    }
    words.push(piece);
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// A body in lines of base64: nothing that is said in it can be taken for anything else.
fn body(text: &str) -> String {
    let encoded = STANDARD.encode(text.replace('\n', "\r\n"));
    let mut out = String::with_capacity(encoded.len() + encoded.len() / 38);
    for (n, c) in encoded.chars().enumerate() {
        if n > 0 && n % 76 == 0 {
            out += "\r\n";
        }
        out.push(c);
    }
    out + "\r\n"
}

impl Smtp {
    fn message(&self, batch: &[Item], now: SystemTime) -> String {
        let domain = self.from.split_once('@').map_or("localhost", |(_, domain)| domain);
        let unix = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let date = Clock::at(i64::try_from(unix).unwrap_or(0), 0).strftime("%a, %d %b %Y %H:%M:%S +0000");
        // A mail that comes again has the id that it had, and all mails of a group are one thread.
        let id = batch.first().map_or("", |item| item.id.as_str());
        let group: Labels = batch.first().map_or_else(Labels::new, |item| {
            self.by.iter().map(|name| (name.clone(), label(&item.notice, name).to_owned())).collect()
        });
        let text: String = batch.iter().map(|item| lines(&item.notice) + "\n").collect();
        format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{id}@{domain}>\r\n\
             References: <group-{}@{domain}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            self.from,
            self.to.join(",\r\n "),
            header(&one_line(&headline(batch, &self.by))),
            fingerprint(&group),
            body(&text),
        )
    }

    fn mail(&self, batch: &[Item]) -> Result<(), Fault> {
        let tls = || Arc::clone(&self.tls);
        let mut client = match self.security {
            Security::Clear => Client::connect(&self.host, self.port)?,
            Security::StartTls => Client::connect(&self.host, self.port)?.start_tls(&self.host, tls())?,
            Security::Tls => Client::connect_tls(&self.host, self.port, tls())?,
        };
        if let Some((user, password)) = &self.login {
            let password = password.get().map_err(|why| Fault::Connect(self.host.clone(), why))?;
            client.login(user, &password)?;
        }
        let message = self.message(batch, SystemTime::now());
        client.send(&Mail { from: self.from.clone(), to: self.to.clone(), message })
    }
}

impl Sink for Smtp {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        match self.mail(batch) {
            Ok(()) => Outcome::Delivered,
            // The mail itself is what these are about; all else may be put right.
            Err(Fault::Refused { code, text }) if matches!(code.as_str(), "552" | "554") => {
                Outcome::Refused(text)
            }
            Err(e) => Outcome::Retry(None, e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::sinks::text::tests::item;

    fn sink() -> Smtp {
        Smtp {
            host: "localhost".into(),
            port: 25,
            security: Security::Clear,
            tls: brine_dial::Tls::default().config().unwrap(),
            login: None,
            from: "brine@example.org".into(),
            to: vec!["a@example.org".into(), "b@example.org".into()],
            by: vec!["alertname".into(), "site".into()],
        }
    }

    #[test]
    fn a_mail_says_what_and_nothing_said_becomes_a_head() {
        let one = item(3, Status::Firing, &[("alertname", "Disk\u{e4}\r\nBcc: x@y"), ("site", "akl")]);
        let message = sink().message(std::slice::from_ref(&one), UNIX_EPOCH);
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("\nBcc"), "{head}");
        assert!(
            head.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <id-3@example.org>"),
            "{head}"
        );
        let text = STANDARD.decode(body.replace("\r\n", "")).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("firing since 2023-11-14T22:13:20Z: Disk\u{e4} Bcc: x@y"), "{text}");
        assert!(body.lines().all(|line| line.len() <= 76));
        // All of a group are one thread, whatever else they say.
        let references = |message: &str| {
            message.lines().find(|line| line.starts_with("References")).map(str::to_owned).unwrap()
        };
        let two = item(
            4,
            Status::Resolved,
            &[("alertname", "Disk\u{e4}\r\nBcc: x@y"), ("site", "akl"), ("x", "y")],
        );
        assert_eq!(references(&message), references(&sink().message(&[two], UNIX_EPOCH)));
    }

    #[test]
    fn words_beyond_ascii_fit_their_lines() {
        let text = "\u{fc}".repeat(100);
        let encoded = header(&text);
        assert!(encoded.split("\r\n ").all(|word| word.len() <= 75), "{encoded}");
        let decoded: Vec<u8> = encoded
            .split("\r\n ")
            .flat_map(|word| STANDARD.decode(&word[10..word.len() - 2]).unwrap())
            .collect();
        assert_eq!(String::from_utf8(decoded).unwrap(), text);
    }

    #[test]
    fn an_address_is_one_word() {
        assert_eq!(address(" a.b@example.org "), Some("a.b@example.org".into()));
        for bad in ["a", "@b", "a@", "a b@c", "a@b>\r\nx", "a@b,c@d", "<a@b>"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
