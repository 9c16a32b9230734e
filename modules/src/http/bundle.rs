//! Bundles of certificates, brought up to date.

use brine_core::Value;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::{python_os_error, python_str};
use std::io::Write;
use std::path::Path;

/// Where systems have theirs.
const PLACES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/certs/ca-bundle.trust.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// From where stock fetches one.
const SOURCE: &str = "https://curl.haxx.se/ca/cacert.pem";

fn option(cx: &Cx, given: Option<String>, key: &str) -> Result<Option<String>> {
    match given {
        Some(given) => Ok(Some(given)),
        None => Ok(match cx.call("config.get", Args::positional([key.into(), Value::Nil]))? {
            Value::Nil => None,
            other => Some(python_str(&other)),
        }),
    }
}

pub(super) fn update(cx: &Cx, target: Option<String>, source: Option<String>, merge: Option<Value>) -> Result<()> {
    let known = || PLACES.iter().find(|place| Path::new(place).exists()).map(|place| (*place).to_owned());
    let target = option(cx, target, "ca_bundle")?.or_else(known);
    let Some(target) = target else {
        tracing::error!("Unable to detect location to write CA bundle to");
        return Ok(());
    };
    let source = option(cx, source, "ca_bundle_url")?.unwrap_or_else(|| SOURCE.into());
    tracing::debug!("Attempting to download {source} to {target}");
    let answer = cx.call("http.query", Args::positional([source.as_str()]).with("text", true))?;
    let Some(text) = answer.get("text").and_then(Value::as_str) else {
        let why = answer.get("error").map(python_str).unwrap_or_default();
        return Err(CallError::execution(format!("{source}: {why}")));
    };
    let mut text = text.to_owned();
    let files: Vec<String> = match merge {
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(Value::Str(one)) => vec![one],
        _ => Vec::new(),
    };
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(more) if text.contains(&more) => {}
            Ok(more) => text += &format!("\n{more}"),
            Err(e) => tracing::error!("{}", python_os_error(&e, &file)),
        }
    }
    let folder = Path::new(&target).parent().unwrap_or(Path::new("/"));
    let written = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.persist(&target).map(drop).map_err(|e| e.error)
        });
    written.map_err(|e| CallError::execution(python_os_error(&e, &target)))
}
