//! Differences of two texts by lines, as Python's `difflib.unified_diff` finds and shows them.

use std::collections::{BTreeMap, HashMap};

/// A stretch that both have: where it begins in each, and how long it is.
type Block = (usize, usize, usize);

/// A stretch of both: from and to in the first, from and to in the second, and whether they are equal there.
#[derive(Clone, Copy)]
struct Part {
    a: (usize, usize),
    b: (usize, usize),
    equal: bool,
}

/// The lines of a unified diff with so many lines around each difference; none where nothing differs. `names` are those of
/// the two files.
///
/// The two lines of the head, and those of places, end in a line feed; others end as they do in the texts.
pub fn unified_diff(
    from: &[impl AsRef<str>],
    to: &[impl AsRef<str>],
    names: (&str, &str),
    around: usize,
) -> Vec<String> {
    let from: Vec<&str> = from.iter().map(AsRef::as_ref).collect();
    let to: Vec<&str> = to.iter().map(AsRef::as_ref).collect();
    let mut out = Vec::new();
    for group in groups(&parts(&from, &to), around) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        if out.is_empty() {
            out.push(format!("--- {}\n", names.0));
            out.push(format!("+++ {}\n", names.1));
        }
        out.push(format!("@@ -{} +{} @@\n", range(first.a.0, last.a.1), range(first.b.0, last.b.1)));
        for part in &group {
            if part.equal {
                out.extend(from[part.a.0..part.a.1].iter().map(|line| format!(" {line}")));
                continue;
            }
            out.extend(from[part.a.0..part.a.1].iter().map(|line| format!("-{line}")));
            out.extend(to[part.b.0..part.b.1].iter().map(|line| format!("+{line}")));
        }
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

/// What is equal and what is not, in turns.
fn parts(a: &[&str], b: &[&str]) -> Vec<Part> {
    let (mut i, mut j) = (0, 0);
    let mut parts = Vec::new();
    for (ai, bj, size) in blocks(a, b) {
        if i < ai || j < bj {
            parts.push(Part { a: (i, ai), b: (j, bj), equal: false });
        }
        (i, j) = (ai + size, bj + size);
        if size > 0 {
            parts.push(Part { a: (ai, i), b: (bj, j), equal: true });
        }
    }
    parts
}

/// The parts, in groups that have no more than so many equal lines at their ends.
fn groups(parts: &[Part], around: usize) -> Vec<Vec<Part>> {
    let mut parts = parts.to_vec();
    let later = |part: &mut Part| {
        part.a.0 = part.a.0.max(part.a.1.saturating_sub(around));
        part.b.0 = part.b.0.max(part.b.1.saturating_sub(around));
    };
    let sooner = |part: &mut Part| {
        part.a.1 = part.a.1.min(part.a.0 + around);
        part.b.1 = part.b.1.min(part.b.0 + around);
    };
    if let Some(first) = parts.first_mut().filter(|part| part.equal) {
        later(first);
    }
    if let Some(last) = parts.last_mut().filter(|part| part.equal) {
        sooner(last);
    }
    let (mut all, mut group) = (Vec::new(), Vec::new());
    for mut part in parts {
        if part.equal && part.a.1 - part.a.0 > 2 * around {
            let mut end = part;
            sooner(&mut end);
            group.push(end);
            all.push(std::mem::take(&mut group));
            later(&mut part);
        }
        group.push(part);
    }
    all.push(group);
    all.retain(|group| group.iter().any(|part| !part.equal));
    all
}

/// The matching stretches in order, with an empty one at the end.
fn blocks(a: &[&str], b: &[&str]) -> Vec<Block> {
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
    a: &[&str],
    b: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    (alo, ahi, blo, bhi): (usize, usize, usize, usize),
) -> Block {
    let (mut i, mut j, mut size) = (alo, blo, 0);
    // By place in b: how long a match ends there with the line of a before.
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, line) in a.iter().enumerate().take(ahi).skip(alo) {
        let mut next = BTreeMap::new();
        for place in places.get(line).into_iter().flatten().copied() {
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
    use crate::text::splitlines;

    fn diff(a: &str, b: &str, around: usize) -> String {
        unified_diff(&splitlines(a, true), &splitlines(b, true), ("a", "b"), around).concat()
    }

    #[test]
    fn hunks_are_pythons() {
        assert_eq!(diff("x\ny\nz\n", "x\nq\nz\n", 0), "--- a\n+++ b\n@@ -2 +2 @@\n-y\n+q\n");
        assert_eq!(diff("x\n", "x\n", 0), "");
        assert_eq!(diff("", "x\n", 0), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        assert_eq!(
            diff("a\nb\nc\nd\ne\n", "b\nc\nx\ne\nf\n", 0),
            "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n@@ -4 +3 @@\n-d\n+x\n@@ -5,0 +5 @@\n+f\n"
        );
    }

    #[test]
    fn lines_around_are_shown() {
        assert_eq!(
            diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n10", "1\n2\n3\n4\n5\n6\n7\nx\n9\n10", 3),
            "--- a\n+++ b\n@@ -5,6 +5,6 @@\n 5\n 6\n 7\n-8\n+x\n 9\n 10"
        );
        assert_eq!(diff("", "", 3), "");
        let mut long = vec!["x"; 20];
        let mut other = long.clone();
        long[0] = "a";
        other[19] = "b";
        let all = unified_diff(&long, &other, ("", ""), 3);
        assert_eq!(all[..4], ["--- \n", "+++ \n", "@@ -1,4 +1,3 @@\n", "-a"]);
        assert_eq!(all.iter().filter(|line| line.starts_with("@@")).count(), 2);
    }
}
