//! Stock Salt 3006.28 for comparisons: where it is, how it is run, and when two values count as the same.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its part")]

use super::json;
use brine_core::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory of stock 3006.28.
pub(crate) fn home() -> PathBuf {
    let dir = std::env::var_os("BRINE_STOCK_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/stock"));
    let home = dir.join("3006.28");
    assert!(home.join("bin/salt-call").exists(), "no stock Salt in {}; set BRINE_STOCK_DIR", home.display());
    home
}

/// Writes a minion's configuration into `dir`; the path of its file.
pub(crate) fn configuration(dir: &Path, more: &str) -> PathBuf {
    let file = dir.join("minion");
    let root = dir.display();
    std::fs::write(
        &file,
        format!("id: stockm\nmaster: salt\nroot_dir: {root}/root\nfile_client: local\nlog_file: {root}/log\n{more}"),
    )
    .unwrap();
    file
}

/// `salt-call --local` of stock, its answer as a value.
pub(crate) fn salt_call(conf: &Path, args: &[&str]) -> Value {
    let out = Command::new(home().join("bin/salt-call"))
        .arg("-c")
        .arg(conf)
        .args(["--local", "--out=json", "--log-level=quiet"])
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    json::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

/// Runs a Python program in stock's environment; what it prints is JSON.
pub(crate) fn python(program: &str, args: &[&str]) -> Value {
    let out = Command::new(home().join("bin/python")).arg("-c").arg(program).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    json::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

/// Equality but for the order of keys.
pub(crate) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Map(a)), Some(Value::Map(b))) => {
            a.len() == b.len() && a.iter().all(|(k, v)| same(Some(v), b.get_key(k)))
        }
        (Some(Value::List(a)), Some(Value::List(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
        }
        (a, b) => a == b,
    }
}
