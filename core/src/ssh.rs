//! Lines of files of SSH keys, as execution modules and states both read them.

/// Where the kind of key begins, with what stands in front of it: the first place that looks like one.
pub fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.contains('\n') {
        return None;
    }
    let begins = |rest: &str| {
        let rest = rest.strip_prefix("sk-").unwrap_or(rest);
        let Some(rest) = rest.strip_prefix("ssh-").or_else(|| rest.strip_prefix("ecds")) else {
            return false;
        };
        let word = |c: char| c.is_alphanumeric() || "_@.-".contains(c);
        let after = rest.trim_start_matches(word);
        after.len() < rest.len() && after.starts_with(char::is_whitespace) && after.chars().count() > 1
    };
    line.char_indices().find_map(|(at, letter)| {
        let rest = &line[at + letter.len_utf8()..];
        if letter.is_whitespace() && begins(rest) {
            return Some((&line[..at], rest));
        }
        begins(&line[at..]).then(|| (&line[..at], &line[at..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        assert_eq!(split("ssh-rsa AAAA me\n"), Some(("", "ssh-rsa AAAA me")));
        assert_eq!(split("a=\"b c\",d ssh-ed25519 AAAA"), Some(("a=\"b c\",d", "ssh-ed25519 AAAA")));
        assert_eq!(split("sk-ssh-ed25519@openssh.com AAAA"), Some(("", "sk-ssh-ed25519@openssh.com AAAA")));
        assert_eq!(split("AAAA me"), None);
        assert_eq!(split("ssh-rsa"), None);
    }
}
