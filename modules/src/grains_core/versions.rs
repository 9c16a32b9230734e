//! What a program in Salt's place says about the Salt and the Python it is. States read these to choose package names
//! and features, so they describe the stock release we are compatible with; our own version is `brine_version`.

use brine_core::{COMPAT_VERSION, Map, Value, map};

/// The Python of stock 3006's packages.
const PYTHON: [i64; 3] = [3, 10, 18];

/// The libzmq of stock 3006's packages; we speak the protocol ourselves.
const ZMQ: &str = "4.3.5";

pub(super) fn collect() -> Map {
    let numbers: Vec<Value> =
        COMPAT_VERSION.split('.').map(|p| p.parse::<i64>().unwrap_or(0).into()).collect();
    let mut python: Vec<Value> = PYTHON.iter().map(|n| (*n).into()).collect();
    python.extend(["final".into(), 0.into()]);
    let home = std::env::current_exe().ok().and_then(|p| Some(p.parent()?.to_string_lossy().into_owned()));
    map! {
        // There is no interpreter: nothing that a state could run or import from.
        "pythonexecutable" => "",
        "pythonpath" => Vec::<Value>::new(),
        "pythonversion" => python,
        "saltpath" => home.unwrap_or_default(),
        "saltversion" => COMPAT_VERSION,
        "saltversioninfo" => numbers,
        "brine_version" => env!("CARGO_PKG_VERSION"),
        "zmqversion" => ZMQ,
    }
}
