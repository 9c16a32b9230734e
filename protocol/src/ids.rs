//! Names that come over the wire and end up in tags, keys or file names: each is validated once, at parse time.
//!
//! Code that opens files or fires events takes these types and never bare text, so a path or a line break
//! hidden in a name cannot reach it.

use crate::value::DateTime;
use std::fmt;

/// File systems take no longer name, and a longer one is never meant well.
const LONGEST: usize = 255;

/// Why text is not an acceptable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("empty name")]
    Empty,
    /// Longer than 255 bytes (paths: 4096).
    #[error("name too long")]
    TooLong,
    /// A separator, a NUL or another control character where none may be.
    #[error("forbidden character in name")]
    Character,
    /// `.`, `..`, or a leading dot where stock's own tools would not see the file.
    #[error("name begins with a dot")]
    Dot,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&$name> for crate::Value {
            fn from(name: &$name) -> Self {
                crate::Value::Str(name.0.clone())
            }
        }

        impl From<$name> for crate::Value {
            fn from(name: $name) -> Self {
                crate::Value::Str(name.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
    };
}

name! {
    /// A minion's id, fit to be a file name directly under the pki directory.
    ///
    /// Stricter than stock in what nobody uses: no leading dot (such keys are invisible to every lister), no
    /// control characters (a line break would forge event tags).
    MinionId
}

impl MinionId {
    /// Who sent a version 2 request that names nobody. No id that parses is equal to this.
    pub(crate) fn nobody() -> Self {
        Self(".nobody".to_owned())
    }

    /// Validates an id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > LONGEST {
            return Err(IdError::TooLong);
        }
        if text.starts_with('.') {
            return Err(IdError::Dot);
        }
        if text.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
            return Err(IdError::Character);
        }
        Ok(Self(text.to_owned()))
    }
}

name! {
    /// A job id: usually a UTC time with microseconds, but users may choose their own.
    ///
    /// Letters, digits, `_` and `-`, at most 64: more than any tool writes, and harmless in tags and file names.
    /// The special words `req` and `nocache` parse too; whoever gives them meaning checks for them.
    Jid
}

impl Jid {
    /// Validates a job id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > 64 {
            return Err(IdError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(IdError::Character);
        }
        Ok(Self(text.to_owned()))
    }

    /// The job id of a moment in UTC, `YYYYMMDDHHMMSSffffff`; with a process id, `_<pid>` at its end (`unique_jid`).
    pub fn of(t: &DateTime, pid: Option<u32>) -> Self {
        let DateTime { year, month, day, hour, minute, second, micro } = t;
        let time = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{micro:06}");
        Self(pid.map_or_else(|| time.clone(), |pid| format!("{time}_{pid}")))
    }

    /// Whether this has the form stock generates: twenty digits, with `_<pid>` under `unique_jid`.
    pub fn is_generated(&self) -> bool {
        is_generated_jid(&self.0)
    }
}

/// Whether text has the form of a generated job id.
pub fn is_generated_jid(text: &str) -> bool {
    let (time, pid) = text.split_once('_').map_or((text, None), |(t, p)| (t, Some(p)));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    time.len() == 20 && digits(time) && pid.is_none_or(digits)
}

name! {
    /// A file-server environment; git branches bring slashes, so it may have several components.
    SaltEnv
}

impl SaltEnv {
    /// Validates an environment name.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() > LONGEST {
            return Err(IdError::TooLong);
        }
        if text.chars().any(|c| c == '\\' || c.is_control()) {
            return Err(IdError::Character);
        }
        components(text)?;
        Ok(Self(text.to_owned()))
    }
}

name! {
    /// A relative path below some root: no empty, `.` or `..` component, no NUL. What else a file's name may hold here, a backslash or
    /// a line break, it may hold too: who prints one must quote it.
    RelPath
}

impl RelPath {
    /// Validates a relative path with `/` between components.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() > 4096 {
            return Err(IdError::TooLong);
        }
        if text.contains('\0') {
            return Err(IdError::Character);
        }
        components(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The components, none of them special to a file system.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

fn components(text: &str) -> Result<(), IdError> {
    for part in text.split('/') {
        match part {
            "" => return Err(IdError::Empty),
            "." | ".." => return Err(IdError::Dot),
            long if long.len() > LONGEST => return Err(IdError::TooLong),
            _ => {}
        }
    }
    Ok(())
}

/// The topic of a minion with `zmq_filtering`: SHA-1 of its id in lower hex, whatever `hash_type` says.
pub fn topic(id: &MinionId) -> String {
    crate::crypt::HashType::Sha1.hex(id.as_str().as_bytes())
}

/// The topic everyone subscribes to with `zmq_filtering`.
pub const TOPIC_BROADCAST: &str = "broadcast";
/// The topic syndics subscribe to besides.
pub const TOPIC_SYNDIC: &str = "syndic";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_single_visible_names() {
        for good in ["m1", "a.b.example.org", "host_master", "ünï", "x y", "a:b"] {
            assert_eq!(MinionId::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", ".", "..", ".key_cache", "a/b", "a\\b", "a\0b", "a\n\nb", "/etc/passwd", &"x".repeat(256)]
        {
            assert!(MinionId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn jids_are_times() {
        let t = DateTime { year: 2000, month: 2, day: 29, hour: 3, minute: 4, second: 5, micro: 6 };
        assert_eq!(Jid::of(&t, None).as_str(), "20000229030405000006");
        assert_eq!(Jid::of(&t, Some(7)).as_str(), "20000229030405000006_7");
        assert!(Jid::of(&t, None).is_generated() && Jid::of(&t, Some(7)).is_generated());
        assert!(is_generated_jid("20261125132405123456_42"));
        for no in ["2026112513240512345", "20261125132405123456_", "20261125132405123456_x", "req"] {
            assert!(!is_generated_jid(no), "{no}");
        }
    }

    #[test]
    fn paths_stay_below() {
        for good in ["top.sls", "a/b/c", ".hidden/x", "..x", "a\\..\\b", "a\nb"] {
            assert!(RelPath::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a//b", "a/", "..", "a/../b", "./a", "a\0"] {
            assert!(RelPath::parse(bad).is_err(), "{bad}");
        }
        assert!(SaltEnv::parse("feature/x").is_ok());
        for bad in ["../base", "a\\b", "a\nb"] {
            assert!(SaltEnv::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn topics_are_sha1() {
        assert_eq!(topic(&MinionId::parse("m1").unwrap()).len(), 40);
    }
}
