//! Files of HTTP servers, written to disk as they come.

use super::url::{Order, minion_error};
use crate::fault::file_error;
use crate::place;
use crate::unseen::Unseen;
use crate::url::Url;
use brine_core::call::{Cx, Result};
use brine_dial::Check;
use brine_dial::http::{Http, Stream, Way, basic, without_password};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The largest file whose contents are a result.
pub(super) const IN_MEMORY: usize = 256 << 20;

/// The contents of a file.
pub(super) fn read(cx: &Cx, order: &Order<'_>, url: &Url) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    copy(cx, order, url, open(cx, order, url, None)?, &mut bytes, IN_MEMORY)?;
    Ok(bytes)
}

/// Brings a file to a place whose folder is there. With `use_etag`, one that the server says has not changed stays.
pub(super) fn fetch(cx: &Cx, order: &Order<'_>, url: &Url, dest: &Path) -> Result<()> {
    let failed = |e: std::io::Error| file_error(&e, dest);
    let tag_file = PathBuf::from(format!("{}.etag", dest.display()));
    let tag = match order.use_etag && dest.exists() {
        true => fs::read_to_string(&tag_file).ok().map(|tag| tag.replace('\n', "").trim().to_owned()),
        false => None,
    };
    let stream = open(cx, order, url, tag.as_deref())?;
    if order.use_etag && stream.status == 304 {
        return Ok(());
    }
    let tag = stream.header("etag").map(str::to_owned);
    let mut new = temporary(order, dest)?;
    copy(cx, order, url, stream, new.file(), usize::MAX)?;
    place::settle(new, dest).map_err(failed)?;
    if let Some(tag) = tag.filter(|_| order.use_etag) {
        let mut new = temporary(order, &tag_file)?;
        let written = new.file().write_all(tag.as_bytes()).and_then(|()| place::settle(new, &tag_file));
        written.map_err(|e| file_error(&e, &tag_file))?;
    }
    Ok(())
}

/// A file that is to be moved to a place when it is whole, as private as the cache is where it is for that.
pub(super) fn temporary(order: &Order<'_>, dest: &Path) -> Result<Unseen> {
    let mode = if matches!(order.dest, super::Dest::Cache) { 0o600 } else { 0o666 };
    Unseen::new_in(dest.parent().unwrap_or(Path::new(".")), mode).map_err(|e| file_error(&e, dest))
}

fn open(cx: &Cx, order: &Order<'_>, url: &Url, tag: Option<&str>) -> Result<Stream> {
    let host = url.host();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let mut way = Way::of(&cx.opts, name);
    if !order.verify_ssl {
        way.tls.check = Check::Nothing;
    }
    let failed = |e: String| minion_error(format!("Error: {e} reading {}", url.path));
    let mut headers = Vec::new();
    if let Some((user, password)) = url.login() {
        headers.push(("Authorization", basic(&user, &password)));
    }
    headers.extend(tag.map(|tag| ("If-None-Match", tag.to_owned())));
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let query = if url.query.is_empty() { String::new() } else { format!("?{}", url.query) };
    let (_, rest) = order.url.split_once("://").unwrap_or_default();
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let address = format!("{}://{host}{path}{query}", url.scheme);
    let http = Http::new(&way, "Salt http.query()").map_err(|e| failed(e.to_string()))?;
    let stream = http.open("GET", &address, &headers, None).map_err(|e| failed(as_python(&e.to_string())))?;
    match stream.status {
        200..=299 => Ok(stream),
        304 if tag.is_some() => Ok(stream),
        status => Err(failed(format!("HTTP {status}: {}", reason(status)))),
    }
}

/// Why there was no connection, as Python's libraries begin to tell it: an error of the system by its number, a certificate that
/// is not to be trusted by OpenSSL's name for that.
fn as_python(text: &str) -> String {
    if let Some((_, why)) = text.split_once("invalid peer certificate: ") {
        return format!("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why}");
    }
    let code = text.split_once("(os error ").and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
    match code {
        Some(code) => {
            let e = std::io::Error::from_raw_os_error(code);
            format!("[Errno {code}] {}", brine_core::text::python_strerror(&e))
        }
        None => text.to_owned(),
    }
}

/// Copies the body, all of it and no more than may be.
fn copy(
    cx: &Cx,
    order: &Order<'_>,
    url: &Url,
    stream: Stream,
    to: &mut impl Write,
    most: usize,
) -> Result<()> {
    let failed = |e: std::io::Error| minion_error(format!("Error: {e} reading {}", url.path));
    let most = most.min(Way::of(&cx.opts, "").most) as u64;
    let length = stream.header("content-length").and_then(|n| n.parse::<u64>().ok());
    // What the library unpacks has another length.
    let length = length.filter(|_| stream.header("content-encoding").is_none());
    let (mut body, mut all, mut buffer) = (stream.reader(), 0, vec![0; 64 << 10]);
    loop {
        cx.cancel.check()?;
        let n = match body.read(&mut buffer) {
            Ok(n) => n,
            Err(_) if length.is_some_and(|length| all < length) => 0,
            Err(e) => return Err(failed(e)),
        };
        if n == 0 {
            break;
        }
        all += n as u64;
        if all > most {
            return Err(failed(std::io::Error::other(format!("more than {most} bytes"))));
        }
        to.write_all(&buffer[..n]).map_err(failed)?;
    }
    match length {
        Some(length) if length != all => Err(minion_error(format!(
            "Failed to download {}: expected {length} bytes but received {all} bytes (truncated download)",
            shown(order.url)
        ))),
        _ => Ok(()),
    }
}

/// A URL as people may see it.
pub(super) fn shown(url: &str) -> String {
    match url.split_once("://") {
        Some((_, rest)) if rest.split('/').next().is_some_and(|host| host.contains('@')) => {
            without_password(url)
        }
        _ => url.to_owned(),
    }
}

/// The words of a status, as servers say them.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::as_python;

    #[test]
    fn errors_of_connections_begin_as_pythons() {
        let refused = "could not connect to http://h:1: io: Connection refused (os error 111)";
        assert_eq!(as_python(refused), "[Errno 111] Connection refused");
        let told = as_python("could not connect to https://h: io: invalid peer certificate: UnknownIssuer");
        assert!(told.contains("SSL: CERTIFICATE_VERIFY_FAILED") && told.ends_with("UnknownIssuer"));
        assert_eq!(as_python("no reply within 3 seconds"), "no reply within 3 seconds");
    }
}
