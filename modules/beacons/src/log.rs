//! A log file: tells of new lines that match.

use crate::config::{keys_of, list, map, merged};
use crate::{Beacon, Kept, always, proc, refused};
use brine_core::call::{Cx, Result};
use brine_core::target::{Anchor, Regex};
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value, map};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(crate) static BEACON: Beacon = Beacon { name: "log", unavailable: always, validate, look, lets_go: false };

/// Bytes that are read in one turn; what is more waits for the next.
const AT_ONCE: u64 = 16 << 20;

fn validate(_: &Cx, config: &Value) -> Result<()> {
    match merged(list("log", config)?)?.contains("file") {
        true => Ok(()),
        false => Err(refused("Configuration for log beacon must contain file option.")),
    }
}

/// How far which file has been read.
#[derive(Default)]
pub(crate) struct Place(Option<(u64, u64)>);

impl Place {
    /// What was added since this was asked last; None the first time. A file that is shorter now, or another one, is read
    /// from its beginning. `whole` cuts what is read to a multiple of so many bytes.
    pub(crate) fn news(&mut self, path: &Path, whole: u64) -> Result<Option<Vec<u8>>> {
        let failed = |e: std::io::Error| proc::os_error(path, &e);
        let mut file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        let (inode, end) = (meta.ino(), meta.len());
        let Some((old, at)) = self.0 else {
            self.0 = Some((inode, end));
            return Ok(None);
        };
        let from = if old == inode && at <= end { at } else { 0 };
        let mut news = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let most = AT_ONCE / whole * whole;
        file.take(most).read_to_end(&mut news).map_err(failed)?;
        news.truncate(news.len() - news.len() % usize::try_from(whole).unwrap_or(1));
        self.0 = Some((inode, from + news.len() as u64));
        Ok(Some(news))
    }
}

fn event(tag: &Value, matched: &str, raw: &str, error: &str) -> Map {
    map! { "tag" => tag.clone(), "match" => matched, "raw" => raw, "error" => error }
}

fn look(_: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let Some(file) = config.get("file") else {
        return Ok(vec![event(&"global".into(), "no", "", "file not defined in config")]);
    };
    let Some(news) = kept.of::<Place>().news(Path::new(&python_str(file)), 1)? else { return Ok(Vec::new()) };
    let mut told = Vec::new();
    let mut patterns = Vec::new();
    let tags = config.get("tags");
    for tag in keys_of(tags)? {
        let options = tags.and_then(Value::as_map).and_then(|tags| tags.get_key(&tag)).unwrap_or(&Value::Nil);
        let Some(pattern) = map(options)?.get("regex").filter(|pattern| pattern.truthy()) else { continue };
        match Regex::new(&python_str(pattern), Anchor::Match) {
            Ok(regex) => patterns.push((tag, regex)),
            Err(_) => told.push(event(&tag, "no", "", "bad regex")),
        }
    }
    for line in splitlines(&String::from_utf8_lossy(&news), false) {
        for (tag, regex) in &patterns {
            match regex.is_match(line) {
                Ok(true) => told.push(event(tag, "yes", line, "")),
                Ok(false) => {}
                Err(_) => told.push(event(tag, "no", "", "bad match")),
            }
        }
    }
    Ok(told)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
