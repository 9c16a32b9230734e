//! Functions of `network` that read and set the buffers of an interface with `ethtool`.

use crate::tools;
use brine_core::call::{Cx, KwArgs, Result, VarArgs, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

const TOOL: &str = "/sbin/ethtool";

/// Return network buffer sizes as a dict.
///
/// CLI Example: salt '*' network.get_bufsize eth0
#[exec]
fn get_bufsize(cx: &Cx, iface: String) -> Result<Map> {
    if !Path::new(TOOL).exists() {
        return Ok(Map::new());
    }
    Ok(sizes(&tools::run(cx, &[TOOL, "-g", &iface])?))
}

fn sizes(out: &str) -> Map {
    let mut ret = map! {"result" => false};
    let mut suffix = "max-";
    for line in out.lines() {
        let pair = line.rsplit_once(':').and_then(|(k, v)| Some((k, v.trim().parse::<i64>().ok()?)));
        if let Some((name, size)) = pair {
            ret.insert(format!("{}{suffix}", name.to_lowercase().replace(' ', "-")), size);
            ret.insert("result", true);
        } else if line.ends_with("maximums:") {
            suffix = "-max";
        } else if line.ends_with("settings:") {
            suffix = "";
        }
    }
    if ret.get("result") == Some(&Value::Bool(false)) {
        ret.insert("comment", out);
    }
    ret
}

/// Modify network interface buffers.
///
/// CLI Example: salt '*' network.mod_bufsize eth0 tx=<val> rx=<val> rx-mini=<val> rx-jumbo=<val>
#[exec]
fn mod_bufsize(cx: &Cx, iface: String, args: VarArgs, kwargs: KwArgs) -> Result {
    if !Path::new(TOOL).exists() {
        return Ok(false.into());
    }
    let refused = |comment: &str| Ok(map! {"result" => false, "comment" => comment}.into());
    let usage = "Requires rx=<val> tx==<val> rx-mini=<val> and/or rx-jumbo=<val>";
    if kwargs.0.is_empty() {
        return refused(usage);
    }
    if !args.0.is_empty() {
        let unknown: Vec<String> = args.0.iter().map(python_str).collect();
        return refused(&format!("Unknown arguments: {}", unknown.join(" ")));
    }
    let mut words: Vec<String> = Vec::new();
    for name in ["rx", "tx", "rx-mini", "rx-jumbo"] {
        if let Some(value) = kwargs.0.get(name).filter(|v| !v.is_nil()) {
            words.extend([name.to_owned(), python_str(value)]);
        }
    }
    if words.is_empty() {
        return refused(usage);
    }
    let mut line = vec![TOOL, "-G", &iface];
    line.extend(words.iter().map(String::as_str));
    let out = tools::run(cx, &line)?;
    if out.is_empty() {
        return Ok(map! {"result" => true, "comment" => words.join(" ")}.into());
    }
    refused(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_ethtool() {
        let out = "Ring parameters for eth0:\nPre-set maximums:\nRX:\t\t4096\nRX Mini:\t0\nCurrent hardware settings:\nRX:\t\t256\n";
        let got = sizes(out);
        assert_eq!(got, map! {"result" => true, "rx-max" => 4096, "rx-mini-max" => 0, "rx" => 256});
        assert_eq!(sizes("Cannot get device").get_str("comment"), Some("Cannot get device"));
    }
}
