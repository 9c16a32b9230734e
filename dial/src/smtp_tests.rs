//! Mail in TLS: what is said in clear before it, and whose certificate is believed.

use super::{Client, Mail};
use crate::Tls;
use brine_core::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;

/// A certificate of its own for this host: `cert.pem`, `key.pem`.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(dir)
        .output();
    assert!(made.unwrap().status.success());
}

/// What a server was told in clear, and in TLS.
type Told = (Vec<String>, Vec<String>);

/// A mail server for one connection.
fn server(dir: &Path) -> (u16, JoinHandle<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let chain = vec![CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let thread = std::thread::spawn(move || {
        let (mut clear, mut sealed) = (Vec::new(), Vec::new());
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(b"220 ready\r\n").unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for answer in ["250-me\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            clear.push(line);
            stream.write_all(answer.as_bytes()).unwrap();
        }
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = BufReader::new(rustls::StreamOwned::new(connection, stream));
        let mut in_mail = false;
        loop {
            let mut line = String::new();
            if tls.read_line(&mut line).unwrap_or(0) == 0 {
                return (clear, sealed);
            }
            in_mail = (in_mail || line == "data\r\n") && line != ".\r\n";
            let answer = match line.as_str() {
                "data\r\n" => "354 go on\r\n",
                _ if in_mail => "",
                // In TLS it offers another way than before.
                line if line.starts_with("ehlo") => "250-me\r\n250 AUTH LOGIN\r\n",
                line if line.starts_with("AUTH LOGIN") => "334 UGFzc3dvcmQ6\r\n",
                "quit\r\n" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            sealed.push(line);
            tls.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (port, thread)
}

fn trusting(ca: Option<PathBuf>) -> Tls {
    Tls { ca, ..Tls::default() }
}

#[test]
fn a_password_is_told_to_a_server_that_proves_its_name() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path());
    let (port, thread) = server(dir.path());
    let config = trusting(Some(dir.path().join("cert.pem"))).config().unwrap();
    let mut client = Client::connect("localhost", port).unwrap().start_tls("localhost", config).unwrap();
    client.login("fred", &Secret::new("secret".into())).unwrap();
    let to = vec!["b@x".to_owned()];
    client.send(&Mail { from: "a@x".into(), to, message: "Subject: s\r\n\r\ntext\r\n".into() }).unwrap();
    let (clear, sealed) = thread.join().unwrap();
    assert_eq!((clear.len(), clear[1].as_str()), (2, "STARTTLS\r\n"));
    assert!(
        sealed.contains(&"AUTH LOGIN ZnJlZA==\r\n".into()) && sealed.contains(&"c2VjcmV0\r\n".into()),
        "{sealed:?}"
    );
    assert!(sealed.contains(&"text\r\n".into()));
}

#[test]
fn a_server_that_anybody_could_be_is_told_nothing() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path());
    // Nobody we trust has signed it, or it is for another name.
    for (name, ca) in [("localhost", None), ("other", Some(dir.path().join("cert.pem")))] {
        let (port, thread) = server(dir.path());
        let config = trusting(ca).config().unwrap();
        let error =
            Client::connect("localhost", port).unwrap().start_tls(name, config).err().unwrap().to_string();
        assert!(error.contains("certificate"), "{error}");
        assert!(thread.join().unwrap().1.is_empty());
    }
}
