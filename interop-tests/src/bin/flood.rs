//! A crowd of strangers for one master: `flood <address> <request port> <publish port> <seconds> <directory of public
//! keys> [<kind>]`. Every thread is a peer that does not tire: some talk no ZMTP, some announce or send huge frames, some send
//! requests that decode to nothing good, most ask `_auth` with real keys under ever new ids. They come from 127.0.0.2
//! and up, and from the address itself. Prints how much of each was done.
//!
//! It only speaks; whether the master still serves the others is for the caller to see. It runs beside the master, so
//! the caller gives it the lowest priority: in life it would have a processor of its own.

#![expect(clippy::print_stdout, reason = "a program for tests")]

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};

/// Peers of each kind at every address.
const EACH: usize = 5;
/// Addresses beside the master's own.
const ADDRESSES: u8 = 7;
/// A peer gives up an answer after this time, as a minion does.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two connections of a peer: some thousands of connections a second in all. Without it the test would measure
/// how the kernel shares two processors between a master and a crowd on the same machine.
const PAUSE: Duration = Duration::from_millis(20);

static STOP: AtomicBool = AtomicBool::new(false);
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static REPLIES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Where the crowd goes, and what it has.
#[derive(Clone)]
struct Aim {
    address: Ipv4Addr,
    request: u16,
    publish: u16,
    keys: Vec<Vec<u8>>,
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let number = |n: usize| args.get(n).and_then(|a| a.parse::<u16>().ok());
    let (Some(Ok(address)), Some(request), Some(publish), Some(seconds), Some(dir)) =
        (args.get(1).map(|a| a.parse()), number(2), number(3), number(4), args.get(5))
    else {
        println!("flood <address> <request port> <publish port> <seconds> <directory of public keys>");
        return;
    };
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    let aim =
        Aim { address, request, publish, keys: files.filter_map(|f| fs::read(f.path()).ok()).collect() };
    let mut kinds: [fn(&Aim, &mut Peer) -> io::Result<()>; 4] = [noise, huge, nonsense, auth];
    // One kind alone, to find out what costs.
    if let Some(only) = number(6).and_then(|n| kinds.get(usize::from(n)).copied()) {
        kinds = [only; 4];
    }
    let mut peers = Vec::new();
    for host in 1..=ADDRESSES + 1 {
        for n in 0..EACH * (kinds.len() + 2) {
            // Three of six ask for `_auth`; and a fourth at the address where a true minion is, since from there large
            // messages are welcome.
            let kind = match (n / EACH).min(kinds.len() - 1) {
                1 if host == 1 => kinds.len() - 1,
                kind => kind,
            };
            let (aim, act) = (aim.clone(), kinds[kind]);
            let mut peer =
                Peer { from: Ipv4Addr::new(127, 0, 0, host), seed: u64::from(host) << 32 | n as u64 };
            peers.push(thread::Builder::new().stack_size(128 << 10).spawn(move || {
                while !STOP.load(Relaxed) {
                    // Whatever went wrong, the next attempt follows.
                    let _ = act(&aim, &mut peer);
                    thread::sleep(PAUSE);
                }
            }));
        }
    }
    thread::sleep(Duration::from_secs(seconds.into()));
    STOP.store(true, Relaxed);
    let count = |n: &AtomicU64| n.load(Relaxed);
    println!(
        "{} peers: {} connections, {} requests, {} replies, {} MB of huge frames",
        peers.len(),
        count(&CONNECTIONS),
        count(&REQUESTS),
        count(&REPLIES),
        count(&BYTES) >> 20
    );
}

/// Who speaks: an address, and a source of numbers.
struct Peer {
    from: Ipv4Addr,
    seed: u64,
}

impl Peer {
    /// A fixed sequence that looks random.
    fn next(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 16
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn connect(&self, to: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
        let fd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        bind(fd.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(self.from, 0)))?;
        connect(fd.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(to, port)))?;
        let stream = TcpStream::from(fd);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        CONNECTIONS.fetch_add(1, Relaxed);
        Ok(stream)
    }

    /// A connection that has shaken hands as a REQ socket.
    fn requester(&self, aim: &Aim) -> io::Result<TcpStream> {
        let mut stream = self.connect(aim.address, aim.request)?;
        let mut hello = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0];
        hello.extend(b"NULL");
        hello.resize(64, 0);
        hello.extend(b"\x04\x26\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\0");
        stream.write_all(&hello)?;
        stream.read_exact(&mut [0; 64])?;
        frame(&mut stream)?;
        Ok(stream)
    }
}

/// Bytes that are no ZMTP, on both ports.
fn noise(aim: &Aim, peer: &mut Peer) -> io::Result<()> {
    let port = if peer.next().is_multiple_of(2) { aim.request } else { aim.publish };
    let mut stream = peer.connect(aim.address, port)?;
    let len = peer.next() as usize % 4096;
    let junk = if len < 1024 { b"GET / HTTP/1.1\r\n\r\n".to_vec() } else { peer.bytes(len) };
    stream.write_all(&junk)?;
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read(&mut [0; 64])?;
    Ok(())
}

/// A frame said to be 100 MB long, of which up to 64 MB come; then the connection stays as it is for a while.
fn huge(aim: &Aim, peer: &mut Peer) -> io::Result<()> {
    let mut stream = peer.requester(aim)?;
    let mut head = vec![1, 0, 2];
    head.extend((100u64 << 20).to_be_bytes());
    stream.write_all(&head)?;
    let junk = vec![0xc0; 64 << 10];
    for _ in 0..1024 {
        if STOP.load(Relaxed) {
            return Ok(());
        }
        stream.write_all(&junk)?;
        BYTES.fetch_add(junk.len() as u64, Relaxed);
    }
    let _ = stream.read(&mut [0; 64])?;
    Ok(())
}

/// Requests that are well framed and wrong: no msgpack, very many values, ciphertext that is none for a true id.
fn nonsense(aim: &Aim, peer: &mut Peer) -> io::Result<()> {
    let mut stream = peer.requester(aim)?;
    for _ in 0..20 {
        let body = match peer.next() % 4 {
            0 => peer.bytes(300),
            1 => {
                // A list of a hundred thousand nothings.
                let mut body = vec![0xdd, 0, 1, 0x86, 0xa0];
                body.resize(body.len() + 100_000, 0xc0);
                body
            }
            2 => {
                let mut body = map(4, &[("enc", "aes"), ("id", "m1")]);
                text(&mut body, "version");
                body.push(3);
                text(&mut body, "load");
                raw(&mut body, &peer.bytes(640));
                body
            }
            _ => {
                let mut body = map(3, &[("enc", "clear")]);
                text(&mut body, "version");
                body.push(3);
                text(&mut body, "load");
                body.extend(map(
                    6,
                    &[
                        ("cmd", "publish"),
                        ("fun", "test.ping"),
                        ("tgt", "*"),
                        ("user", "root"),
                        ("key", "no"),
                        ("jid", "20260101000000000000"),
                    ],
                ));
                body
            }
        };
        ask(&mut stream, &body)?;
    }
    Ok(())
}

/// `_auth` with a real key: mostly under a new id, now and then under that of a true minion.
fn auth(aim: &Aim, peer: &mut Peer) -> io::Result<()> {
    let mut stream = peer.requester(aim)?;
    for _ in 0..20 {
        let n = peer.next();
        let id = if n.is_multiple_of(8) { "m1".to_owned() } else { format!("flood-{n:x}") };
        let key = n as usize % aim.keys.len().max(1);
        let mut body = map(3, &[("enc", "clear")]);
        text(&mut body, "version");
        body.push(3);
        text(&mut body, "load");
        let nonce: String = peer.bytes(16).iter().map(|b| format!("{b:02x}")).collect();
        body.extend(map(
            6,
            &[
                ("cmd", "_auth"),
                ("id", &id),
                ("nonce", &nonce),
                ("enc_algo", "OAEP-SHA1"),
                ("sig_algo", "PKCS1v15-SHA1"),
            ],
        ));
        text(&mut body, "pub");
        raw(&mut body, aim.keys.get(key).map_or(&b"none"[..], Vec::as_slice));
        ask(&mut stream, &body)?;
    }
    Ok(())
}

/// Sends a request and reads its reply.
fn ask(stream: &mut TcpStream, body: &[u8]) -> io::Result<()> {
    let mut message = vec![1, 0];
    match u8::try_from(body.len()) {
        Ok(len) => message.extend([0, len]),
        Err(_) => {
            message.push(2);
            message.extend((body.len() as u64).to_be_bytes());
        }
    }
    message.extend(body);
    stream.write_all(&message)?;
    REQUESTS.fetch_add(1, Relaxed);
    loop {
        let flags = frame(stream)?;
        // Neither a command nor followed by more: the end of the reply.
        if flags & 0b101 == 0 {
            REPLIES.fetch_add(1, Relaxed);
            return if STOP.load(Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) };
        }
    }
}

/// Reads one frame; gives its flags.
fn frame(stream: &mut TcpStream) -> io::Result<u8> {
    let mut flags = [0];
    stream.read_exact(&mut flags)?;
    let len = if flags[0] & 2 == 0 {
        let mut len = [0];
        stream.read_exact(&mut len)?;
        u64::from(len[0])
    } else {
        let mut len = [0; 8];
        stream.read_exact(&mut len)?;
        u64::from_be_bytes(len)
    };
    io::copy(&mut stream.take(len), &mut io::sink())?;
    Ok(flags[0])
}

/// The head of a msgpack map of `len` entries, and the first of them.
fn map(len: u8, entries: &[(&str, &str)]) -> Vec<u8> {
    let mut out = vec![0x80 | len];
    for (key, value) in entries {
        text(&mut out, key);
        text(&mut out, value);
    }
    out
}

fn text(out: &mut Vec<u8>, value: &str) {
    raw(out, value.as_bytes());
}

fn raw(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(0xda);
    out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(bytes);
}
