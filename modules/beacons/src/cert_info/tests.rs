//! Large numbers, and files that are no certificates.

use super::*;

#[test]
fn what_is_no_certificate_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(read(path), Err("there is no certificate in it".to_owned()));
    assert!(read("/no/such/file").is_err());
    std::fs::write(path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    assert_eq!(read(path), Err("there is no certificate in it".to_owned()));
}
