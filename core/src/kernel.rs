//! Files of the kernel that functions and beacons both read.

/// What is counted of a network interface, with its column in `/proc/net/dev` behind the name.
pub const INTERFACE_COUNTERS: [(&str, usize); 8] = [
    ("bytes_sent", 8),
    ("bytes_recv", 0),
    ("packets_sent", 9),
    ("packets_recv", 1),
    ("errin", 2),
    ("errout", 10),
    ("dropin", 3),
    ("dropout", 11),
];

/// The rows of `/proc/net/dev`: interfaces and their columns.
pub fn interface_rows(text: &str) -> impl Iterator<Item = (&str, Vec<i64>)> {
    let rows = text.lines().skip(2).filter_map(|line| line.rsplit_once(':'));
    rows.map(|(name, rest)| (name.trim(), rest.split_whitespace().map(|n| n.parse().unwrap_or(0)).collect()))
}

/// A word of a table of mounts: `\040` and the like as the characters they stand for.
pub fn mount_word(word: &str) -> String {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                out.push(byte);
                rest = &tail[3..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_mount_points_are_decoded() {
        assert_eq!(mount_word(r"/mnt/a\040b\134"), r"/mnt/a b\");
        assert_eq!(mount_word(r"\04"), r"\04");
    }
}
