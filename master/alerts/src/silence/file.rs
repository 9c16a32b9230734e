//! A silence as a file: JSON, named by its id, whole or not there. Read by the master at its start and when it is told to, and by
//! `salt-run` without one.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};

use brine_store::fs::Dir;
use serde_json::{Map, Value, json};

use super::{Kind, Silence, SilenceId};
use crate::Matcher;
use crate::clock::{millis, time};

/// Largest file read.
const LARGEST: u64 = 256 << 10;
const ENDING: &str = ".json";

/// As it is written.
pub fn to_json(silence: &Silence) -> Value {
    json!({
        "id": silence.id.as_str(),
        "kind": silence.kind.text(),
        "matchers": silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "starts_at": millis(silence.starts_at),
        "ends_at": millis(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
        "job": silence.job,
        "change_id": silence.change_id,
    })
}

/// Reads what [`to_json`] gives; what is wrong with it otherwise.
///
/// # Errors
/// In words, with the key.
pub fn from_json(value: &Value) -> Result<Silence, String> {
    let map = value.as_object().ok_or("it is no object")?;
    let text = |key: &str| map.get(key).and_then(Value::as_str).ok_or_else(|| format!("{key}: no text"));
    let at =
        |key: &str| map.get(key).and_then(Value::as_u64).map(time).ok_or_else(|| format!("{key}: no time"));
    let id = SilenceId::parse(text("id")?).ok_or("id: it is none")?;
    Ok(Silence {
        id,
        kind: Kind::parse(text("kind")?).ok_or("kind: there is no such kind")?,
        matchers: matchers(map)?,
        starts_at: at("starts_at")?,
        ends_at: at("ends_at")?,
        author: text("author")?.to_owned(),
        comment: text("comment")?.to_owned(),
        job: map.get("job").and_then(Value::as_str).map(str::to_owned),
        change_id: map.get("change_id").and_then(Value::as_str).map(str::to_owned),
    })
}

fn matchers(map: &Map<String, Value>) -> Result<Vec<Matcher>, String> {
    let list = map.get("matchers").and_then(Value::as_array).ok_or("matchers: no list")?;
    let one = |value: &Value| {
        let text = value.as_str().ok_or("matchers: no text")?;
        Matcher::parse(text).map_err(|e| format!("matchers: {e}"))
    };
    list.iter().map(one).collect()
}

/// Writes one. It is on disk when this returns.
///
/// # Errors
/// As the system has it.
pub fn write(dir: &Dir, silence: &Silence) -> io::Result<()> {
    dir.ensure(0o700)?;
    let name = format!("{}{ENDING}", silence.id);
    dir.write(&name, to_json(silence).to_string().as_bytes(), 0o600)?;
    let path = dir.path().join(&name);
    let owner = std::fs::metadata(dir.path())?;
    if std::fs::metadata(&path)?.uid() != owner.uid() {
        // Set by root on a master that runs as somebody else, who has to read it.
        lchown(&path, Some(owner.uid()), Some(owner.gid()))?;
    }
    File::open(&path)?.sync_all()?;
    File::open(dir.path())?.sync_all()
}

/// Reads one; `None` where there is none of the id.
///
/// # Errors
/// When it cannot be read, or holds no silence.
pub fn read(dir: &Dir, id: &SilenceId) -> io::Result<Option<Silence>> {
    let Some(bytes) = dir.read(&format!("{id}{ENDING}"), LARGEST)? else { return Ok(None) };
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let value = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
    let silence = from_json(&value).map_err(wrong)?;
    if silence.id != *id {
        return Err(wrong("id: not the file's name".into()));
    }
    Ok(Some(silence))
}

/// Reads all; those that cannot be read are left out, with a word in the log.
///
/// # Errors
/// When the directory cannot be listed.
pub fn read_all(dir: &Dir) -> io::Result<Vec<Silence>> {
    let mut all = Vec::new();
    for name in dir.names()? {
        let Some(id) = name.strip_suffix(ENDING).and_then(SilenceId::parse) else { continue };
        match read(dir, &id) {
            Ok(silence) => all.extend(silence),
            Err(e) => tracing::error!("{}: {e}", dir.path().join(&name).display()),
        }
    }
    all.sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
    Ok(all)
}

/// Removes one.
///
/// # Errors
/// As the system has it.
pub fn remove(dir: &Dir, id: &SilenceId) -> io::Result<bool> {
    dir.remove(&format!("{id}{ENDING}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_written_is_read_and_a_broken_file_hides_no_other() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::at(tmp.path().join("silences"));
        assert!(read_all(&dir).unwrap().is_empty());
        let matchers =
            vec![Matcher::parse("site=akl").unwrap(), Matcher::parse("alertname!~Disk.*").unwrap()];
        let mut one = Silence::new(Kind::Place, matchers, Duration::from_secs(60), "ann").unwrap();
        one.comment = "\"quoted\"\nlines".into();
        one.change_id = Some("CHG42".into());
        write(&dir, &one).unwrap();
        let other = Silence { id: SilenceId::parse("job-1").unwrap(), job: Some("1".into()), ..one.clone() };
        write(&dir, &other).unwrap();
        std::fs::write(tmp.path().join("silences/broken.json"), b"{").unwrap();
        std::fs::write(tmp.path().join("silences/renamed.json"), to_json(&one).to_string()).unwrap();
        let all = read_all(&dir).unwrap();
        assert_eq!(all.len(), 2);
        assert!(all.contains(&one) && all.contains(&other));
        assert!(remove(&dir, &one.id).unwrap());
        assert_eq!(read(&dir, &one.id).unwrap(), None);
        for (key, value) in [("kind", json!("x")), ("matchers", json!(["a~b"])), ("ends_at", json!("now"))] {
            let mut bad = to_json(&one);
            bad[key] = value;
            assert!(from_json(&bad).unwrap_err().starts_with(key), "{key}");
        }
    }
}
