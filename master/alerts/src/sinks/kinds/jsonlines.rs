//! `jsonlines`: a line of JSON for each alert, with the fields of the Elastic Common Schema.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::conf::{ConfError, Keys};
use crate::queue::Item;
use crate::sinks::text::{date, label, summary};
use crate::sinks::{Around, Kind, Outcome, Sink};

pub(super) static KIND: Kind = Kind {
    name: "jsonlines",
    doc: "Writes a line of JSON for each alert, with ECS's fields, to a file or to the standard output.",
    keys: &[("path", "the file, which others may rotate; `-` is the standard output")],
    batch: 500,
    group_wait: None,
    rate: None,
    make,
};

enum To {
    Stdout,
    File { path: PathBuf, open: Option<File> },
}

struct JsonLines(To);

fn make(keys: &mut Keys<'_>, _: &Around) -> Result<Box<dyn Sink>, ConfError> {
    let to = if keys.need("path")? == "-" {
        To::Stdout
    } else {
        let path = keys.path("path")?.unwrap_or_default();
        let open = Some(opened(&path).map_err(|e| keys.error("path", format!("{}: {e}", path.display())))?);
        To::File { path, open }
    };
    Ok(Box::new(JsonLines(to)))
}

fn opened(path: &std::path::Path) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).read(true).create(true).mode(0o640).open(path)?;
    // A line that broke off, in a process that was killed or on a disk that was full, is ended.
    if file.seek(SeekFrom::End(-1)).is_ok() {
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// A line. All of it is the same when the notice comes again.
pub(super) fn line(item: &Item) -> Value {
    let notice = &item.notice;
    let severity = label(notice, "severity");
    let number = match severity {
        "critical" | "page" => 1,
        "error" => 2,
        "warning" => 3,
        _ => 4,
    };
    let mut line = json!({
        "@timestamp": date(item.put_at),
        "ecs": {"version": "8.11.0"},
        "message": summary(notice),
        "event": {
            "id": item.id, "kind": "alert", "provider": "brine", "dataset": "brine.alert", "action": notice.status.text(),
            "start": date(notice.starts_at), "severity": number,
        },
        "labels": notice.labels,
        "rule": {"name": label(notice, "alertname"), "id": notice.fingerprint()},
        "brine": {"annotations": notice.annotations},
    });
    let mut set = |path: [&str; 2], text: &str| {
        if !text.is_empty() {
            line[path[0]][path[1]] = text.into();
        }
    };
    if let Some(ends) = notice.ends_at {
        set(["event", "end"], &date(ends));
    }
    set(["log", "level"], severity);
    set(["host", "name"], label(notice, "minion"));
    line
}

impl JsonLines {
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            To::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(text)?;
                out.flush()
            }
            To::File { path, open } => {
                let there = std::fs::metadata(&*path).ok().map(|meta| (meta.dev(), meta.ino()));
                let ours =
                    open.as_ref().and_then(|file| file.metadata().ok()).map(|meta| (meta.dev(), meta.ino()));
                if there.is_none() || there != ours {
                    *open = Some(opened(path)?);
                }
                let written = open.as_mut().map_or(Ok(()), |file| file.write_all(text));
                if written.is_err() {
                    *open = None;
                }
                written
            }
        }
    }
}

impl Sink for JsonLines {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        let text: String = batch.iter().map(|item| format!("{}\n", line(item))).collect();
        match self.write(text.as_bytes()) {
            Ok(()) => Outcome::Delivered,
            Err(e) => Outcome::Retry(None, e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::sinks::text::tests::item;

    #[test]
    fn a_file_that_is_rotated_or_torn_gets_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.json");
        std::fs::write(&path, "{\"torn").unwrap();
        let mut sink = JsonLines(To::File { path: path.clone(), open: None });
        let one = item(1, Status::Firing, &[("alertname", "A"), ("minion", "m1"), ("severity", "warning")]);
        assert_eq!(sink.send(std::slice::from_ref(&one)), Outcome::Delivered);
        let rotated = dir.path().join("alerts.json.1");
        std::fs::rename(&path, &rotated).unwrap();
        assert_eq!(sink.send(&[item(2, Status::Resolved, &[("alertname", "A")])]), Outcome::Delivered);
        let old = std::fs::read_to_string(rotated).unwrap();
        let (torn, whole) = old.split_once('\n').unwrap();
        assert_eq!(torn, "{\"torn");
        let whole: Value = serde_json::from_str(whole).unwrap();
        assert_eq!(whole["event"]["id"], "id-1");
        assert_eq!((&whole["host"]["name"], &whole["log"]["level"]), (&json!("m1"), &json!("warning")));
        let new: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            (&new["event"]["action"], &new["event"]["end"]),
            (&json!("resolved"), &json!("2023-11-14T22:14:20Z"))
        );
        // The same notice is the same line.
        assert_eq!(line(&one), whole);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent/alerts.json");
        let mut sink = JsonLines(To::File { path: path.clone(), open: None });
        let one = [item(1, Status::Firing, &[])];
        assert!(matches!(sink.send(&one), Outcome::Retry(None, _)));
        std::fs::create_dir(dir.path().join("absent")).unwrap();
        assert_eq!(sink.send(&one), Outcome::Delivered);
    }
}
