//! Redis' protocol: commands as arrays of bulk strings, replies of five kinds.

use crate::{Fault, Wire};

/// How deep replies nest: `CLUSTER SLOTS` needs four.
const DEPTH: usize = 8;
const MAX_LINE: usize = 64 << 10;
/// How many members all lists of a reply may have: each takes more room here than on the wire.
const MEMBERS: usize = 4 << 20;

/// A reply that is no error.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// A missing value.
    Nil,
    /// A number.
    Int(i64),
    /// A simple or a bulk string.
    Text(Vec<u8>),
    /// Replies.
    List(Vec<Reply>),
}

impl Reply {
    /// The text; none if the value is missing.
    ///
    /// # Errors
    /// When it is something else, or not UTF-8.
    pub fn text(self) -> Result<Option<String>, Fault> {
        match self {
            Reply::Nil => Ok(None),
            Reply::Text(bytes) => {
                String::from_utf8(bytes).map(Some).map_err(|_| Fault::Nonsense("text that is not UTF-8"))
            }
            Reply::Int(i) => Ok(Some(i.to_string())),
            Reply::List(_) => Err(Fault::Nonsense("a list where text is due")),
        }
    }

    /// The list.
    pub fn list(self) -> Result<Vec<Reply>, Fault> {
        match self {
            Reply::List(list) => Ok(list),
            Reply::Nil => Ok(Vec::new()),
            _ => Err(Fault::Nonsense("no list where one is due")),
        }
    }

    /// The texts of a list, without what is missing.
    pub fn texts(self) -> Result<Vec<String>, Fault> {
        self.list()?.into_iter().filter_map(|one| one.text().transpose()).collect()
    }
}

/// A command as it is sent.
pub(super) fn encode(args: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Reads one reply; an error of the server is one here.
pub(super) fn read(wire: &mut Wire) -> Result<Reply, Fault> {
    nested(wire, 0, &mut { MEMBERS })
}

fn nested(wire: &mut Wire, depth: usize, members: &mut usize) -> Result<Reply, Fault> {
    if depth > DEPTH {
        return Err(Fault::Nonsense("lists too deep"));
    }
    let line = wire.line(MAX_LINE)?;
    let (kind, rest) = line.split_first().ok_or(Fault::Nonsense("an empty line"))?;
    let number = || -> Result<i64, Fault> {
        let text = std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok());
        text.ok_or(Fault::Nonsense("no number where one is due"))
    };
    match kind {
        b'+' => Ok(Reply::Text(rest.to_vec())),
        b'-' => {
            let text = String::from_utf8_lossy(rest).into_owned();
            let code = text.split(' ').next().unwrap_or("").to_owned();
            Err(Fault::Refused { code, text })
        }
        b':' => Ok(Reply::Int(number()?)),
        b'$' => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Reply::Nil) };
            let bytes = wire.exact(length)?;
            if wire.exact(2)? != b"\r\n" {
                return Err(Fault::Nonsense("a string without end"));
            }
            Ok(Reply::Text(bytes))
        }
        b'*' => {
            let Ok(count) = usize::try_from(number()?) else { return Ok(Reply::Nil) };
            *members =
                members.checked_sub(count).ok_or(Fault::Nonsense("more members than any reply has"))?;
            let mut list = Vec::new();
            for _ in 0..count {
                list.push(nested(wire, depth + 1, members)?);
            }
            Ok(Reply::List(list))
        }
        _ => Err(Fault::Nonsense("an unknown kind of reply")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::TcpListener;

    fn reply(bytes: &[u8]) -> Result<Reply, Fault> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut wire = Wire::tcp("127.0.0.1", port, crate::CONNECT).unwrap();
        listener.accept().unwrap().0.write_all(bytes).unwrap();
        read(&mut wire)
    }

    #[test]
    fn replies_of_all_kinds() {
        assert_eq!(encode(&["GET", "ä"]), "*2\r\n$3\r\nGET\r\n$2\r\nä\r\n".as_bytes());
        assert_eq!(reply(b"+OK\r\n").unwrap(), Reply::Text(b"OK".to_vec()));
        assert_eq!(reply(b"$-1\r\n").unwrap(), Reply::Nil);
        let list = vec![Reply::Int(-2), Reply::List(vec![]), Reply::Text(b"a\r\n".to_vec())];
        assert_eq!(reply(b"*3\r\n:-2\r\n*0\r\n$3\r\na\r\n\r\n").unwrap(), Reply::List(list));
        let Err(Fault::Refused { code, text }) = reply(b"-MOVED 1 a:2\r\n") else { panic!() };
        assert_eq!((code.as_str(), text.as_str()), ("MOVED", "MOVED 1 a:2"));
    }

    #[test]
    fn bad_replies_end_the_reading() {
        for bad in [
            &b"$x\r\n"[..],
            b"?\r\n",
            b"\r\n",
            b"$1\r\nabc",
            b"*1\r\n",
            b"$999999999999\r\n",
            b"*99999999\r\n",
        ] {
            assert!(reply(bad).is_err(), "{bad:?}");
        }
        assert!(matches!(reply(&b"*1\r\n".repeat(20)), Err(Fault::Nonsense("lists too deep"))));
    }
}
