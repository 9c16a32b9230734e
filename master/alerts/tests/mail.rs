//! Exim: mail with STARTTLS and with TLS, with a password, to several receivers.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, UNIX_EPOCH};

use brine_alerts::sinks::Sinks;
use brine_alerts::stream::Stream;
use brine_alerts::{Deliver, Labels, Notice, Status};
use brine_core::{Map, Value, map};
use brine_testing::service::{Service, free_port, run};

/// A configuration in which only who knows the password may send, and only to one domain; each mail becomes a file.
const CONF: &str = r"
spool_directory = DIR/spool
log_file_path = DIR/%slog
pid_file_path = DIR/pid
keep_environment =
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT : TLSPORT
tls_on_connect_ports = TLSPORT
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny message = who are you
       !authenticated = *
  accept domains = example.org
  deny message = no relaying
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  directory = DIR/mail
  maildir_format
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{ann}}{eq{$auth3}{s3cret}}}}
  server_set_id = $auth2
";

/// A server on two ports. It needs root, as a mail server does.
fn exim() -> (Service, u16) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    run(Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(path));
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // It works as a user of its own.
    mode(path, 0o777);
    mode(&path.join("key.pem"), 0o644);
    for name in ["spool", "mail"] {
        std::fs::create_dir(path.join(name)).unwrap();
        mode(&path.join(name), 0o777);
    }
    std::fs::write(path.join("password"), "s3cret\n").unwrap();
    let (port, tls) = (free_port(), free_port());
    let conf = CONF.replace("DIR", &path.to_string_lossy()).replace("TLSPORT", &tls.to_string());
    let file = path.join("exim.conf");
    std::fs::write(&file, conf.replace("PORT", &port.to_string())).unwrap();
    let mut command = Command::new("exim4");
    command.arg("-bdf").arg("-C").arg(file);
    let up = |service: &Service| std::net::TcpStream::connect(("127.0.0.1", service.port)).is_ok();
    (Service::start(dir, port, &mut command).up(up), tls)
}

fn mails(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut dirs = vec![dir.join("mail")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => dirs.push(path),
                false => all.extend(std::fs::read_to_string(path)),
            }
        }
    }
    all.sort();
    all
}

fn notice(name: &str, minion: &str) -> Notice {
    let pairs = [("alertname", name), ("minion", minion), ("site", "akl")];
    let labels: Labels = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Notice {
        status: Status::Firing,
        labels,
        annotations: Labels::new(),
        starts_at: UNIX_EPOCH,
        ends_at: None,
    }
}

#[test]
fn a_group_is_a_mail_to_everybody_in_either_kind_of_tls() {
    let (server, tls) = exim();
    let dir = server.dir();
    let queue = tempfile::tempdir().unwrap();
    let file = |name: &str| server.file(name);
    let mail = |more: Map| {
        let mut conf = map! {
            "kind" => "smtp", "host" => "localhost", "username" => "ann", "password_file" => file("password"),
            "from" => "brine@example.org", "to" => vec!["ops@example.org", "boss@example.org"], "ca" => file("cert.pem"),
            "group_by" => vec!["alertname"], "group_wait" => "300ms", "retry_first" => "100ms", "retry_most" => "100ms",
        };
        conf.update(more);
        conf
    };
    std::fs::write(dir.join("wrong"), "guess\n").unwrap();
    let conf = map! {"sinks" => map! {
        "starttls" => mail(map! {"port" => i64::from(server.port)}),
        "tls" => mail(map! {"port" => i64::from(tls), "security" => "tls"}),
        "stranger" => mail(map! {"port" => i64::from(tls), "security" => "tls", "password_file" => file("wrong")}),
        "other" => mail(map! {"port" => i64::from(server.port), "to" => "somebody@elsewhere.example"}),
    }};
    let (sinks, threads) = Sinks::start(&Value::Map(conf), queue.path(), &Stream::new(false)).unwrap();
    for (name, minion) in [("DiskFull", "m1"), ("DiskFull", "m2"), ("JobFailed", "m1")] {
        sinks.put(&notice(name, minion));
    }
    let begun = Instant::now();
    let counts = |name: &str| {
        let all = sinks.report().unwrap();
        all.into_iter().find(|report| report.sink == name).unwrap()
    };
    // Two groups, two ways, two receivers.
    while mails(dir).len() < 8 || counts("tls").delivered < 3 || counts("starttls").delivered < 3 {
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?} {:?}", sinks.report(), mails(dir));
        std::thread::sleep(Duration::from_millis(50));
    }
    // A password that is wrong, and a receiver whom the server does not know, leave the mail where it is.
    while counts("stranger").error.is_none() || counts("other").error.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", sinks.report());
        std::thread::sleep(Duration::from_millis(50));
    }
    for name in ["stranger", "other"] {
        let report = counts(name);
        assert_eq!((report.put, report.delivered, report.queued + report.dead), (3, 0, 3), "{report:?}");
        assert!(!report.error.unwrap().0.contains("guess"));
    }
    sinks.close();
    threads.join();
    let all = mails(dir);
    assert_eq!(all.len(), 8);
    let subject = |text: &str| all.iter().filter(|mail| mail.contains(&format!("Subject: {text}"))).count();
    assert_eq!((subject("[FIRING:2] DiskFull"), subject("[FIRING:1] JobFailed")), (4, 4), "{all:?}");
    assert!(all.iter().all(|mail| mail.contains("Message-ID: <") && mail.contains("@example.org>")));
}
