//! `gpg`: every text that holds PGP messages, wherever it stands in the data, has them decrypted by the real `gpg`.
//!
//! What was decrypted is marked as secret, and `gpg_cache` keeps it in memory only.

mod cache;
mod locks;
mod run;

use super::{Call, Data, Renderer, render_error};
use brine_python::{Args, Kind, Obj, PyErr, R, repr};
use std::path::PathBuf;
use tracing::{debug, warn};

pub(super) const RENDERER: Renderer = Renderer { name: "gpg", run };

const BEGIN: &[u8] = b"-----BEGIN PGP MESSAGE-----";
const END: &[u8] = b"-----END PGP MESSAGE-----";

fn run(call: &Call<'_>, data: Data) -> R<Data> {
    let gpg = run::find().ok_or_else(|| render_error("GPG unavailable"))?;
    let keys = key_dir(call);
    debug!("Reading GPG keys from: {}", keys.display());
    let translate = call.kwarg("translate_newlines").map(brine_python::truth).transpose()?.unwrap_or(false);
    let decrypt = Decrypt { call, gpg, keys, translate };
    let out = match data {
        Data::Stream(text) => decrypt.text(text.as_bytes(), None)?,
        Data::Value(value) => {
            let encoding = call.kwarg("encoding").filter(|e| !matches!(e, Obj::None)).cloned();
            decrypt.object(value, encoding.as_ref(), 0)?
        }
    };
    Ok(Data::Value(out))
}

/// `gpg_keydir`, from the options or the pillar, or `gpgkeys` beside the configuration. Not from grains, as stock also does:
/// a minion must not choose whose options its master's gpg reads.
fn key_dir(call: &Call<'_>) -> PathBuf {
    let opts = &call.session.cx.opts;
    let option =
        || opts.get("gpg_keydir").and_then(|v| v.as_str()).filter(|s| !s.is_empty()).map(PathBuf::from);
    let pillar = || {
        let Obj::Dict(pillar) = call.session.pillar() else { return None };
        pillar.get_str("gpg_keydir")?.as_str().filter(|s| !s.is_empty()).map(PathBuf::from)
    };
    option().or_else(pillar).unwrap_or_else(|| {
        let dir = match opts.str("config_dir") {
            "" => opts.path("conf_file").parent().map(PathBuf::from).unwrap_or_default(),
            dir => PathBuf::from(dir),
        };
        dir.join("gpgkeys")
    })
}

/// How deep data may be nested.
const MAX_DEPTH: usize = 300;

struct Decrypt<'a> {
    call: &'a Call<'a>,
    gpg: PathBuf,
    keys: PathBuf,
    translate: bool,
}

impl Decrypt<'_> {
    /// A value with everything in it, in place.
    fn object(&self, value: Obj, encoding: Option<&Obj>, depth: usize) -> R {
        if depth > MAX_DEPTH {
            return Err(PyErr::recursion(""));
        }
        match &value {
            Obj::Bytes(bytes) => return self.text(bytes, encoding),
            Obj::Dict(dict) => {
                for (key, old) in dict.pairs() {
                    let new = self.object(old, None, depth + 1)?;
                    dict.set(key, new)?;
                }
            }
            Obj::List(list) => {
                let old = list.borrow().clone();
                for (at, old) in old.into_iter().enumerate() {
                    let new = self.object(old, None, depth + 1)?;
                    if let Some(place) = list.borrow_mut().get_mut(at) {
                        *place = new;
                    }
                }
            }
            other => {
                if let Some(text) = other.as_str() {
                    return self.text(text.as_bytes(), encoding);
                }
            }
        }
        Ok(value)
    }

    /// A text with its messages decrypted: `str`, or `bytes` where that is no text.
    fn text(&self, text: &[u8], encoding: Option<&Obj>) -> R {
        let translated = if self.translate { Some(newlines(text)) } else { None };
        let text = translated.as_deref().unwrap_or(text);
        let mut out = Vec::new();
        let mut rest = text;
        let mut found = false;
        while let Some(begin) = find(rest, BEGIN)
            && let Some(end) = find(&rest[begin + BEGIN.len()..], END)
        {
            let end = begin + BEGIN.len() + end + END.len();
            out.extend_from_slice(&rest[..begin]);
            out.extend_from_slice(&self.message(&rest[begin..end])?);
            rest = &rest[end..];
            found = true;
        }
        out.extend_from_slice(rest);
        if found {
            while out.last() == Some(&b'\n') {
                out.pop();
            }
        }
        let bytes = match (encoding, String::from_utf8(out)) {
            (None, Ok(text)) => return Ok(text.into()),
            (_, Ok(text)) => text.into_bytes(),
            (_, Err(e)) => e.into_bytes(),
        };
        let bytes = Obj::bytes(bytes);
        let Some(encoding) = encoding else { return Ok(bytes) };
        match brine_python::call_method(&bytes, "decode", &Args::of([encoding.clone()])) {
            Err(e) if e.kind() == Kind::UnicodeDecodeError => Ok(bytes),
            decoded => decoded,
        }
    }

    /// One message. What cannot be decrypted stays as it is, unless that is forbidden.
    fn message(&self, message: &[u8]) -> R<Vec<u8>> {
        let message = newlines(message);
        let opts = &self.call.session.cx.opts;
        let cache = opts.flag("gpg_cache");
        if cache && let Some(kept) = cache::get(&self.keys, &message) {
            self.call.decrypted();
            return Ok(kept);
        }
        locks::clean(&self.keys);
        let (clear, said) = run::decrypt(&self.call.session.cx, &self.gpg, &self.keys, &message)?;
        if clear.is_empty() {
            let (message_text, said) = (repr(&Obj::bytes(&message))?, repr(&Obj::bytes(&said))?);
            warn!("Could not decrypt cipher {message_text}, received: {said}");
            if opts.flag("gpg_decrypt_must_succeed") {
                let text = format!("Could not decrypt cipher {message_text}, received: {said}");
                return Err(render_error(text));
            }
            return Ok(message);
        }
        self.call.decrypted();
        if cache {
            cache::put(&self.keys, message, &clear, opts.float("gpg_cache_ttl").unwrap_or(86400.0));
        }
        Ok(clear)
    }
}

/// `\n` written out as two characters becomes a line end.
fn newlines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, b"\\n") {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\n');
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}
