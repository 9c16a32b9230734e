//! URLs of remotes: which are taken, and how they are shown.

/// The schemes that are taken. Stock refuses `git` and takes `ftp` and `sftp`, which it cannot fetch from.
const SCHEMES: &[&str] = &["http", "https", "ssh", "git", "file"];

/// Whether a URL can be that of a remote: one of the schemes or `user@host:path`, and no letter that URLs do not have.
pub(super) fn is_valid(url: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=".contains(c);
    if !url.chars().all(plain) {
        return false;
    }
    let path = match url.split_once("://") {
        Some((scheme, rest)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
            let end = rest.find(['?', '#']).unwrap_or(rest.len());
            let Some((authority, path)) = rest[..end].split_once('/') else { return true };
            if authority.starts_with('-') {
                return false;
            }
            path
        }
        Some(_) => return false,
        None => {
            let Some((user, rest)) = url.split_once('@') else { return false };
            let Some((host, path)) = rest.split_once(':') else { return false };
            if user.is_empty()
                || user.contains([':', '/'])
                || host.is_empty()
                || host.starts_with('-')
                || path.is_empty()
            {
                return false;
            }
            path
        }
    };
    path.chars().all(|c| c == '/' || c.is_ascii_alphanumeric() || "-._~!$&'();=:@,".contains(c))
}

/// The transport, in small letters, and what follows it. Without one it is `ssh`.
pub(super) fn transport(url: &str) -> (String, &str) {
    match url.split_once("://") {
        Some((transport, address)) if !address.is_empty() => (transport.to_ascii_lowercase(), address),
        _ => ("ssh".into(), url),
    }
}

/// Where an HTTP request goes: scheme, host and port, as git names it when it asks for a password.
pub(super) fn origin(url: &str) -> String {
    let (transport, address) = transport(url);
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{transport}://{host}")
}

/// A text with a URL, or one with a branch before it, without the password in it.
pub(super) fn without_password(id: &str) -> String {
    let Some((head, rest)) = id.split_once("://") else { return id.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((login, host)) = rest[..end].rsplit_once('@') else { return id.to_owned() };
    match login.split_once(':') {
        Some((user, _)) => format!("{head}://{user}:<redacted>@{host}{}", &rest[end..]),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_and_plain_letters_pass() {
        for good in [
            "https://host/a/b.git",
            "http://u:p@host:80/x",
            "ssh://git@host/x.git",
            "git@host:group/x.git",
            "git://host/x",
            "file:///srv/x.git",
            "HTTPS://host/x",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "",
            "/srv/x.git",
            "x",
            "ext::sh -c x",
            "ftp://host/x",
            "https://host/a b",
            "https://host/%2e",
            "ssh://-oProxyCommand=x/y",
            "u@-oProxyCommand=x:y",
            "--upload-pack=x",
            "host:path",
            "https://host/\u{e9}",
            "file:///a\nb",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    #[test]
    fn passwords_in_urls_are_not_shown() {
        assert_eq!(without_password("master https://u:p@h/x"), "master https://u:<redacted>@h/x");
        assert_eq!(without_password("https://u@h/x"), "https://u@h/x");
        assert_eq!(without_password("git@h:x"), "git@h:x");
        assert_eq!(origin("https://u:p@h:8443/x?y"), "https://h:8443");
    }
}
