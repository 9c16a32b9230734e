//! Dumps over route netlink: links, addresses, routes, neighbours. Only asks and reads; a reply is data, checked for its bounds.

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, setsockopt, socket,
    sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::os::fd::AsRawFd;

/// `RTM_GETLINK`; its replies are one less.
pub const GET_LINK: u16 = 18;
/// `RTM_GETADDR`.
pub const GET_ADDR: u16 = 22;
/// `RTM_GETROUTE`.
pub const GET_ROUTE: u16 = 26;
/// `RTM_GETNEIGH`.
pub const GET_NEIGHBOUR: u16 = 30;

const DUMP: u16 = 0x300;
const REQUEST: u16 = 1;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const HEADER: usize = 16;
/// The kernel sends a dump in pieces no longer than this.
const PIECE: usize = 64 << 10;

/// The bodies of all messages of a dump, in the kernel's order; of a family, or with 0 of all. From `most` on, no more are read.
///
/// # Errors
/// That of the kernel.
pub fn dump(kind: u16, family: u8, most: usize) -> io::Result<Vec<Vec<u8>>> {
    let fd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::seconds(2))?;
    // A header, then the largest of the fixed parts (ifinfomsg), all zero but the family.
    let mut request = Vec::with_capacity(32);
    request.extend_from_slice(&32u32.to_ne_bytes());
    request.extend_from_slice(&kind.to_ne_bytes());
    request.extend_from_slice(&(REQUEST | DUMP).to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.push(family);
    request.resize(32, 0);
    sendto(fd.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut out = Vec::new();
    let mut buffer = vec![0u8; PIECE];
    while out.len() < most {
        let n = recv(fd.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        let mut rest = buffer.get(..n).unwrap_or_default();
        if rest.is_empty() {
            return Ok(out);
        }
        while let Some((length, reply)) = header(rest) {
            match reply {
                DONE => return Ok(out),
                ERROR => {
                    let code = rest.get(HEADER..).and_then(number).unwrap_or_default() as i32;
                    return Err(io::Error::from_raw_os_error(code.wrapping_neg()));
                }
                _ => out.push(rest[HEADER..length].to_vec()),
            }
            rest = rest.get(aligned(length)..).unwrap_or_default();
        }
    }
    Ok(out)
}

/// Length and kind of the message at the front, if there is a whole one.
fn header(bytes: &[u8]) -> Option<(usize, u16)> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    (length >= HEADER && length <= bytes.len()).then_some((length, kind))
}

fn aligned(n: usize) -> usize {
    (n + 3) & !3
}

/// The attributes in a message, after its fixed part.
#[derive(Debug)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16::from_ne_bytes(self.0.get(..2)?.try_into().ok()?));
        // The two top bits say how it is encoded, not what it is.
        let kind = u16::from_ne_bytes(self.0.get(2..4)?.try_into().ok()?) & 0x3fff;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        Some((kind, value))
    }
}

/// The first attribute of a kind.
pub fn attribute(body: &[u8], fixed: usize, kind: u16) -> Option<&[u8]> {
    Attributes(body.get(fixed..)?).find(|(k, _)| *k == kind).map(|(_, v)| v)
}

/// A 32-bit number in the machine's order.
pub fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_attribute_ends_the_list() {
        let mut bytes = vec![6, 0, 3, 0, b'l', b'o', 0, 0];
        bytes.extend([200, 0, 1, 0]);
        let all: Vec<_> = Attributes(&bytes).collect();
        assert_eq!(all, [(3, &b"lo"[..])]);
        assert!(header(&[40, 0, 0, 0, 1, 0]).is_none());
    }

    #[test]
    fn the_loopback_link_is_in_the_dump() {
        let links = dump(GET_LINK, 0, usize::MAX).unwrap();
        assert!(links.iter().any(|l| attribute(l, 16, 3).is_some_and(|n| n.starts_with(b"lo\0"))));
    }
}
