//! `mysql`, `postgres` and `redis`, from real servers.

use crate::server;
use crate::stock::{Case, compare, ours, settled};
use serde_json::{Value as Json, json};

/// Rows that both databases hold.
const ROWS: &str = "INSERT INTO t VALUES ('web1', 'a', 'x', 1, 1.5, TRUE), ('web1', 'b', NULL, -2, 0.25, FALSE), \
    ('web1', 'a', 'é', 9000000000, -1e10, NULL), ('web2', 'c', 'z', 3, 3, TRUE);";

fn queries() -> Vec<Json> {
    let all = "SELECT k, v, n, x, b FROM t WHERE id = %s ORDER BY n";
    vec![
        json!("SELECT k, v FROM t WHERE id = %s ORDER BY n"),
        json!({"sub": all, "other": {"query": all, "depth": 2, "as_list": true}}),
        json!([{"query": all, "depth": 1, "with_lists": "1,3"}, {"query": all, "depth": 1, "ignore_null": true}]),
        json!(["SELECT k, n FROM t WHERE id LIKE %s AND k LIKE '%%a%%'"]),
        json!([
            "SELECT k, n FROM t WHERE id = %s",
            "SELECT nope FROM t WHERE id = %s",
            "SELECT v, n FROM t WHERE id = %s"
        ]),
        json!(["SELECT k, n FROM t WHERE id = %s AND FALSE"]),
        json!(["SELECT k, n FROM t"]),
        json!(["SELECT k, n FROM t WHERE id = %s OR k = %s"]),
    ]
}

/// What holds all of the values that both give pillar in the same way.
fn cases(source: &str, server: &brine_testing::Service, more: &[Json]) -> Vec<Case> {
    let options = json!({source: {"host": "127.0.0.1", "port": server.port, "user": "salt", "pass": "pass 'word", "db": "salt"}});
    let mut cases: Vec<Case> = queries()
        .iter()
        .chain(more)
        .map(|query| Case::source(source, query.clone()).with(options.clone()))
        .collect();
    let mut quoted = Case::source(source, queries()[0].clone()).with(options);
    quoted.id = "x' OR 'a'='a";
    cases.push(quoted);
    cases
}

/// The text of a failure is that of another library.
fn unreachable(source: &str, port: u16) {
    let dir = tempfile::tempdir().unwrap();
    let options = json!({source: {"host": "127.0.0.1", "port": port, "user": "salt", "pass": "wrong secret", "db": "salt"}});
    let case = Case::source(source, json!("SELECT k, v FROM t WHERE id = %s")).with(options);
    let told = ours(&case, &settled(&case, dir.path()));
    assert!(
        told.starts_with(&format!("{{'_errors': [\"Failed to load ext_pillar {source}: "))
            || told.starts_with(&format!("{{'_errors': ['Failed to load ext_pillar {source}: ")),
        "{told}"
    );
    assert!(!told.contains("wrong secret"), "{told}");
}

#[test]
fn postgres() {
    let dir = tempfile::tempdir().unwrap();
    let server = server::postgres(&format!(
        "CREATE TABLE t (id text, k varchar(9), v text, n bigint, x float8, b bool); {ROWS}
         CREATE TYPE mood AS ENUM ('sad', 'ok');
         CREATE TABLE more (id char(4), s smallint, i int, f real, u uuid, j json, jb jsonb, l text[], il int[], m mood);
         INSERT INTO more VALUES ('web1', -3, 7, 0.1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{{\"a\": [1]}}', '{{\"b\": null}}',
         '{{x,NULL,\"y z\"}}', '{{}}', 'ok');"
    ));
    let more = [
        json!(["SELECT 'row', s, i, f, u, j, jb, l, il, m FROM more WHERE id = %s"]),
        json!([{"query": "SELECT 'row', s, i, f, u, j, jb, l, il, m FROM more WHERE id = %s", "depth": 1}]),
        json!([{"query": "SELECT j FROM more WHERE id = %s UNION ALL SELECT '{\"c\": 1}'", "as_json": true}]),
    ];
    compare(dir.path(), &cases("postgres", &server, &more));
    unreachable("postgres", server.port);
    // What Python has types of its own for.
    let options = json!({"postgres": {"host": "127.0.0.1", "port": server.port, "pass": "pass 'word"}});
    let sql = "SELECT 'k', 12345678901234.5600::numeric, \
        '2024-02-29'::date::text, '2024-02-29 12:30:05.000006'::timestamp, '\\x00ff'::bytea WHERE %s <> ''";
    let case = Case::source("postgres", json!([{"query": sql, "depth": 1}])).with(options);
    let told = ours(&case, &settled(&case, dir.path()));
    for part in [
        "'12345678901234.5600'",
        "'2024-02-29'",
        "datetime.datetime(2024, 2, 29, 12, 30, 5, 6)",
        "b'\\x00\\xff'",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn mysql() {
    let dir = tempfile::tempdir().unwrap();
    let server = server::mariadb(&format!(
        "CREATE TABLE t (id varchar(20), k varchar(9), v text, n bigint, x double, b bool); {ROWS}
         CREATE TABLE more (id char(4), s smallint, i int unsigned, t tinyint, m mediumint, f float, bl blob, j json, e enum('sad', 'ok'), y year);
         INSERT INTO more VALUES ('web1', -3, 4000000000, -5, -70000, 0.1, x'00ff', '{{\"a\": [1]}}', 'ok', 2024);"
    ));
    let more = [
        json!([{"query": "SELECT 'row', s, i, t, m, f, bl, j, e, y FROM more WHERE id = %s", "depth": 1}]),
        json!([{"query": "SELECT j FROM more WHERE id = %s", "as_json": true}]),
    ];
    compare(dir.path(), &cases("mysql", &server, &more));
    unreachable("mysql", server.port);
    let options = json!({"mysql": {"host": "127.0.0.1", "port": server.port, "pass": "pass 'word"}});
    let sql = "SELECT 'k', CAST('1.50' AS DECIMAL(5,2)) d, TIMESTAMP('2024-02-29 12:30:05') m, TIME('-25:00:01') t WHERE %s <> ''";
    let case = Case::source("mysql", json!([{"query": sql, "depth": 1}])).with(options);
    let told = ours(&case, &settled(&case, dir.path()));
    assert_eq!(
        told,
        "{'k': {'d': '1.50', 'm': datetime.datetime(2024, 2, 29, 12, 30, 5), 't': '-25:00:01'}}"
    );
}

#[test]
fn redis() {
    let dir = tempfile::tempdir().unwrap();
    let server = server::redis(&[
        &["SET", "web1", "{\"a\": [1, null]}"],
        &["SET", "text", "not json"],
        &["SET", "number", "7"],
        &["SET", "empty", ""],
        &["HSET", "hash", "a", "1", "b", "é"],
        &["RPUSH", "list", "x", "y"],
        &["SADD", "set", "one"],
        &["ZADD", "zset", "2", "b", "1", "a"],
        &["XADD", "stream", "*", "a", "1"],
        &["SELECT", "0"],
    ]);
    let options = json!({
        "redis.host": "127.0.0.1", "redis.port": server.port, "redis.db": 0, "redis.password": "pass word",
    });
    let mut cases = Vec::new();
    for id in ["web1", "text", "number", "empty", "hash", "list", "set", "zset", "stream", "missing"] {
        for args in [
            json!({"function": "key_value"}),
            json!({"function": "key_value", "pillar_key": "own"}),
            json!({"function": "key_json"}),
            json!({"function": "key_json", "pillar_key": "own"}),
        ] {
            let mut case = Case::source("redis", args).with(options.clone());
            (case.id, case.functions) = (id, true);
            cases.push(case);
        }
    }
    for args in [
        json!("key_value"),
        json!("odd"),
        json!("_x"),
        json!({}),
        json!({"function": "key_json", "x": 1}),
        json!([7]),
    ] {
        let mut case = Case::source("redis", args).with(options.clone());
        case.functions = true;
        cases.push(case);
    }
    compare(dir.path(), &cases);
    let wrong =
        Case::source("redis", json!("key_value")).with(options).with(json!({"redis.password": "a secret"}));
    let told = ours(&wrong, &settled(&wrong, dir.path()));
    assert!(told.contains("Failed to load ext_pillar redis: ") && !told.contains("a secret"), "{told}");
}
