//! What people read of notices.

use std::time::SystemTime;

use brine_core::jid::stamp;

use crate::queue::Item;
use crate::{Notice, Status};

/// As RFC 3339 has it, in UTC.
pub(super) fn date(t: SystemTime) -> String {
    format!("{}Z", stamp(t))
}

/// A label, or nothing.
pub(super) fn label<'a>(notice: &'a Notice, name: &str) -> &'a str {
    notice.labels.get(name).map_or("", String::as_str)
}

/// What it is about, in a line: its summary, or else its name and labels.
pub(super) fn summary(notice: &Notice) -> String {
    let said = notice.annotations.get("summary").map(|text| one_line(text)).filter(|text| !text.is_empty());
    said.unwrap_or_else(|| {
        let others = notice.labels.iter().filter(|(name, _)| *name != "alertname");
        let others: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
        one_line(&format!("{} {}", label(notice, "alertname"), others.join(" ")))
    })
}

/// Control characters are spaces: what minions say must not begin lines.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What several are about: `[FIRING:2, RESOLVED:1] DiskFull akl`, with the values that all have in common.
pub(super) fn headline(items: &[Item], group_by: &[impl AsRef<str>]) -> String {
    let firing = items.iter().filter(|item| item.notice.status == Status::Firing).count();
    let counts = match (firing, items.len() - firing) {
        (firing, 0) => format!("FIRING:{firing}"),
        (0, resolved) => format!("RESOLVED:{resolved}"),
        (firing, resolved) => format!("FIRING:{firing}, RESOLVED:{resolved}"),
    };
    let first = items.first().map(|item| &item.notice);
    let common = group_by.iter().map(AsRef::as_ref).filter_map(|name| {
        let value = first.map(|notice| label(notice, name)).filter(|value| !value.is_empty())?;
        items.iter().all(|item| label(&item.notice, name) == value).then_some(value)
    });
    let common: Vec<&str> = common.collect();
    let about = match (items, first) {
        ([_], Some(notice)) => summary(notice),
        _ => common.join(" "),
    };
    one_line(&format!("[{counts}] {about}"))
}

/// All of a notice, in lines.
pub(super) fn lines(notice: &Notice) -> String {
    let mut out = format!("{} since {}", notice.status.text(), date(notice.starts_at));
    if let Some(ends) = notice.ends_at {
        out += &format!(" until {}", date(ends));
    }
    out += &format!(": {}\n", summary(notice));
    for (name, value) in notice.annotations.iter().filter(|(name, _)| *name != "summary") {
        out += &format!("  {}: {}\n", one_line(name), value.trim_end().replace('\n', "\n    "));
    }
    for (name, value) in &notice.labels {
        out += &format!("  {} = {}\n", one_line(name), one_line(value));
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Labels;
    use std::time::{Duration, UNIX_EPOCH};

    /// A notice that fires, or has fired, with these labels.
    pub(in crate::sinks) fn item(seq: i64, status: Status, labels: &[(&str, &str)]) -> Item {
        let labels: Labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let starts_at = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let ends_at = (status == Status::Resolved).then(|| starts_at + Duration::from_secs(60));
        let annotations = [("description".to_owned(), "two\nlines".to_owned())].into();
        let notice = Notice { status, labels, annotations, starts_at, ends_at };
        Item { seq, id: format!("id-{seq}"), tries: 0, put_at: starts_at, notice }
    }

    #[test]
    fn a_headline_says_how_many_and_what_they_share() {
        let disk = |seq, status, minion| {
            item(seq, status, &[("alertname", "DiskFull"), ("site", "akl"), ("minion", minion)])
        };
        let (a, b) = (disk(1, Status::Firing, "a"), disk(2, Status::Resolved, "b"));
        let by = ["alertname", "site", "minion"];
        assert_eq!(headline(&[a.clone(), b], &by), "[FIRING:1, RESOLVED:1] DiskFull akl");
        assert_eq!(headline(std::slice::from_ref(&a), &by), "[FIRING:1] DiskFull minion=a site=akl");
        let mut said = a;
        said.notice.annotations.insert("summary".into(), "disk\nfull".into());
        assert_eq!(headline(&[said], &by), "[FIRING:1] disk full");
    }

    #[test]
    fn nothing_that_is_said_begins_a_line_of_its_own() {
        let mut one = item(1, Status::Resolved, &[("alertname", "A\nB")]);
        one.notice.annotations.insert("summary".into(), "x\r\nBcc: y".into());
        let text = lines(&one.notice);
        assert!(
            text.contains("resolved since 2023-11-14T22:13:20Z until 2023-11-14T22:14:20Z: x Bcc: y\n"),
            "{text}"
        );
        assert!(text.contains("\n  description: two\n    lines\n"), "{text}");
        assert!(text.contains("  alertname = A B\n"), "{text}");
    }
}
