//! The known key that an unknown one was probably meant to be.

use super::Daemon;

/// The nearest known key, if one is near enough to be a slip of the finger.
pub fn near_miss(daemon: Daemon, key: &str) -> Option<&'static str> {
    if key.len() > 64 {
        return None;
    }
    let allowed = (key.chars().count() / 4).clamp(1, 3);
    daemon
        .rows()
        .map(|row| (distance(key, row.key), row.key))
        .min()
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, key)| key)
}

/// Damerau-Levenshtein distance (adjacent letters may change places).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found() {
        assert_eq!(near_miss(Daemon::Minion, "mater"), Some("master"));
        assert_eq!(near_miss(Daemon::Minion, "log_levle"), Some("log_level"));
        assert_eq!(near_miss(Daemon::Master, "publish_prot"), Some("publish_port"));
        assert_eq!(near_miss(Daemon::Master, "something_else"), None);
    }
}
