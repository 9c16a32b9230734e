//! How rows become pillar, over SQLite's files: tables and queries made up at random.

use crate::stock::{Case, compare, number};
use brine_testing::Random;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

fn cell(r: &mut Random) -> Json {
    match r.below(8) {
        0 => Json::Null,
        1 => json!(r.below(3)),
        2 => json!(1.5),
        _ => json!(r.pick(&["a", "b", "c", "web1"])),
    }
}

fn table(r: &mut Random, width: usize) -> Vec<Vec<Json>> {
    (0..r.below(7)).map(|_| (0..width).map(|_| cell(r)).collect()).collect()
}

fn literal(cell: &Json) -> String {
    match cell {
        Json::Null => "NULL".into(),
        Json::String(s) => format!("'{s}'"),
        other => other.to_string(),
    }
}

/// A query that gives these rows, whatever the minion.
fn select(rows: &[Vec<Json>], width: usize) -> String {
    let columns: Vec<String> = (0..width).map(|i| format!("column{} AS c{i}", i + 1)).collect();
    if rows.is_empty() {
        let columns: Vec<String> = (0..width).map(|i| format!("1 AS c{i}")).collect();
        return format!("SELECT {} WHERE ? = 'nobody'", columns.join(", "));
    }
    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", ")))
        .collect();
    format!("SELECT {} FROM (VALUES {}) WHERE ? = 'web1'", columns.join(", "), rows.join(", "))
}

#[test]
fn rows_made_up_at_random() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.db");
    Connection::open(&file).unwrap().execute("CREATE TABLE t (id, a)", []).unwrap();
    let database = json!({"sqlite3": {"database": file}});
    let mut r = Random::new(number("BRINE_SEED", 1));
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 80) {
        let mut queries = Vec::new();
        for _ in 0..1 + r.below(2) {
            let width = 1 + r.below(6);
            let sql = select(&table(&mut r, width), width);
            queries.push(match r.below(4) {
                0 => json!(sql),
                1 => json!([sql, r.below(5)]),
                _ => {
                    let mut query = json!({"query": sql, "depth": r.below(6)});
                    if r.once_in(2) {
                        query["as_list"] = json!(true);
                    }
                    if r.once_in(3) {
                        query["ignore_null"] = json!(true);
                    }
                    match r.below(4) {
                        0 => query["with_lists"] = json!([1 + r.below(4), 1 + r.below(6)]),
                        1 => query["with_lists"] = json!(format!("{},{}", 1 + r.below(4), 1 + r.below(6))),
                        _ => {}
                    }
                    query
                }
            });
        }
        let args = match r.below(3) {
            0 => json!(queries),
            1 => json!({"root": queries[0]}),
            _ => json!({"b": queries[0], "a": queries[queries.len() - 1]}),
        };
        cases.push(Case::source("sqlite3", args).with(database.clone()));
    }
    compare(dir.path(), &cases);
}

#[test]
fn queries() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.db");
    let connection = Connection::open(&file).unwrap();
    connection
        .execute_batch(
            r#"CREATE TABLE t (id, k, v); INSERT INTO t VALUES ('web1', 'a', 1), ('web1', 'b', x'ff00'), ('web2', 'c', 'x');
               CREATE TABLE j (id, doc); INSERT INTO j VALUES ('web1', '{"a": {"b": [1, 2]}, "c": 3}'),
               ('web1', '{"a": {"b": [1, 3]}, "d": 4}'), ('bad', 'nope'), ('list', '[1]'), ('bytes', CAST('{"x": 1}' AS BLOB)), ('num', 7);"#,
        )
        .unwrap();
    let database = json!({"sqlite3": {"database": file, "timeout": "2.5"}});
    let own = "SELECT k, v FROM t WHERE id = ?";
    let doc = "SELECT doc FROM j WHERE id = ?";
    let other = |id: &str| format!("SELECT doc FROM j WHERE ? != '' AND id = '{id}'");
    let mut cases: Vec<Case> = [
        json!(own),
        json!([own]),
        json!({"x": own}),
        json!({"x": {"query": own, "depth": 1}, "w": [own], "": own}),
        json!([[], "", {}, {"query": ""}, {"depth": 1}, null, [""], own]),
        json!([{"query": doc, "as_json": true}]),
        json!([{"query": doc, "as_json": true, "as_list": true}]),
        json!([{"query": other("bad"), "as_json": true}]),
        json!([{"query": other("list"), "as_json": true}]),
        json!([{"query": other("bytes"), "as_json": true}]),
        json!([{"query": other("num"), "as_json": true}]),
        json!([own, "SELECT nope FROM t WHERE id = ?", own]),
        json!([own, "SELECT k, v FROM t"]),
        json!([own, "SELECT k, v FROM t WHERE id = ? OR id = ?"]),
        json!([own, "SELEC"]),
        json!(["SELECT k, v FROM t WHERE id = ? UNION SELECT '; DROP TABLE t', 1"]),
        json!([{"query": own, "depth": "x"}]),
        json!([{"query": own, "with_lists": "a"}]),
        json!([{"query": own, "with_lists": 1}]),
        json!([{"query": own, "odd": 1}]),
        json!([7]),
    ]
    .into_iter()
    .map(|args| Case::source("sqlite3", args).with(database.clone()))
    .collect();
    cases.push(Case::source("sqlite3", json!([own])).with(json!({"sqlite3": {"database": dir.path()}})));
    let mut quoted = Case::source("sqlite3", json!([own])).with(database);
    quoted.id = "x' OR '1'='1";
    cases.push(quoted);
    compare(dir.path(), &cases);
}
