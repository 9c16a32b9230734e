//! Tables of the kernel's network, asked for over its routing socket: messages and their attributes, as bytes.

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use std::io;
use std::os::fd::AsRawFd;

/// Ask for links, addresses or neighbours.
pub(super) const LINKS: u16 = 18;
pub(super) const ADDRESSES: u16 = 22;
pub(super) const NEIGHBOURS: u16 = 30;

const HEADER: usize = 16;
const REQUEST_DUMP: u16 = 0x301;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// As large as the kernel makes a part of an answer.
const PART: usize = 64 << 10;
/// Messages of one answer.
const MOST: usize = 100_000;

/// Every message of a table, without its header.
pub(super) fn dump(what: u16) -> io::Result<Vec<Vec<u8>>> {
    let kind = SockType::Raw;
    let fd = socket(AddressFamily::Netlink, kind, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    let mut request = Vec::new();
    // As long a body as any of the three has: zeros ask for all of them.
    request.extend(((HEADER + 16) as u32).to_ne_bytes());
    request.extend(what.to_ne_bytes());
    request.extend(REQUEST_DUMP.to_ne_bytes());
    request.resize(HEADER + 16, 0);
    send(fd.as_raw_fd(), &request, MsgFlags::empty())?;
    let (mut all, mut part) = (Vec::new(), vec![0; PART]);
    while all.len() < MOST {
        let length = recv(fd.as_raw_fd(), &mut part, MsgFlags::empty())?;
        let mut rest = &part[..length];
        while let Some(length) = number(rest, 0) {
            let length = length as usize;
            let Some(message) = rest.get(..length).filter(|m| m.len() >= HEADER) else { break };
            match u16::from_ne_bytes([message[4], message[5]]) {
                DONE => return Ok(all),
                ERROR => {
                    let code = number(message, HEADER).unwrap_or_default() as i32;
                    return Err(io::Error::from_raw_os_error(-code));
                }
                _ => all.push(message[HEADER..].to_vec()),
            }
            rest = rest.get(aligned(length)..).unwrap_or_default();
        }
    }
    Ok(all)
}

fn aligned(length: usize) -> usize {
    length.div_ceil(4) * 4
}

/// Four bytes as a number.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The attributes after a fixed part: kind and bytes.
pub(super) fn attributes(message: &[u8], fixed: usize) -> Vec<(u16, &[u8])> {
    let mut rest = message.get(fixed..).unwrap_or_default();
    let mut all = Vec::new();
    while rest.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        // The upper bits say how it is written.
        let kind = u16::from_ne_bytes([rest[2], rest[3]]) & 0x3fff;
        let Some(value) = rest.get(4..length) else { break };
        all.push((kind, value));
        rest = rest.get(aligned(length)..).unwrap_or_default();
    }
    all
}
