//! Shell patterns as Python's `fnmatch` reads them on POSIX: `*`, `?`, `[seq]`, `[!seq]`, whole text, case-sensitive.
//!
//! `*` crosses `/` and line ends; there is no escape but `[*]`. Takes at most pattern times text steps.

/// Whether the whole text matches the pattern.
pub fn fnmatch(text: &str, pattern: &str) -> bool {
    // The common patterns need no work.
    if pattern == "*" {
        return true;
    }
    if !pattern.contains(['*', '?', '[']) {
        return text == pattern;
    }
    let items = parse(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match items.get(p) {
            Some(Item::Star) => {
                star = Some((p, t));
                p += 1;
            }
            Some(item) if item.takes(text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // Let the last star take one character more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    items[p..].iter().all(|item| matches!(item, Item::Star))
}

/// Whether text holds a character that makes it a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

enum Item {
    Star,
    Any,
    One(char),
    Set { negated: bool, singles: Vec<char>, ranges: Vec<(char, char)> },
}

impl Item {
    fn takes(&self, c: char) -> bool {
        match self {
            Item::Star => false,
            Item::Any => true,
            Item::One(own) => *own == c,
            Item::Set { negated, singles, ranges } => {
                let hit = singles.contains(&c) || ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
                hit != *negated
            }
        }
    }
}

fn parse(pattern: &str) -> Vec<Item> {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut items = Vec::with_capacity(pattern.len());
    let mut i = 0;
    while let Some(&c) = pattern.get(i) {
        i += 1;
        match c {
            '*' => {
                if !matches!(items.last(), Some(Item::Star)) {
                    items.push(Item::Star);
                }
            }
            '?' => items.push(Item::Any),
            '[' => match set_end(&pattern, i) {
                Some(end) => {
                    items.push(set(&pattern[i..end]));
                    i = end + 1;
                }
                None => items.push(Item::One('[')),
            },
            c => items.push(Item::One(c)),
        }
    }
    items
}

/// Where the set that begins at `start` ends; a `]` in first place belongs to the set.
fn set_end(pattern: &[char], start: usize) -> Option<usize> {
    let mut at = start;
    if pattern.get(at) == Some(&'!') {
        at += 1;
    }
    if pattern.get(at) == Some(&']') {
        at += 1;
    }
    (at..pattern.len()).find(|&i| pattern[i] == ']')
}

/// Python splits a set at the hyphens that stand between two characters; a range that runs backwards is empty.
fn set(stuff: &[char]) -> Item {
    let negated = stuff.first() == Some(&'!');
    let body = &stuff[usize::from(negated)..];
    let mut chunks: Vec<Vec<char>> = Vec::new();
    let (mut from, mut search) = (0, 1);
    while let Some(hyphen) = (search..body.len()).find(|&i| body[i] == '-') {
        chunks.push(body[from..hyphen].to_vec());
        from = hyphen + 1;
        search = hyphen + 3;
    }
    if from < body.len() {
        chunks.push(body[from..].to_vec());
    } else if let Some(last) = chunks.last_mut() {
        last.push('-');
    }
    for k in (1..chunks.len()).rev() {
        let (Some(&low), Some(&high)) = (chunks[k - 1].last(), chunks[k].first()) else { continue };
        if low > high {
            let tail: Vec<char> = chunks.remove(k).into_iter().skip(1).collect();
            chunks[k - 1].pop();
            chunks[k - 1].extend(tail);
        }
    }
    let mut singles = Vec::new();
    let mut ranges = Vec::new();
    for (k, chunk) in chunks.iter().enumerate() {
        singles.extend(chunk.iter().copied());
        if let (Some(&low), Some(&high)) = (chunk.last(), chunks.get(k + 1).and_then(|next| next.first())) {
            ranges.push((low, high));
        }
    }
    Item::Set { negated, singles, ranges }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let hits = [
            ("web1", "web*"),
            ("web1", "w?b[0-9]"),
            ("a/b\nc", "a*c"),
            ("a", "[!b]"),
            ("]", "[]]"),
            ("-", "[a-]"),
            ("[x", "[x"),
            ("^", "[^]"),
            ("b", "[a-b-c]"),
            ("-", "[a-b-c]"),
            ("", "*"),
            ("", ""),
            ("aXbXc", "a*b*c"),
        ];
        for (text, pattern) in hits {
            assert!(fnmatch(text, pattern), "{text:?} {pattern:?}");
        }
        for (text, pattern) in [("Web", "web"), ("b", "[!b]"), ("c", "[z-a]"), ("web1x", "web?"), ("a", "")] {
            assert!(!fnmatch(text, pattern), "{text:?} {pattern:?}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        let text = "a".repeat(2000);
        assert!(!fnmatch(&text, &("a*".repeat(200) + "b")));
    }
}
