//! Files of FTP servers, written to disk as they come.

use super::http::{IN_MEMORY, shown, temporary};
use super::url::{Order, minion_error};
use crate::fault::file_error;
use crate::place;
use crate::url::Url;
use brine_core::call::{CallError, Cx, Result};
use brine_dial::ftp::Ftp;
use std::fmt::Display;
use std::io::{Read, Write};
use std::path::Path;

fn failed(order: &Order<'_>, e: impl Display) -> CallError {
    minion_error(format!("Could not retrieve {} from FTP server. Exception: {e}", shown(order.url)))
}

/// The contents of a file.
pub(super) fn read(cx: &Cx, order: &Order<'_>, url: &Url) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    copy(cx, order, url, &mut bytes, IN_MEMORY)?;
    Ok(bytes)
}

/// Brings a file to a place whose folder is there.
pub(super) fn fetch(cx: &Cx, order: &Order<'_>, url: &Url, dest: &Path) -> Result<()> {
    let mut new = temporary(order, dest)?;
    copy(cx, order, url, new.file(), usize::MAX)?;
    place::settle(new, dest).map_err(|e| file_error(&e, dest))
}

fn copy(cx: &Cx, order: &Order<'_>, url: &Url, to: &mut impl Write, most: usize) -> Result<()> {
    let (host, port) = match url.host().rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => (host, port.parse().map_err(|e| failed(order, e))?),
        _ => (url.host(), 21),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let (user, password) = url.login().unwrap_or_default();
    let session = Ftp::login(host, port, &user, &password).map_err(|e| failed(order, e))?;
    let path = url.path.trim_start_matches('/');
    let mut file = session.retrieve(path).map_err(|e| failed(order, e))?;
    let (mut all, mut buffer) = (0, vec![0; 64 << 10]);
    loop {
        cx.cancel.check()?;
        let n = file.read(&mut buffer).map_err(|e| failed(order, e))?;
        if n == 0 {
            return file.finish().map_err(|e| failed(order, e));
        }
        all += n;
        if all > most {
            return Err(failed(order, format!("more than {most} bytes")));
        }
        to.write_all(&buffer[..n]).map_err(|e| failed(order, e))?;
    }
}
