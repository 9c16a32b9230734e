//! Certificates in files: tells of those that expire soon, or of all.

mod names;
mod shown;

use crate::config::{float, keys_of, list, merged, no_attribute};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{Cx, Result};
use brine_core::clock::unix_now;
use brine_core::schedule::{DAY, Moment, SECOND};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

pub(crate) static BEACON: Beacon =
    Beacon { name: "cert_info", unavailable: always, validate, look, lets_go: false };

/// Days before its end from which a certificate is told, unless the configuration says otherwise.
const DAYS: i64 = 45;
/// Larger files hold no certificate.
const LARGEST: u64 = 16 << 20;

fn validate(_: &Cx, config: &Value) -> Result<()> {
    match merged(list("cert_info", config)?)?.contains("files") {
        true => Ok(()),
        false => Err(refused("Configuration for cert_info beacon must contain files option.")),
    }
}

fn look(_: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let all = config.get("notify_days").cloned().unwrap_or_else(|| DAYS.into());
    let mut told: Vec<Value> = Vec::new();
    for entry in keys_of(config.get("files"))? {
        let (path, days) = match &entry {
            Value::Map(entry) => match entry.iter().next() {
                Some((path, options)) => {
                    let options = options.as_map().ok_or_else(|| no_attribute(options, "get"))?;
                    (python_str(path), options.get("notify_days").cloned().unwrap_or_else(|| all.clone()))
                }
                None => {
                    tracing::error!("Unable to load certificate {{}} ()");
                    continue;
                }
            },
            path => (python_str(path), all.clone()),
        };
        let der = match read(&path) {
            Ok(der) => der,
            Err(why) => {
                tracing::error!("Unable to load certificate {path} ({why})");
                continue;
            }
        };
        let Ok((_, certificate)) = X509Certificate::from_der(&der) else {
            tracing::error!("Unable to load certificate {path} (it is none)");
            continue;
        };
        // Stock takes the end, in UTC, for a time of this place.
        let now = Moment::now().micros();
        let left = (moment(certificate.validity().not_after).micros() - now).div_euclid(DAY);
        let days = float(&days)?;
        if days < 0.0 || left as f64 <= days {
            told.push(information(&path, &certificate).into());
        }
    }
    Ok(if told.is_empty() { Vec::new() } else { vec![map! { "certificates" => told }] })
}

/// The first certificate of a file.
fn read(path: &str) -> std::result::Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > LARGEST {
        return Err("it is too large".into());
    }
    let text = std::fs::read(path).map_err(|e| e.to_string())?;
    let mut blocks = Pem::iter_from_buffer(&text).flatten();
    let found = blocks.find(|block| matches!(&*block.label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"));
    found.map(|block| block.contents).ok_or_else(|| "there is no certificate in it".into())
}

fn moment(time: ASN1Time) -> Moment {
    Moment::from_micros(time.timestamp().saturating_mul(SECOND))
}

fn information(path: &str, certificate: &X509Certificate<'_>) -> Map {
    let validity = certificate.validity();
    let raw = |time| moment(time).strftime("%Y%m%d%H%M%SZ");
    let people = |time| moment(time).strftime("%Y-%m-%d %H:%M:%SZ");
    let (issuer, subject) = (names::components(certificate.issuer()), names::components(certificate.subject()));
    let extensions: Vec<Value> = certificate
        .extensions()
        .iter()
        .map(|extension| {
            map! { "ext_name" => names::extension(&extension.oid.to_id_string()), "ext_data" => shown::value(extension) }.into()
        })
        .collect();
    let serial = certificate.tbs_certificate.serial.to_string();
    map! {
        "cert_path" => path,
        "issuer" => names::line(&issuer),
        "issuer_dict" => names::dict(&issuer),
        "notAfter_raw" => raw(validity.not_after),
        "notAfter" => people(validity.not_after),
        "notBefore_raw" => raw(validity.not_before),
        "notBefore" => people(validity.not_before),
        // The wire has large numbers as text.
        "serial_number" => serial.parse::<i128>().map_or_else(|_| serial.into(), Value::Int),
        "signature_algorithm" => names::algorithm(&certificate.signature_algorithm.algorithm.to_id_string()),
        "subject" => names::line(&subject),
        "subject_dict" => names::dict(&subject),
        "version" => i64::from(certificate.version().0),
        "extensions" => extensions,
        "has_expired" => (validity.not_after.timestamp() as f64) < unix_now(),
    }
}

#[cfg(test)]
mod tests;
