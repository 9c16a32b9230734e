//! A file brought from the file server: asked for its checksum, fetched in chunks where there is no such file yet, and checked before
//! it is put in place. A file that changes meanwhile is fetched anew.

use super::Channel;
use super::ahead::Ahead;
use super::part::{Part, Sum};
use crate::cache::Cache;
use crate::fault::file_error;
use crate::path::Asked;
use crate::place;
use brine_core::call::{CallError, Result};
use brine_core::files::Want;
use brine_core::{Map, Value, map};
use flate2::read::GzDecoder;
use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// How often a file that changes is begun anew.
const TRIES: u32 = 5;
/// The largest chunk, unpacked, whose size is not known beforehand.
const LARGEST: u64 = 256 << 20;

/// What the server knows about a file.
struct Facts {
    sum: Sum,
    size: Option<u64>,
}

/// How a transfer ended.
enum Outcome {
    Whole,
    /// The contents are not what was said, or the file is not there any more.
    Changed,
}

/// Brings a file to its place: the cache's, or the one that is wanted. None where the server has none.
pub(super) fn fetch(
    channel: &dyn Channel,
    cache: &Cache,
    ahead: &Ahead,
    asked: &Asked,
    want: &Want<'_>,
) -> Result<Option<PathBuf>> {
    let dir = cache.dir(want.cachedir);
    let root = dir.join("files");
    let cached = place::below(&root, &asked.saltenv, &asked.path);
    let at = want.dest.unwrap_or(&cached);
    let turn = cache.turn(at);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    for attempt in 0..TRIES {
        let known = if attempt == 0 { ahead.answer(asked)? } else { None };
        let Some(facts) = facts(channel, asked, known)? else { return Ok(None) };
        let Sum { form, text } = &facts.sum;
        // In the cache, a link is no copy.
        let real = want.dest.is_some() || at.symlink_metadata().is_ok_and(|meta| meta.is_file());
        if real && cache.has_sum(at, form, text).map_err(|e| file_error(&e, at))? {
            return Ok(Some(at.to_owned()));
        }
        if let Some(dest) = want.dest
            && !super::ready(dest, want.makedirs)?
        {
            return Ok(None);
        }
        let failed = |e: std::io::Error| file_error(&e, at);
        let parts = dir.join("file_parts");
        let Some(mut part) = Part::open(&parts, &asked.saltenv, &asked.path, &facts.sum).map_err(failed)?
        else {
            return Err(CallError::Client(format!("the master's hash_type {form} is not known")));
        };
        // Where its size was wrong, all there is.
        let size = facts.size.filter(|_| attempt == 0);
        match transfer(channel, asked, want.gzip, &mut part, size) {
            Ok(Outcome::Whole) => {}
            Ok(Outcome::Changed) => continue,
            Err(e) => {
                part.leave();
                return Err(e);
            }
        }
        let Some(new) = part.finish(&facts.sum) else {
            tracing::warn!("Bad download of file {}, attempt {} of {TRIES}", asked.path, attempt + 1);
            continue;
        };
        match want.dest {
            Some(dest) => crate::put(&new, dest).map_err(failed)?,
            None => {
                place::folder(&root, at).map_err(failed)?;
                place::persist(new, at).map_err(failed)?;
            }
        }
        cache.note_sum(at, form, text);
        return Ok(Some(at.to_owned()));
    }
    Err(CallError::Client(format!(
        "salt://{} changes all the time, or arrives damaged: it was fetched {TRIES} times",
        asked.path
    )))
}

/// The question for the checksum of a file and what else it is.
pub(super) const FACTS: &str = "_file_hash_and_stat";

/// The checksum and the size, asked for if they are not known. None where there is no such file.
fn facts(channel: &dyn Channel, asked: &Asked, known: Option<Value>) -> Result<Option<Facts>> {
    let answer = match known {
        Some(known) => known,
        None => channel.ask(load(FACTS, asked))?,
    };
    let (hash, stat) = match &answer {
        Value::List(pair) => (pair.first(), pair.get(1)),
        other => (Some(other), None),
    };
    let Some(hash) = hash.and_then(Value::as_map).filter(|hash| !hash.is_empty()) else {
        return match hash {
            Some(Value::Str(text)) if !text.is_empty() => Err(CallError::Client(text.clone())),
            _ => Ok(None),
        };
    };
    let text = |key: &str| hash.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(hsum) = text("hsum").filter(|hsum| !hsum.is_empty()) else { return Ok(None) };
    let form = text("hash_type").unwrap_or_else(|| "sha256".into());
    let size = stat.and_then(Value::as_list).and_then(|stat| stat.get(6)).and_then(Value::as_int);
    Ok(Some(Facts { sum: Sum { form, text: hsum }, size: size.and_then(|n| u64::try_from(n).ok()) }))
}

/// A request about a file.
pub(super) fn load(cmd: &str, asked: &Asked) -> Map {
    map! {"cmd" => cmd, "path" => asked.wire(), "saltenv" => asked.saltenv.as_str()}
}

fn transfer(
    channel: &dyn Channel,
    asked: &Asked,
    gzip: Option<i64>,
    part: &mut Part,
    size: Option<u64>,
) -> Result<Outcome> {
    let mut request = load("_serve_file", asked);
    if let Some(level) = gzip {
        request.insert("gzip", level);
    }
    loop {
        match size {
            // An empty file is asked for all the same: whether it may be read is not said by its size.
            Some(size) if part.len() > 0 && part.len() == size => return Ok(Outcome::Whole),
            Some(size) if part.len() > size => return Ok(Outcome::Changed),
            _ => {}
        }
        request.insert("loc", part.len());
        let answer = channel.ask(request.clone())?;
        let answer = answer.as_map().ok_or_else(|| odd(asked))?;
        let data = match answer.get("data") {
            Some(Value::Bytes(bytes)) => Cow::Borrowed(&bytes[..]),
            Some(Value::Str(text)) => Cow::Borrowed(text.as_bytes()),
            _ => return Err(odd(asked)),
        };
        if data.is_empty() {
            let there = answer.get("dest").is_some_and(Value::truthy);
            return Ok(if there { Outcome::Whole } else { Outcome::Changed });
        }
        let data = match answer.get("gzip").is_some_and(Value::truthy) {
            true => Cow::Owned(unpack(&data, size.map_or(LARGEST, |size| size - part.len() + 1))?),
            false => data,
        };
        part.write(&data).map_err(|e| file_error(&e, part.path()))?;
    }
}

fn odd(asked: &Asked) -> CallError {
    CallError::Client(format!("the master's answer holds no piece of salt://{}", asked.path))
}

fn unpack(packed: &[u8], most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed)
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| CallError::Client(format!("a compressed piece cannot be unpacked: {e}")))?;
    if bytes.is_empty() {
        return Err(CallError::Client("a compressed piece holds nothing".into()));
    }
    Ok(bytes)
}

/// The name that a file gets in a folder that is named as its place.
pub(super) fn named(dest: &Path, asked: &Asked) -> PathBuf {
    let text = dest.to_string_lossy();
    if dest.is_dir() || text.ends_with('/') {
        return dest.join(asked.path.components().last().unwrap_or_default());
    }
    dest.to_owned()
}
