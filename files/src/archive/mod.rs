//! Archives on this machine, without programs for them: tar with its compressions, and zip. What is unpacked stays below the
//! folder that it is unpacked to, whatever names and links an archive holds. How functions of `archive` are called is not here.

pub mod tar;
mod target;
pub mod zip;

/// The format of an archive, by its name: `tar`, `zip` or `rar`.
pub fn guess(name: &str) -> Option<&'static str> {
    const TAR: [&str; 10] =
        [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz"];
    let name = name.to_lowercase();
    match name.as_str() {
        name if TAR.iter().any(|ending| name.ends_with(ending)) => Some("tar"),
        name if name.ends_with(".zip") => Some("zip"),
        name if name.ends_with(".rar") => Some("rar"),
        _ => None,
    }
}

/// Whether a name in an archive leads out of the folder that it is unpacked to: an absolute one, or one with `..`.
pub fn leads_out(name: &str) -> bool {
    target::parts(name.as_bytes()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_names() {
        assert_eq!(guess("x.TAR.gz"), Some("tar"));
        assert_eq!(guess("x.zip"), Some("zip"));
        assert_eq!(guess("x.rar"), Some("rar"));
        assert_eq!(guess("xtar"), None);
        assert!(leads_out("/a") && leads_out("a/../b") && !leads_out("./a..b/"));
    }
}
