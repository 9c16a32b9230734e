//! Prints the option tables, a JSON object a line, for `cargo xtask options` and `docs/options.md`.

#![allow(clippy::print_stdout, missing_docs, reason = "a program for people and scripts")]

use brine_core::options::{Daemon, Status};
use brine_core::text::python_repr;
use serde_json::json;

fn main() {
    for (table, rows) in Daemon::tables() {
        for row in rows {
            let (status, detail) = match row.status {
                Status::Honoured(test) => ("honoured", test.to_owned()),
                Status::AcceptedWithoutEffect(why) => ("without effect", why.to_owned()),
                Status::Deprecated(why) => ("deprecated", why.to_owned()),
            };
            let types: Vec<&str> = row.types.iter().map(|t| t.name()).collect();
            let line = json!({
                "table": table,
                "key": row.key,
                "default": row.default.value().map(|value| python_repr(&value)),
                "types": types,
                "status": status,
                "detail": detail,
                "doc": row.doc,
            });
            println!("{line}");
        }
    }
}
