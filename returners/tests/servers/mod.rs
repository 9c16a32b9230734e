//! Servers of the tests' own: Debian's PostgreSQL, MariaDB and Redis on loopback, in scratch directories, as a user without
//! rights. Not tests; stopped when dropped.

use brine_testing::Service;
use brine_testing::service::{free_port, own, postgres_bin, run, unprivileged};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A running server, whose directory also holds certificates: `ca.pem`, `cert.pem`, `key.pem`.
pub(crate) struct Server(Service);

impl Deref for Server {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0
    }
}

/// A directory with certificates for this host.
fn scratch() -> tempfile::TempDir {
    let dir = brine_testing::service::scratch();
    let openssl = |args: &[&str]| run(Command::new("openssl").args(args).current_dir(dir.path()));
    let key = ["-newkey", "rsa:2048", "-nodes"];
    let ca = [
        &["req", "-x509", "-days", "2", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem"][..],
        &key,
    ];
    openssl(&ca.concat());
    openssl(
        &[&["req", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "csr.pem"][..], &key].concat(),
    );
    std::fs::write(dir.path().join("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(&[
        "x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile",
        "ext", "-out", "cert.pem",
    ]);
    std::fs::set_permissions(dir.path().join("key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    own(&dir.path().join("key.pem"));
    dir
}

/// What stock's module says its tables are: the SQL in its documentation.
pub(crate) fn schema(module: &str) -> String {
    let lib = super::common::home().join("lib");
    let python = std::fs::read_dir(lib)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .find(|p| p.join("site-packages").exists());
    let path = python.unwrap().join(format!("site-packages/salt/returners/{module}.py"));
    let text = std::fs::read_to_string(path).unwrap();
    let (_, text) = text.split_once("code-block:: sql\n").unwrap();
    let lines = text.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let not_sql = ["psql", "EOF", "CREATE ROLE", "USE "];
    let sql: Vec<_> =
        lines.filter(|line| !not_sql.iter().any(|word| line.trim().starts_with(word))).collect();
    // The database is there already.
    sql.join("\n").split(';').filter(|one| !one.contains("CREATE DATABASE")).collect::<Vec<_>>().join(";")
}

impl Server {
    fn start(dir: tempfile::TempDir, port: u16, command: &mut Command) -> Self {
        Self(Service::start(dir, port, command))
    }

    /// Waits until it answers.
    fn up(mut self, done: impl Fn(&Self) -> bool) -> Self {
        let end = Service::patience();
        while !done(&self) {
            self.0.pause(end);
        }
        self
    }

    /// PostgreSQL with the user and databases `salt` (for pgjsonb) and `salt_text` (for postgres), by password over TCP.
    pub(crate) fn postgres() -> Self {
        let bin = postgres_bin();
        let dir = scratch();
        let data = dir.path().join("data");
        run(unprivileged(bin.join("initdb"), dir.path())
            .args(["--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-D"])
            .arg(&data));
        let hba =
            "local all all trust\nhostnossl salt_plain salt all reject\nhost all all all scram-sha-256\n";
        std::fs::write(data.join("pg_hba.conf"), hba).unwrap();
        let port = free_port();
        let set = [
            "fsync=off".to_owned(),
            format!("port={port}"),
            "listen_addresses=127.0.0.1,127.0.0.2".into(),
            format!("unix_socket_directories={}", dir.path().display()),
            "ssl=on".into(),
            format!("ssl_cert_file={}", dir.path().join("cert.pem").display()),
            format!("ssl_key_file={}", dir.path().join("key.pem").display()),
            format!("ssl_ca_file={}", dir.path().join("ca.pem").display()),
        ];
        let mut command = unprivileged(bin.join("postgres"), dir.path());
        command.arg("-D").arg(&data).args(set.iter().flat_map(|set| ["-c", set]));
        let server = Self::start(dir, port, &mut command).up(|server| {
            server.psql_command("postgres").args(["-c", "SELECT 1"]).output().unwrap().status.success()
        });
        server.psql("postgres", "CREATE ROLE salt LOGIN PASSWORD 'pass ''word'");
        for (db, module) in [("salt", "pgjsonb"), ("salt_text", "postgres")] {
            server.psql("postgres", &format!("CREATE DATABASE {db} OWNER salt"));
            server.psql(db, &format!("SET ROLE salt; {}", schema(module)));
        }
        server
    }

    fn psql_command(&self, db: &str) -> Command {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", db, "-h"]);
        command
            .arg(self.dir())
            .args(["-p", &self.port.to_string()])
            .env("PGOPTIONS", "--client-min-messages=warning");
        command
    }

    /// Statements as the owner; what they print.
    pub(crate) fn psql(&self, db: &str, sql: &str) -> String {
        run(self.psql_command(db).args(["-c", sql]))
    }

    /// MariaDB with the user and database `salt`, by password over TCP.
    pub(crate) fn mariadb() -> Self {
        let dir = scratch();
        run(unprivileged("mariadb-install-db", dir.path())
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", dir.path().join("data").display())));
        let port = free_port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let mut command = unprivileged("/usr/sbin/mariadbd", dir.path());
        command.args([
            "--no-defaults".to_owned(),
            format!("--datadir={}", at("data")),
            format!("--socket={}", at("socket")),
            format!("--port={port}"),
            "--bind-address=127.0.0.1".into(),
            "--innodb-flush-log-at-trx-commit=0".into(),
            "--innodb-buffer-pool-size=32M".into(),
            "--max-allowed-packet=64M".into(),
            format!("--ssl-ca={}", at("ca.pem")),
            format!("--ssl-cert={}", at("cert.pem")),
            format!("--ssl-key={}", at("key.pem")),
        ]);
        let server = Self::start(dir, port, &mut command).up(|server| {
            server.mysql_command("mysql").args(["-e", "SELECT 1"]).output().unwrap().status.success()
        });
        server.mysql(
            "mysql",
            "CREATE DATABASE salt DEFAULT CHARACTER SET utf8 DEFAULT COLLATE utf8_general_ci",
        );
        server.mysql("mysql", "CREATE USER salt IDENTIFIED BY 'pass ''word'; GRANT ALL ON salt.* TO salt");
        server.mysql(
            "mysql",
            "CREATE USER tls IDENTIFIED BY 'pass ''word' REQUIRE SSL; GRANT ALL ON salt.* TO tls",
        );
        server.mysql("salt", &schema("mysql"));
        server
    }

    fn mysql_command(&self, db: &str) -> Command {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--batch", "--raw", "--skip-column-names", "-uroot", "-D", db]);
        command.arg(format!("--socket={}", self.file("socket")));
        command
    }

    /// Statements as root; what they print.
    pub(crate) fn mysql(&self, db: &str, sql: &str) -> String {
        run(self.mysql_command(db).args(["-e", sql]))
    }

    /// Redis by password over TCP and a socket; or a member of a cluster.
    pub(crate) fn redis(cluster: bool) -> Self {
        let dir = brine_testing::service::scratch();
        let port = free_port();
        let mut command = unprivileged("redis-server", dir.path());
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--requirepass",
            "pass word",
        ]);
        command.args(["--masterauth", "pass word", "--port", &port.to_string(), "--unixsocket"]);
        command.arg(dir.path().join("socket")).args(["--dir", &dir.path().to_string_lossy()]);
        if cluster {
            let bus = free_port().to_string();
            command.args([
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-config-file",
                "nodes",
            ]);
        }
        Self::start(dir, port, &mut command)
            .up(|server| server.redis_command().arg("PING").output().unwrap().stdout == b"PONG\n")
    }

    fn redis_command(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).env("REDISCLI_AUTH", "pass word");
        command
    }

    /// A command; what it prints.
    pub(crate) fn redis_cli(&self, args: &[&str]) -> String {
        run(self.redis_command().args(args))
    }
}

/// Members of a cluster that know each other and share all keys.
pub(crate) fn redis_cluster() -> Vec<Server> {
    let members: Vec<_> = (0..2).map(|_| Server::redis(true)).collect();
    members[0].redis_cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "8000"]);
    members[1].redis_cli(&["CLUSTER", "ADDSLOTSRANGE", "8001", "16383"]);
    let bus = members[1].redis_cli(&["CONFIG", "GET", "cluster-port"]);
    let bus = bus.lines().nth(1).unwrap().to_owned();
    members[0].redis_cli(&["CLUSTER", "MEET", "127.0.0.1", &members[1].port.to_string(), &bus]);
    let knows = |member: &Server| member.redis_cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
    members.into_iter().map(|member| member.up(knows)).collect()
}
