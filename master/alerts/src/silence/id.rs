//! The name of a silence, which is a file's name too.

use std::fmt;

/// 16 hexadecimal digits, or a name that whoever sets the silence chose: letters, digits, `-` and `_`, at most 64.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SilenceId(String);

impl SilenceId {
    /// A new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn fresh() -> std::io::Result<Self> {
        let mut bytes = [0u8; 8];
        getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
        Ok(Self(format!("{:016x}", u64::from_be_bytes(bytes))))
    }

    /// Reads one; `None` of a text that cannot be a file's name.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let good = !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.chars().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_files_name_and_nothing_more() {
        let fresh = SilenceId::fresh().unwrap();
        assert_eq!(SilenceId::parse(fresh.as_str()), Some(fresh.clone()));
        assert_ne!(fresh, SilenceId::fresh().unwrap());
        assert!(SilenceId::parse("20261126221500000001-akl").is_some());
        for text in ["", ".", "..", "a/b", "a.json", "-a", "a b", &"x".repeat(65)] {
            assert_eq!(SilenceId::parse(text), None, "{text}");
        }
    }
}
