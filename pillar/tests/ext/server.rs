//! Servers of the tests' own: Debian's PostgreSQL, MariaDB and Redis. Not tests.

use brine_testing::Service;
use brine_testing::service::{free_port, postgres_bin, run, scratch, unprivileged};
use std::process::Command;

/// PostgreSQL with the user and database `salt`, by password over TCP.
pub(crate) fn postgres(sql: &str) -> Service {
    let bin = postgres_bin();
    let dir = scratch();
    let data = dir.path().join("data");
    run(unprivileged(bin.join("initdb"), dir.path())
        .args(["--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-D"])
        .arg(&data));
    std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhost all all all scram-sha-256\n")
        .unwrap();
    let port = free_port();
    let mut command = unprivileged(bin.join("postgres"), dir.path());
    let socket = format!("unix_socket_directories={}", dir.path().display());
    command.arg("-D").arg(&data).args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", &socket]);
    command.args(["-c", &format!("port={port}")]);
    let psql = |server: &Service, db: &str, sql: &str| {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", db, "-c", sql, "-h"]);
        command.arg(server.dir()).args(["-p", &server.port.to_string()]);
        command
    };
    let server = Service::start(dir, port, &mut command)
        .up(|server| psql(server, "postgres", "SELECT 1").output().unwrap().status.success());
    run(&mut psql(&server, "postgres", "CREATE ROLE salt LOGIN PASSWORD 'pass ''word'"));
    run(&mut psql(&server, "postgres", "CREATE DATABASE salt OWNER salt"));
    run(&mut psql(&server, "salt", &format!("SET ROLE salt; {sql}")));
    server
}

/// MariaDB with the user and database `salt`, by password over TCP.
pub(crate) fn mariadb(sql: &str) -> Service {
    let dir = scratch();
    let at = |name: &str| dir.path().join(name).display().to_string();
    run(unprivileged("mariadb-install-db", dir.path())
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg(format!("--datadir={}", at("data"))));
    let port = free_port();
    let mut command = unprivileged("/usr/sbin/mariadbd", dir.path());
    command.args([
        "--no-defaults".to_owned(),
        format!("--datadir={}", at("data")),
        format!("--socket={}", at("socket")),
        format!("--port={port}"),
        "--bind-address=127.0.0.1".into(),
        "--innodb-flush-log-at-trx-commit=0".into(),
        "--innodb-buffer-pool-size=32M".into(),
    ]);
    let mysql = |server: &Service, sql: &str| {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "-uroot", "-D", "mysql", "-e", sql]);
        command.arg(format!("--socket={}", server.dir().join("socket").display()));
        command
    };
    let server = Service::start(dir, port, &mut command)
        .up(|s| mysql(s, "SELECT 1").output().unwrap().status.success());
    let user = "CREATE USER salt IDENTIFIED BY 'pass ''word'; GRANT ALL ON salt.* TO salt";
    run(&mut mysql(
        &server,
        &format!("CREATE DATABASE salt DEFAULT CHARACTER SET utf8mb4; {user}; USE salt; {sql}"),
    ));
    server
}

/// Redis by password over TCP.
pub(crate) fn redis(commands: &[&[&str]]) -> Service {
    let (dir, port) = (scratch(), free_port());
    let mut command = unprivileged("redis-server", dir.path());
    command.args([
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--requirepass",
        "pass word",
        "--port",
        &port.to_string(),
    ]);
    let cli = |server: &Service, args: &[&str]| {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &server.port.to_string()]).args(args);
        command.env("REDISCLI_AUTH", "pass word");
        command
    };
    let server = Service::start(dir, port, &mut command)
        .up(|s| cli(s, &["PING"]).output().unwrap().stdout == b"PONG\n");
    for args in commands {
        run(&mut cli(&server, args));
    }
    server
}
