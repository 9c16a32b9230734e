//! A directory server of the test's own: Debian's `slapd` on loopback, in a scratch directory, with a few people,
//! groups and computers. Not a test of its own; stopped when dropped.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Debian has it in a directory that not every path holds.
const SLAPD: &str = "/usr/sbin/slapd";

const LDIF: &str = "
dn: dc=x
objectClass: dcObject
objectClass: organization
dc: x
o: x

dn: ou=People,dc=x
objectClass: organizationalUnit

dn: uid=fred,ou=People,dc=x
objectClass: inetOrgPerson
objectClass: extensibleObject
cn: Fred
sn: F
uid: fred
memberOf: cn=writers,ou=Groups,dc=x
userPassword: right

dn: uid=eve,ou=People,dc=x
objectClass: inetOrgPerson
cn: Eve
sn: E
uid: eve
userPassword: evil

dn: uid=twin,ou=People,dc=x
objectClass: inetOrgPerson
cn: One
sn: T
uid: twin
userPassword: right

dn: cn=Two,ou=People,dc=x
objectClass: inetOrgPerson
cn: Two
sn: T
uid: twin
userPassword: right

dn: ou=Groups,dc=x
objectClass: organizationalUnit

dn: cn=ops,ou=Groups,dc=x
objectClass: posixGroup
cn: ops
gidNumber: 1
memberUid: fred
memberUid: twin

dn: cn=others,ou=Groups,dc=x
objectClass: posixGroup
cn: others
gidNumber: 2
memberUid: eve

dn: cn=admins,ou=Groups,dc=x
objectClass: groupOfNames
cn: admins
member: uid=fred,ou=People,dc=x

dn: OU=Web,dc=x
objectClass: organizationalUnit

dn: cn=WEB1.int.x,ou=Web,dc=x
objectClass: computer
cn: WEB1.int.x

dn: cn=web2,ou=Web,dc=x
objectClass: computer
cn: web2
";

/// The running server.
pub struct Slapd {
    dir: tempfile::TempDir,
    child: Child,
    pub port: u16,
    pub tls_port: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(program: &str, args: &[&str], dir: &Path) {
    let out = Command::new(program).args(args).current_dir(dir).output();
    let out = out.unwrap_or_else(|e| panic!("{program}: {e}; Debian's package slapd is needed"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A certificate for this host and the authority that signed it: `cert.pem`, `key.pem`, `ca.pem`.
fn certificates(dir: &Path) {
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    run("openssl", &[&new[..], &["-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem"]].concat(), dir);
    let ask = [
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "key.pem",
        "-out",
        "csr.pem",
    ];
    run("openssl", &ask, dir);
    fs::write(dir.join("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    let sign = [
        "x509",
        "-req",
        "-in",
        "csr.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
    ];
    run("openssl", &[&sign[..], &["-extfile", "ext", "-out", "cert.pem"]].concat(), dir);
}

impl Slapd {
    /// Starts it and waits until it listens.
    pub fn start(tls: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let d = dir.path().display();
        fs::create_dir(dir.path().join("db")).unwrap();
        if tls {
            certificates(dir.path());
        }
        let schemas: String = ["core", "cosine", "nis", "inetorgperson"]
            .iter()
            .map(|name| format!("include /etc/ldap/schema/{name}.schema\n"))
            .collect();
        let certs = if tls {
            format!(
                "TLSCertificateFile {d}/cert.pem\nTLSCertificateKeyFile {d}/key.pem\nTLSCACertificateFile {d}/ca.pem\n"
            )
        } else {
            String::new()
        };
        let conf = format!(
            "{schemas}\
             attributetype ( 1.2.840.113556.1.2.102 NAME 'memberOf' EQUALITY distinguishedNameMatch \
             SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )\n\
             objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP top STRUCTURAL MUST cn )\n\
             pidfile {d}/pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n{certs}\
             database mdb\nsuffix dc=x\nrootdn cn=root,dc=x\nrootpw master\ndirectory {d}/db\n\
             access to attrs=userPassword by anonymous auth by * none\naccess to * by * read\n"
        );
        fs::write(dir.path().join("slapd.conf"), conf).unwrap();
        fs::write(dir.path().join("x.ldif"), LDIF.trim_start()).unwrap();
        // Which of its tools it is, it sees by its name.
        let mut add = Command::new(SLAPD);
        add.arg0("slapadd").args(["-f", "slapd.conf", "-l", "x.ldif"]).current_dir(dir.path());
        let out = add.output().unwrap_or_else(|e| panic!("{SLAPD}: {e}; Debian's package slapd is needed"));
        assert!(out.status.success(), "slapadd: {}", String::from_utf8_lossy(&out.stderr));
        let (port, tls_port) = (free_port(), free_port());
        let mut urls = format!("ldap://127.0.0.1:{port}/");
        if tls {
            urls += &format!(" ldaps://127.0.0.1:{tls_port}/");
        }
        let child = Command::new(SLAPD)
            .args(["-d", "0", "-f", "slapd.conf", "-h", &urls])
            .current_dir(dir.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { dir, child, port, tls_port };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", if tls { tls_port } else { port })).is_err() {
            assert!(server.child.try_wait().unwrap().is_none(), "slapd ended");
            assert!(Instant::now() < until, "slapd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// The authority that signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
