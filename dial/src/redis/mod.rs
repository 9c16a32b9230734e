//! One Redis server, or the members of a cluster: whoever holds a key is asked for it.

mod resp;

use crate::{CONNECT, Fault, Wire};
use brine_core::Secret;
pub use resp::Reply;
use resp::{encode, read};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A host and a port.
    Tcp(String, u16),
    /// A socket on this machine.
    Unix(PathBuf),
}

/// What is needed to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server, where this is no cluster.
    pub place: Place,
    /// The number of the database.
    pub db: String,
    /// The password, if one is needed.
    pub password: Option<Secret>,
    /// The members to start with, where this is a cluster.
    pub cluster: Option<Vec<Place>>,
    /// Whether a cluster may lack keys.
    pub partial: bool,
}

const SLOTS: u16 = 16384;
/// How often a command follows a key that moves.
const MOVES: usize = 5;

/// Connections to one server or to the members of a cluster, made when they are needed.
pub struct Server {
    settings: Settings,
    open: BTreeMap<Place, Wire>,
    /// First slot, last slot, who holds them; empty where there is no cluster.
    slots: Vec<(u16, u16, Place)>,
}

impl Server {
    /// Connects: to the server, or to the first member of the cluster that answers.
    pub fn connect(settings: Settings) -> Result<Self, Fault> {
        let mut server = Self { settings, open: BTreeMap::new(), slots: Vec::new() };
        match server.settings.cluster.clone() {
            None => drop(server.at(&server.settings.place.clone())?),
            Some(members) => server.learn(&members)?,
        }
        Ok(server)
    }

    /// The connection to a place.
    fn at(&mut self, place: &Place) -> Result<&mut Wire, Fault> {
        if !self.open.contains_key(place) {
            let mut wire = match place {
                Place::Tcp(host, port) => Wire::tcp(host, *port, CONNECT)?,
                Place::Unix(path) => Wire::unix(path)?,
            };
            if let Some(password) = &self.settings.password {
                call(&mut wire, &["AUTH", password.reveal()])?;
            }
            if self.settings.cluster.is_none() && self.settings.db != "0" {
                call(&mut wire, &["SELECT", &self.settings.db])?;
            }
            self.open.insert(place.clone(), wire);
        }
        self.open.get_mut(place).ok_or(Fault::Nonsense("no connection"))
    }

    /// Asks the first member that answers who holds what.
    fn learn(&mut self, members: &[Place]) -> Result<(), Fault> {
        let mut why = Fault::Connect("the cluster".into(), "no startup_nodes".into());
        for member in members {
            let answer = self.at(member).and_then(|wire| call(wire, &["CLUSTER", "SLOTS"]));
            match answer.and_then(|reply| slots(reply, member)) {
                Ok(slots) => {
                    self.slots = slots;
                    return self.check_coverage();
                }
                Err(e) => why = e,
            }
        }
        Err(why)
    }

    /// Keys that nobody holds are an error where a member demands that all are held.
    fn check_coverage(&mut self) -> Result<(), Fault> {
        let covered: u32 =
            self.slots.iter().map(|(from, to, _)| u32::from(to.saturating_sub(*from)) + 1).sum();
        if self.settings.partial || covered >= u32::from(SLOTS) {
            return Ok(());
        }
        for place in self.masters() {
            let answer = call(self.at(&place)?, &["CONFIG", "GET", "cluster-require-full-coverage"])?;
            if answer.texts()?.get(1).is_some_and(|value| value == "yes") {
                let text = format!("All slots are not covered: {covered} of {SLOTS}");
                return Err(Fault::Refused { code: "CLUSTERDOWN".into(), text });
            }
        }
        Ok(())
    }

    /// Every server that holds keys of its own.
    fn masters(&self) -> Vec<Place> {
        if self.settings.cluster.is_none() {
            return vec![self.settings.place.clone()];
        }
        let mut places: Vec<_> = self.slots.iter().map(|(_, _, place)| place.clone()).collect();
        places.sort();
        places.dedup();
        places
    }

    fn holder(&self, key: &str) -> Result<Place, Fault> {
        if self.settings.cluster.is_none() {
            return Ok(self.settings.place.clone());
        }
        let slot = slot(key);
        let found = self.slots.iter().find(|(from, to, _)| (*from..=*to).contains(&slot));
        found.map(|(_, _, place)| place.clone()).ok_or_else(|| Fault::Refused {
            code: "CLUSTERDOWN".into(),
            text: format!("nobody holds slot {slot}"),
        })
    }

    /// A command about the key that is its second word.
    pub fn call(&mut self, args: &[&str]) -> Result<Reply, Fault> {
        let mut place = self.holder(args.get(1).copied().unwrap_or(""))?;
        let mut asking = false;
        for _ in 0..MOVES {
            let wire = self.at(&place)?;
            if asking {
                call(wire, &["ASKING"])?;
            }
            match call(wire, args) {
                Err(Fault::Refused { code, text }) if code == "MOVED" || code == "ASK" => {
                    let to = text.rsplit(' ').next().and_then(|to| address(to, &place));
                    let to = to.ok_or(Fault::Nonsense("a key that moved nowhere"))?;
                    asking = code == "ASK";
                    if !asking {
                        // What else has moved. Where that cannot be learned now, this key's place is known all the same.
                        let _later = self.learn(std::slice::from_ref(&to));
                    }
                    place = to;
                }
                other => return other,
            }
        }
        Err(Fault::Nonsense("a key that keeps moving"))
    }

    /// Several commands; all are sent before the first reply is read where one server takes them all.
    ///
    /// # Errors
    /// The first, after all have been tried.
    pub fn pipeline(&mut self, commands: &[Vec<&str>]) -> Result<(), Fault> {
        let mut result = Ok(());
        if self.settings.cluster.is_some() {
            for command in commands {
                result = result.and(self.call(command).map(drop));
            }
            return result;
        }
        let wire = self.at(&self.settings.place.clone())?;
        wire.send(&commands.iter().flat_map(|command| encode(command)).collect::<Vec<u8>>())?;
        for _ in commands {
            match read(wire) {
                Ok(_) => {}
                Err(e @ Fault::Refused { .. }) => result = result.and(Err(e)),
                Err(broken) => return Err(broken),
            }
        }
        result
    }

    /// All keys that match, without holding the server up.
    pub fn scan(&mut self, pattern: &str) -> Result<Vec<String>, Fault> {
        let mut keys = std::collections::BTreeSet::new();
        for place in self.masters() {
            let mut cursor = "0".to_owned();
            loop {
                let reply = call(self.at(&place)?, &["SCAN", &cursor, "MATCH", pattern, "COUNT", "1000"])?;
                let mut parts = reply.list()?.into_iter();
                let next = parts.next().ok_or(Fault::Nonsense("no cursor"))?.text()?;
                keys.extend(parts.next().ok_or(Fault::Nonsense("no keys"))?.texts()?);
                cursor = next.unwrap_or_default();
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(keys.into_iter().collect())
    }
}

fn call(wire: &mut Wire, args: &[&str]) -> Result<Reply, Fault> {
    wire.send(&encode(args))?;
    read(wire)
}

/// `host:port`; without a host it is the one that says so.
fn address(text: &str, from: &Place) -> Option<Place> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    match (host, from) {
        ("", Place::Tcp(own, _)) => Some(Place::Tcp(own.clone(), port)),
        ("", Place::Unix(_)) => None,
        (host, _) => Some(Place::Tcp(host.to_owned(), port)),
    }
}

/// What `CLUSTER SLOTS` says: for each range its ends and its servers, of which the first is the master.
fn slots(reply: Reply, from: &Place) -> Result<Vec<(u16, u16, Place)>, Fault> {
    const BAD: Fault = Fault::Nonsense("slots that make no sense");
    let mut out = Vec::new();
    for range in reply.list()? {
        let mut parts = range.list()?.into_iter();
        let end = |part: Option<Reply>| match part {
            Some(Reply::Int(i)) => u16::try_from(i).ok().filter(|i| *i < SLOTS).ok_or(BAD),
            _ => Err(BAD),
        };
        let (first, last) = (end(parts.next())?, end(parts.next())?);
        let mut master = parts.next().ok_or(BAD)?.list()?.into_iter();
        let host = master.next().ok_or(BAD)?.text()?.unwrap_or_default();
        let port = match master.next() {
            Some(Reply::Int(port)) => port,
            _ => return Err(BAD),
        };
        out.push((first, last, address(&format!("{host}:{port}"), from).ok_or(BAD)?));
    }
    Ok(out)
}

/// The slot of a key: CRC-16 (XMODEM) of the part in braces, if there is one, else of all.
fn slot(key: &str) -> u16 {
    let tagged = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let mut crc: u16 = 0;
    for byte in tagged.filter(|tag| !tag.is_empty()).unwrap_or(key).bytes() {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
    }
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_slots_that_redis_gives_them() {
        // As `CLUSTER KEYSLOT` says.
        for (key, want) in [("123456789", 12739), ("foo", 12182), ("{foo}bar", 12182), ("a{}b", slot("a{}b"))]
        {
            assert_eq!(slot(key), want, "{key}");
        }
        assert_ne!(slot("a{}b"), slot(""));
    }

    #[test]
    fn a_member_without_a_host_is_on_the_one_that_was_asked() {
        let from = Place::Tcp("h".into(), 1);
        let reply = |host: &str| {
            let master = vec![Reply::Text(host.into()), Reply::Int(7), Reply::Text("id".into())];
            Reply::List(vec![Reply::List(vec![Reply::Int(0), Reply::Int(16383), Reply::List(master)])])
        };
        assert_eq!(slots(reply(""), &from).unwrap(), [(0, 16383, Place::Tcp("h".into(), 7))]);
        assert_eq!(slots(reply("::1"), &from).unwrap(), [(0, 16383, Place::Tcp("::1".into(), 7))]);
        assert!(slots(Reply::List(vec![Reply::List(vec![Reply::Int(20000)])]), &from).is_err());
    }

    /// Answers each command by a function of it, on connections that come one after the other.
    fn member(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    let command = String::from_utf8_lossy(&buffer[..read]).into_owned();
                    stream.write_all(answer(&command).as_bytes()).unwrap();
                }
            }
        });
        port
    }

    fn all_slots(port: u16) -> String {
        format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n")
    }

    #[test]
    fn a_key_that_has_moved_is_followed() {
        let asked = |command: &str, word: &str| command.contains(word);
        let new = member(move |command| match () {
            () if asked(command, "ASKING") => "+OK\r\n".into(),
            () if asked(command, "GET") => "$3\r\nnew\r\n".into(),
            () => format!("-ERR {}\r\n", command.len()),
        });
        for word in ["MOVED", "ASK"] {
            let (own, port) = (std::sync::Arc::new(std::sync::atomic::AtomicU16::new(0)), new);
            let me = std::sync::Arc::clone(&own);
            // The one that holds it now is asked for all slots when it has moved for good; here the old one says so.
            let old = member(move |command| match asked(command, "SLOTS") {
                true => all_slots(me.load(std::sync::atomic::Ordering::Relaxed)),
                false => format!("-{word} 12182 127.0.0.1:{port}\r\n"),
            });
            own.store(old, std::sync::atomic::Ordering::Relaxed);
            let settings = Settings {
                place: Place::Tcp("unused".into(), 1),
                db: "0".into(),
                password: None,
                cluster: Some(vec![Place::Tcp("127.0.0.1".into(), old)]),
                partial: true,
            };
            let mut server = Server::connect(settings).unwrap();
            let found = server.call(&["GET", "foo"]);
            assert_eq!(found.unwrap().text().unwrap().as_deref(), Some("new"), "{word}");
        }
    }
}
