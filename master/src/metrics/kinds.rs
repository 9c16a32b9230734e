//! Kinds of events: few, so that there are few numbers whatever tags there are.

/// The kinds, by name.
pub(super) const KINDS: [&str; 12] = [
    "job",
    "return",
    "job_progress",
    "auth",
    "key",
    "minion_start",
    "presence",
    "beacon",
    "run",
    "wheel",
    "alert",
    "other",
];

/// The place of a tag's kind in [`KINDS`].
pub(super) fn of(tag: &str) -> usize {
    let name = match tag.strip_prefix("salt/") {
        None if tag.starts_with("brine/alert/") || tag.starts_with("brine/silence/") => "alert",
        None if tag == "minion_start" => "minion_start",
        None => "other",
        Some(rest) => {
            let mut parts = rest.split('/');
            match (parts.next(), parts.nth(1)) {
                (Some("job"), Some("new")) => "job",
                (Some("job"), Some("ret")) => "return",
                (Some("job"), _) => "job_progress",
                (Some("auth"), _) => "auth",
                (Some("key"), _) => "key",
                (Some("minion"), Some("start")) => "minion_start",
                (Some("presence"), _) => "presence",
                (Some("beacon"), _) => "beacon",
                (Some("run"), _) => "run",
                (Some("wheel"), _) => "wheel",
                _ => "other",
            }
        }
    };
    KINDS.iter().position(|kind| *kind == name).unwrap_or(KINDS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tag_has_a_kind() {
        for (tag, kind) in [
            ("salt/job/20261126000000000000/new", "job"),
            ("salt/job/20261126000000000000/ret/m1", "return"),
            ("salt/job/20261126000000000000/prog/m1/1", "job_progress"),
            ("salt/auth", "auth"),
            ("salt/key", "key"),
            ("salt/minion/m1/start", "minion_start"),
            ("minion_start", "minion_start"),
            ("salt/beacon/m1/load/", "beacon"),
            ("salt/presence/change", "presence"),
            ("salt/run/2026/new", "run"),
            ("salt/wheel/2026/ret", "wheel"),
            ("brine/alert/firing", "alert"),
            ("my/own", "other"),
            ("salt/", "other"),
            ("", "other"),
        ] {
            assert_eq!(KINDS[of(tag)], kind, "{tag}");
        }
    }
}
