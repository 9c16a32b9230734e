//! How MySQL and MariaDB are told a password: never the password itself, but on a connection nobody can read.

use super::packet::{Fields, Packets};
use crate::Fault;
use brine_core::Secret;
use brine_protocol::crypt::{EncAlgo, PublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The answer of a method to the server's random bytes; none if the method is not known.
pub(super) fn answer(
    method: &str,
    password: &Secret,
    random: &[u8],
    private: bool,
) -> Result<Vec<u8>, Fault> {
    let secret = password.reveal().as_bytes();
    match method {
        "mysql_native_password" if secret.is_empty() => Ok(Vec::new()),
        "caching_sha2_password" if secret.is_empty() => Ok(Vec::new()),
        "mysql_native_password" => Ok(native(secret, random)),
        "caching_sha2_password" => Ok(sha2(secret, random)),
        // The server asks the system who is on the other side of the socket.
        "auth_socket" | "unix_socket" => Ok(Vec::new()),
        "mysql_clear_password" if private => Ok(with_zero(secret).to_vec()),
        other => Err(Fault::Refused {
            code: "2059".into(),
            text: format!("(2059, \"Authentication plugin '{other}' is not known here\")"),
        }),
    }
}

/// Goes on until the server lets us in.
pub(super) fn finish(
    packets: &mut Packets,
    method: &str,
    password: &Secret,
    random: &[u8],
) -> Result<(), Fault> {
    let mut method = method.to_owned();
    let mut random = random.to_vec();
    for _ in 0..8 {
        let packet = packets.read()?;
        let mut fields = Fields(&packet);
        match fields.u8()? {
            0 => return Ok(()),
            // Another method.
            0xfe => {
                method = String::from_utf8_lossy(fields.zero_ended()).into_owned();
                random = fields.0.strip_suffix(b"\0").unwrap_or(fields.0).to_vec();
                let answer = answer(&method, password, &random, packets.wire.is_private())?;
                packets.send(&answer)?;
            }
            // The server has seen this password before, and says so.
            1 if fields.0 == [3] => {}
            // It has not: it needs all of it.
            1 if fields.0 == [4] && method == "caching_sha2_password" => {
                let whole = with_zero(password.reveal().as_bytes());
                if packets.wire.is_private() {
                    packets.send(&whole)?;
                } else {
                    packets.send(&[2])?;
                    let packet = packets.read()?;
                    let key =
                        packet.get(1..).and_then(|pem| std::str::from_utf8(pem).ok()).unwrap_or_default();
                    packets.send(&for_key(&whole, &random, key)?)?;
                }
            }
            _ => return Err(Fault::Nonsense("an unknown step of authentication")),
        }
    }
    Err(Fault::Nonsense("authentication without end"))
}

fn xor(a: &[u8], b: impl AsRef<[u8]>) -> Vec<u8> {
    a.iter().zip(b.as_ref().iter().cycle()).map(|(a, b)| a ^ b).collect()
}

fn native(secret: &[u8], random: &[u8]) -> Vec<u8> {
    let once = Sha1::digest(secret);
    let twice = Sha1::new().chain_update(random).chain_update(Sha1::digest(once)).finalize();
    xor(&once, twice)
}

fn sha2(secret: &[u8], random: &[u8]) -> Vec<u8> {
    let once = Sha256::digest(secret);
    let twice = Sha256::new().chain_update(Sha256::digest(once)).chain_update(random).finalize();
    xor(&once, twice)
}

fn with_zero(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([secret, b"\0"].concat())
}

/// What a server without TLS gets: the password for its key alone.
fn for_key(whole: &[u8], random: &[u8], pem: &str) -> Result<Vec<u8>, Fault> {
    const BAD: Fault = Fault::Nonsense("a key that is none");
    let key = PublicKey::from_pem(pem.trim()).map_err(|_| BAD)?;
    key.encrypt(&Zeroizing::new(xor(whole, random)), EncAlgo::OaepSha1).map_err(|_| BAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::crypt::PrivateKey;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// As PyMySQL's functions of the same names give them.
    #[test]
    fn answers_are_those_of_other_clients() {
        let (password, random) = (Secret::new("pa ß".into()), b"abcdefghijklmnopqrst");
        let of = |method| hex(&answer(method, &password, random, false).unwrap());
        assert_eq!(of("mysql_native_password"), NATIVE);
        assert_eq!(of("caching_sha2_password"), SHA2);
        assert_eq!(answer("mysql_native_password", &Secret::default(), random, false).unwrap(), b"");
        assert!(answer("mysql_clear_password", &password, random, false).is_err());
        assert_eq!(answer("mysql_clear_password", &password, random, true).unwrap(), "pa ß\0".as_bytes());
    }

    const NATIVE: &str = "8f181ccdcab9f96e8d02a668e110c06f514f3c31";
    const SHA2: &str = "0d05bb81045fef0369642cbcd775a849a33503c662ad24928d65eab671f8271a";

    #[test]
    fn without_tls_the_password_is_for_the_servers_key() {
        let key = PrivateKey::generate(1024).unwrap();
        let sealed = for_key(b"pw\0", b"random", &key.public().to_pem().unwrap()).unwrap();
        let opened = key.decrypt(&sealed, EncAlgo::OaepSha1).unwrap();
        assert_eq!(xor(&opened, b"random"), b"pw\0");
        assert!(for_key(b"pw\0", b"random", "no key").is_err());
    }

    /// What a server of MySQL 8 asks for that has not seen a password yet, after it has named another method.
    #[test]
    fn the_whole_password_is_sealed_where_others_can_read() {
        use std::io::{Read as _, Write as _};
        let random = b"abcdefghijklmnopqrst";
        let password = Secret::new("pw".into());
        let key = PrivateKey::generate(1024).unwrap();
        let pem = key.public().to_pem().unwrap();
        let packet = |number: u8, data: &[u8]| {
            [&[data.len() as u8, (data.len() >> 8) as u8, 0, number], data].concat()
        };
        let steps = [
            packet(0, &[b"\xfecaching_sha2_password\0", &random[..], b"\0"].concat()),
            packet(2, b"\x01\x04"),
            packet(4, &[b"\x01", pem.as_bytes()].concat()),
            packet(6, b"\0"),
        ];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut told = Vec::new();
            for (i, step) in steps.iter().enumerate() {
                stream.write_all(step).unwrap();
                if i + 1 < steps.len() {
                    let mut head = [0; 4];
                    stream.read_exact(&mut head).unwrap();
                    let mut data = vec![0; usize::from(head[0]) + (usize::from(head[1]) << 8)];
                    stream.read_exact(&mut data).unwrap();
                    told.push(data);
                }
            }
            told
        });
        let wire = crate::Wire::tcp("127.0.0.1", port, crate::CONNECT).unwrap();
        finish(&mut Packets::new(wire), "mysql_native_password", &password, b"other").unwrap();
        let told = server.join().unwrap();
        assert_eq!((told.len(), &told[0], &told[1]), (3, &sha2(b"pw", random), &vec![2]));
        let opened = key.decrypt(&told[2], EncAlgo::OaepSha1).unwrap();
        assert_eq!(xor(&opened, random), b"pw\0");
    }
}
