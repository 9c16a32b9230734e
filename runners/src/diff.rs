//! Differences of two texts by lines, as Python's `difflib.unified_diff` without context lines finds them.

use std::collections::{BTreeMap, HashMap};

/// A stretch that both have: where it begins in each, and how long it is.
type Block = (usize, usize, usize);

/// The lines of a text, each with a line feed after it whatever ended it before, by Python's `splitlines`.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let ends = |c: char| {
        matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let text = text.replace("\r\n", "\n");
    let mut lines: Vec<String> = text.split(ends).map(|line| format!("{line}\n")).collect();
    if text.is_empty() || text.ends_with(ends) {
        lines.pop();
    }
    lines
}

/// The unified diff without context lines; empty where nothing differs.
pub(crate) fn unified(from: &[String], to: &[String], from_name: &str, to_name: &str) -> String {
    let mut out = String::new();
    let (mut i, mut j) = (0, 0);
    for (ai, bj, size) in blocks(from, to) {
        if i < ai || j < bj {
            if out.is_empty() {
                out = format!("--- {from_name}\n+++ {to_name}\n");
            }
            out.push_str(&format!("@@ -{} +{} @@\n", range(i, ai), range(j, bj)));
            for line in &from[i..ai] {
                out.push_str(&format!("-{line}"));
            }
            for line in &to[j..bj] {
                out.push_str(&format!("+{line}"));
            }
        }
        (i, j) = (ai + size, bj + size);
    }
    out
}

fn range(start: usize, end: usize) -> String {
    match end - start {
        1 => (start + 1).to_string(),
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

/// The matching stretches in order, with an empty one at the end.
fn blocks(a: &[String], b: &[String]) -> Vec<Block> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (j, line) in b.iter().enumerate() {
        places.entry(line).or_default().push(j);
    }
    // Lines that are everywhere in a long text say nothing.
    if b.len() >= 200 {
        let most = b.len() / 100 + 1;
        places.retain(|_, at| at.len() <= most);
    }
    let mut found = Vec::new();
    let mut queue = vec![(0, a.len(), 0, b.len())];
    while let Some((alo, ahi, blo, bhi)) = queue.pop() {
        let (i, j, size) = longest(a, b, &places, (alo, ahi, blo, bhi));
        if size > 0 {
            found.push((i, j, size));
            queue.push((alo, i, blo, j));
            queue.push((i + size, ahi, j + size, bhi));
        }
    }
    found.sort_unstable();
    let mut joined: Vec<Block> = Vec::new();
    for (i, j, size) in found {
        match joined.last_mut() {
            Some((li, lj, lsize)) if *li + *lsize == i && *lj + *lsize == j => *lsize += size,
            _ => joined.push((i, j, size)),
        }
    }
    joined.push((a.len(), b.len(), 0));
    joined
}

fn longest(
    a: &[String],
    b: &[String],
    places: &HashMap<&str, Vec<usize>>,
    (alo, ahi, blo, bhi): (usize, usize, usize, usize),
) -> Block {
    let (mut i, mut j, mut size) = (alo, blo, 0);
    // By place in b: how long a match ends there with the line of a before.
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, line) in a.iter().enumerate().take(ahi).skip(alo) {
        let mut next = BTreeMap::new();
        for place in places.get(line.as_str()).into_iter().flatten().copied() {
            if place < blo || place >= bhi {
                continue;
            }
            let before = place.checked_sub(1).and_then(|p| lengths.get(&p)).copied().unwrap_or(0);
            next.insert(place, before + 1);
            if before + 1 > size {
                (i, j, size) = (at - before, place - before, before + 1);
            }
        }
        lengths = next;
    }
    while i > alo && j > blo && a[i - 1] == b[j - 1] {
        (i, j, size) = (i - 1, j - 1, size + 1);
    }
    while i + size < ahi && j + size < bhi && a[i + size] == b[j + size] {
        size += 1;
    }
    (i, j, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(a: &str, b: &str) -> String {
        unified(&lines(a), &lines(b), "a", "b")
    }

    #[test]
    fn hunks_are_pythons() {
        assert_eq!(diff("x\ny\nz", "x\nq\nz\n"), "--- a\n+++ b\n@@ -2 +2 @@\n-y\n+q\n");
        assert_eq!(diff("x\n", "x\n"), "");
        assert_eq!(diff("", "x"), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        assert_eq!(
            diff("a\nb\nc\nd\ne", "b\nc\nx\ne\nf"),
            "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n@@ -4 +3 @@\n-d\n+x\n@@ -5,0 +5 @@\n+f\n"
        );
    }

    #[test]
    fn lines_end_in_many_ways() {
        assert_eq!(lines("a\r\nb\rc\u{2028}d"), ["a\n", "b\n", "c\n", "d\n"]);
        assert_eq!(lines("\n"), ["\n"]);
        assert!(lines("").is_empty());
    }
}
