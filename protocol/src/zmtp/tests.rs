//! Tests of the state machine: bytes captured from libzmq 4.3.4 and 4.3.5 (what stock 3006, 3007 and 3008 run), every
//! limit, and arbitrary input.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

/// After the greeting: a SUB socket with a subscription and heartbeats, to a 3.1 peer. Its PINGs have a TTL of 3 s.
const SUB_31: &[u8] =
    b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB\x04\x13\tSUBSCRIBEbroadcast\x04\x07\x04PING\0\x1e";
/// The same without heartbeats to a 3.0 peer: the subscription is a message.
const SUB_30: &[u8] = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB\0\n\x01broadcast";
/// A REQ socket with an identity, up to READY.
const REQ: &[u8] = b"\x04.\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\x08salt-req";
/// Its first request.
const HELLO: &[u8] = b"\x01\0\0\x05hello";
/// A DEALER socket with one message.
const DEALER: &[u8] =
    b"\x04)\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0\x01\x01a\x01\0\0\x02bc";

/// libzmq's greeting, with the length of its identity plus one in the padding.
fn captured(identity_len: u8, rest: &[&[u8]]) -> Vec<u8> {
    let mut all = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    all.resize(64, 0);
    all[8] = identity_len + 1;
    all.extend(rest.concat());
    all
}

const LIMITS: Limits = Limits { max_frame: 1000, max_message: 1500, max_frames: 3 };

fn new(socket_type: SocketType, limits: Limits) -> Connection {
    Connection::new(Config { socket_type, identity: Bytes::from_static(b"me"), limits })
}

fn output(connection: &mut Connection) -> Vec<u8> {
    std::iter::from_fn(|| connection.take_output()).flatten().collect()
}

fn events(connection: &mut Connection, data: &[u8]) -> Result<Vec<Event>, ZmtpError> {
    let mut buffer = BytesMut::from(data);
    std::iter::from_fn(|| connection.receive(&mut buffer).transpose()).collect()
}

/// A connection past its handshake with a peer of this type and minor version, and nothing in its output.
fn open(socket_type: SocketType, peer: &str, minor: u8) -> Connection {
    let mut greeting = Greeting::ours();
    greeting[11] = minor;
    let ready = Command::Ready(Metadata {
        socket_type: Bytes::copy_from_slice(peer.as_bytes()),
        identity: Bytes::from_static(b"peer"),
    });
    let mut connection = new(socket_type, LIMITS);
    let seen = events(&mut connection, &[&greeting[..], &ready.encode()].concat()).unwrap();
    assert!(
        matches!(seen.as_slice(), [Event::Ready(info)] if info.minor == minor && info.identity == "peer")
    );
    output(&mut connection);
    connection
}

fn text(s: &'static str) -> Bytes {
    Bytes::from_static(s.as_bytes())
}

#[test]
fn reads_libzmq_subscribers_of_both_versions() {
    for (capture, last) in [(SUB_31, Event::Ping(30)), (SUB_30, Event::Subscribe(text("broadcast")))] {
        let (seen, error) = decode_stream(SocketType::Pub, &captured(6, &[capture]));
        assert_eq!(error, None);
        assert!(
            matches!(&seen[0], Event::Ready(i) if i.socket_type == "SUB" && i.identity.is_empty() && i.minor == 1)
        );
        assert_eq!(seen[1], Event::Subscribe(text("broadcast")));
        assert_eq!(*seen.last().unwrap(), last);
    }
}

#[test]
fn reads_libzmq_requesters() {
    let (seen, error) = decode_stream(SocketType::Router, &captured(8, &[REQ, HELLO]));
    assert_eq!(error, None);
    assert!(matches!(&seen[0], Event::Ready(i) if i.socket_type == "REQ" && i.identity == "salt-req"));
    assert_eq!(seen[1], Event::Message(vec![text(""), text("hello")]));
    let (seen, error) = decode_stream(SocketType::Router, &captured(0, &[DEALER]));
    assert_eq!(error, None);
    assert_eq!(seen[1], Event::Message(vec![text("a"), text(""), text("bc")]));
}

#[test]
fn says_what_libzmq_says() {
    let mut connection = new(SocketType::Sub, LIMITS);
    assert_eq!(output(&mut connection), Greeting::ours());
    events(&mut connection, &Greeting::ours()).unwrap();
    assert_eq!(
        output(&mut connection),
        b"\x04\x28\x05READY\x0bSocket-Type\0\0\0\x03SUB\x08Identity\0\0\0\x02me"
    );
    // A greeting of libzmq's with an empty identity.
    assert_eq!(Greeting::ours()[..], captured(0, &[]));
}

#[test]
fn subscribes_in_the_form_of_the_peers_version() {
    let mut new = open(SocketType::Sub, "PUB", 1);
    new.subscribe(&text("broadcast"));
    new.cancel(&text("x"));
    assert_eq!(output(&mut new), b"\x04\x13\tSUBSCRIBEbroadcast\x04\x08\x06CANCELx");
    let mut old = open(SocketType::Sub, "PUB", 0);
    old.subscribe(&text("broadcast"));
    old.cancel(&text("x"));
    assert_eq!(output(&mut old), b"\0\n\x01broadcast\0\x02\0x");
}

#[test]
fn takes_subscriptions_in_both_forms_from_either_version() {
    for minor in [0, 1] {
        let mut publisher = open(SocketType::Pub, "SUB", minor);
        let seen = events(
            &mut publisher,
            b"\x04\x0b\tSUBSCRIBEa\0\x02\x01b\0\x02\0b\x04\x08\x06CANCELa\0\x03?xx\0\0",
        );
        let expected = [
            Event::Subscribe(text("a")),
            Event::Subscribe(text("b")),
            Event::Cancel(text("b")),
            Event::Cancel(text("a")),
        ];
        assert_eq!(seen.unwrap(), expected);
    }
}

#[test]
fn answers_ping_with_its_context() {
    let mut connection = open(SocketType::Sub, "PUB", 1);
    assert_eq!(events(&mut connection, b"\x04\x0a\x04PING\0\x05abc"), Ok(vec![Event::Ping(5)]));
    assert_eq!(output(&mut connection), b"\x04\x08\x04PONGabc");
    let long = b"\x04\x19\x04PING\0\0aaaaaaaaaaaaaaaabb";
    assert_eq!(events(&mut connection, long), Ok(vec![Event::Ping(0)]));
    assert_eq!(output(&mut connection), b"\x04\x15\x04PONGaaaaaaaaaaaaaaaa");
    connection.ping(30, Bytes::new());
    assert_eq!(output(&mut connection), b"\x04\x07\x04PING\0\x1e");
    assert_eq!(events(&mut connection, b"\x04\x05\x04PONG"), Ok(vec![Event::Pong]));
}

#[test]
fn unknown_commands_are_ignored() {
    let mut connection = open(SocketType::Sub, "PUB", 1);
    let data = b"\x04\x05\x04JUMP\x04\x07\x05LEAPSx\x04\x05\x04PONG\0\x01m";
    assert_eq!(events(&mut connection, data), Ok(vec![Event::Pong, Event::Message(vec![text("m")])]));
    assert!(output(&mut connection).is_empty());
}

#[test]
fn an_error_command_ends_the_connection() {
    let refused = Err(ZmtpError::Refused("no".into()));
    assert_eq!(events(&mut open(SocketType::Sub, "PUB", 1), b"\x04\x09\x05ERROR\x02no"), refused);
    let mut fresh = new(SocketType::Sub, LIMITS);
    assert_eq!(events(&mut fresh, &[&Greeting::ours()[..], b"\x04\x09\x05ERROR\x02no"].concat()), refused);
}

#[test]
fn a_socket_that_does_not_fit_is_refused_with_an_error() {
    let mut connection = new(SocketType::Pub, LIMITS);
    let data = [&Greeting::ours()[..], &Command::ready(SocketType::Req, &Bytes::new()).encode()].concat();
    assert_eq!(events(&mut connection, &data), Err(ZmtpError::SocketType("REQ".into())));
    assert!(output(&mut connection).ends_with(b"\x05ERROR\x13Invalid socket type"));
}

#[test]
fn garbage_is_refused_at_the_earliest_byte() {
    let cases: [(&[u8], ZmtpError); 6] = [
        (b"G", ZmtpError::NotZmtp),
        (b"\xff\0\0\0\0\0\0\0\x01\x7e", ZmtpError::NotZmtp),
        (b"\xff\0\0\0\0\0\0\0\x01\x7f\x01", ZmtpError::Version(1)),
        (
            b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ZmtpError::Mechanism("CURVE".into()),
        ),
        (
            b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0!",
            ZmtpError::Mechanism("NULL".into()),
        ),
        (
            b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULLIFY\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ZmtpError::Mechanism("NULLIFY".into()),
        ),
    ];
    for (data, error) in cases {
        assert_eq!(decode_stream(SocketType::Router, data), (vec![], Some(error)));
        let before = &data[..data.len() - 1];
        assert_eq!(decode_stream(SocketType::Router, before), (vec![], None));
    }
}

#[test]
fn the_handshake_allows_small_frames_only() {
    let greeting = Greeting::ours();
    let cases: [(&[u8], ZmtpError); 5] = [
        (b"\x06\0\0\0\0\0\0\x08\x01", ZmtpError::FrameTooLarge { size: 2049, max: HANDSHAKE_FRAME_MAX }),
        (
            b"\x06\xff\xff\xff\xff\xff\xff\xff\xff",
            ZmtpError::FrameTooLarge { size: u64::MAX, max: HANDSHAKE_FRAME_MAX },
        ),
        (b"\0\x01x", ZmtpError::ExpectedReady),
        (b"\x04\x05\x04PONG", ZmtpError::ExpectedReady),
        (b"\x04\x0c\x05READY\x01a\0\0\0\x05", ZmtpError::Malformed("READY")),
    ];
    for (data, error) in cases {
        assert_eq!(decode_stream(SocketType::Router, &[&greeting, data].concat()), (vec![], Some(error)));
    }
    let mut long =
        b"\x06\0\0\0\0\0\0\x01\x32\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\x01\0".to_vec();
    long.resize(9 + 306, b'i');
    assert_eq!(
        events(&mut new(SocketType::Router, LIMITS), &[&greeting[..], &long].concat()),
        Err(ZmtpError::IdentityTooLong)
    );
}

#[test]
fn limits_hold_before_the_body_is_there() {
    let cases: [(&[u8], ZmtpError); 6] = [
        (b"\x02\0\0\0\0\0\0\x03\xe9", ZmtpError::FrameTooLarge { size: 1001, max: 1000 }),
        (
            b"\x02\x7f\xff\xff\xff\xff\xff\xff\xff",
            ZmtpError::FrameTooLarge { size: i64::MAX as u64, max: 1000 },
        ),
        (b"\x06\0\0\0\0\0\0\x10\x01", ZmtpError::FrameTooLarge { size: 4097, max: 4096 }),
        (b"\x01\0\x01\0\x01\0\0\0", ZmtpError::TooManyFrames(3)),
        (b"\x80", ZmtpError::Flags(0x80)),
        (b"\x05", ZmtpError::CommandWithMore),
    ];
    for (data, error) in cases {
        assert_eq!(events(&mut open(SocketType::Router, "REQ", 1), data), Err(error), "{data:?}");
    }
    let mut connection = open(SocketType::Router, "REQ", 1);
    let mut data = b"\x03\0\0\0\0\0\0\x03\xe8".to_vec();
    data.resize(9 + 1000, 0);
    assert_eq!(events(&mut connection, &data), Ok(vec![]));
    assert_eq!(connection.held(), 1000);
    assert_eq!(events(&mut connection, b"\x02\0\0\0\0\0\0\x01\xf5"), Err(ZmtpError::MessageTooLarge(1500)));
    assert_eq!(events(&mut connection, b"\x04\x05\x04PONG"), Err(ZmtpError::CommandInMessage));
}

#[test]
fn a_huge_announcement_allocates_nothing() {
    let limits = Limits { max_frame: usize::MAX, max_message: usize::MAX, max_frames: 3 };
    let mut connection = new(SocketType::Router, limits);
    events(&mut connection, &captured(8, &[REQ])).unwrap();
    let mut buffer = BytesMut::from(&b"\x02\x7f\xff\xff\xff\xff\xff\xff\xffabc"[..]);
    assert_eq!(connection.receive(&mut buffer), Ok(None));
    assert!(buffer.capacity() < 1000);
    assert_eq!(connection.missing(&buffer), (i64::MAX as usize) - 3);
}

#[test]
fn large_bodies_are_shared_and_small_ones_joined() {
    let large = Bytes::from(vec![1; 1 << 20]);
    let pieces = encode_message(&[text("topic"), large.clone(), text("end")]);
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[0], b"\x01\x05topic\x03\0\0\0\0\0\x10\0\0"[..]);
    assert_eq!(pieces[1].as_ptr(), large.as_ptr());
    assert_eq!(pieces[2], b"\0\x03end"[..]);
}

#[test]
fn subscriptions_count_and_are_bounded() {
    let mut topics = Subscriptions::default();
    assert!(!topics.matches(b""));
    topics.subscribe(text("a")).unwrap();
    topics.subscribe(text("a")).unwrap();
    topics.cancel(b"a");
    topics.cancel(b"unknown");
    assert!(topics.matches(b"abc") && !topics.matches(b"b") && !topics.matches(b""));
    topics.cancel(b"a");
    assert!(!topics.matches(b"abc"));
    topics.subscribe(Bytes::new()).unwrap();
    assert!(topics.matches(b"") && topics.matches(b"anything"));
    assert_eq!(topics.subscribe(vec![0; 1025].into()), Err(ZmtpError::TooManySubscriptions));
    let filled = (0..1000_u32).try_for_each(|n| topics.subscribe(n.to_be_bytes().to_vec().into()));
    assert_eq!(filled, Err(ZmtpError::TooManySubscriptions));
}

fn message() -> impl Strategy<Value = Vec<Bytes>> {
    let frame = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        proptest::collection::vec(any::<u8>(), 250..260),
        (4000_usize..6000).prop_map(|n| vec![7; n]),
    ];
    proptest::collection::vec(frame.prop_map(Bytes::from), 1..5)
}

proptest! {
    #[test]
    fn any_split_of_the_stream_gives_the_same_messages(
        messages in proptest::collection::vec(message(), 1..5),
        cuts in proptest::collection::vec(1_usize..700, 1..40),
    ) {
        let mut wire = captured(8, &[REQ]);
        for message in &messages {
            wire.extend(encode_message(message).iter().flatten());
            wire.extend_from_slice(b"\x04\x07\x04PING\0\0");
        }
        let limits = Limits { max_frame: 6000, max_message: 30_000, max_frames: 5 };
        let mut connection = new(SocketType::Router, limits);
        let (mut buffer, mut rest, mut seen) = (BytesMut::new(), &wire[..], Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            rest = later;
            buffer.extend_from_slice(now);
            while let Some(event) = connection.receive(&mut buffer).unwrap() {
                if let Event::Message(frames) = event {
                    seen.push(frames);
                }
            }
        }
        prop_assert_eq!(seen, messages);
        prop_assert!(buffer.is_empty());
        prop_assert_eq!(connection.held(), 0);
    }

    #[test]
    fn garbage_never_panics(data in proptest::collection::vec(any::<u8>(), 0..400), role in 0_usize..5, skip in 0_usize..3) {
        use SocketType::{Dealer, Pub, Req, Router, Sub};
        let role = [Pub, Sub, Req, Dealer, Router][role];
        // From the start, after the greeting, and after a handshake that fits.
        let peer = [Sub, Pub, Router, Router, Req][role as usize];
        let ready = Command::ready(peer, &Bytes::new()).encode();
        let start = [vec![], Greeting::ours().to_vec(), [&Greeting::ours()[..], &ready].concat()];
        let _ = decode_stream(role, &[&start[skip][..], &data].concat());
    }

    #[test]
    fn damaged_captures_never_panic(at in 0_usize..130, bit in 0_u32..8, which in 0_usize..3) {
        let role = [SocketType::Pub, SocketType::Pub, SocketType::Router][which];
        let mut data = vec![captured(6, &[SUB_31]), captured(0, &[SUB_30]), captured(8, &[REQ, HELLO])].swap_remove(which);
        let at = at % data.len();
        data[at] ^= 1 << bit;
        let _ = decode_stream(role, &data);
    }
}
