//! TLS with certificates that `openssl` makes, and with dial's client on the other side.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::Path;
use std::process::Command;

use brine_dial::Tls;
use brine_dial::http::{Http, Way};
use brine_serve::{Config, Request, Response, ServeError, Server, TlsFiles};
use brine_testing::service::run;

fn openssl(dir: &Path, args: &str) {
    run(Command::new("openssl").args(args.split(' ')).current_dir(dir));
}

#[test]
fn a_client_without_a_certificate_gets_nothing_where_one_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(dir, &format!("{new} -keyout ca.key -out ca.pem -subj /CN=ca"));
    for (name, usage) in [("server", "serverAuth"), ("client", "clientAuth")] {
        let ext = format!("{name}.ext");
        let text = format!("subjectAltName=IP:127.0.0.1\nextendedKeyUsage={usage}\n");
        std::fs::write(dir.join(&ext), text).unwrap();
        openssl(
            dir,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            ),
        );
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out {name}.pem -extfile {ext}"
            ),
        );
    }
    let mut config = Config::new("127.0.0.1:0".parse().unwrap());
    let files = TlsFiles {
        cert: dir.join("server.pem"),
        key: Some(dir.join("server.key")),
        client_ca: Some(dir.join("ca.pem")),
    };
    config.tls = Some(files.clone());
    let server = Server::start(config.clone(), |_: Request| Response::text(200, "hello")).unwrap();
    let url = format!("https://{}/", server.addr());
    let get = |cert: Option<&str>| {
        let tls = Tls {
            ca: Some(dir.join("ca.pem")),
            cert: cert.map(|name| dir.join(format!("{name}.pem"))),
            key: cert.map(|name| dir.join(format!("{name}.key"))),
            ..Tls::default()
        };
        let http = Http::new(&Way { tls, ..Way::default() }, "test").unwrap();
        http.send::<&str>("GET", &url, &[], None).map(|reply| reply.body)
    };
    assert_eq!(get(Some("client")).unwrap(), "hello\n");
    assert!(get(None).is_err());

    // Files that are none are named.
    config.tls = Some(TlsFiles { key: Some(dir.join("absent")), ..files });
    let error = Server::start(config, |_: Request| Response::status(200)).unwrap_err();
    assert!(matches!(&error, ServeError::Tls(path, _) if path.ends_with("absent")), "{error}");
}
