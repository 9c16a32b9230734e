//! Where a file is read from.

use super::*;
use std::fs;

#[test]
fn a_file_is_read_on_from_where_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let mut place = Place::default();
    assert!(place.news(&path, 1).is_err());
    fs::write(&path, "").unwrap();
    assert_eq!(place.news(&path, 1).unwrap(), None);
    // An empty one had no lines that were there before.
    fs::write(&path, "one\n").unwrap();
    assert_eq!(place.news(&path, 1).unwrap().unwrap(), b"one\n");
    assert_eq!(place.news(&path, 1).unwrap().unwrap(), b"");
    // Cut, and grown again.
    fs::write(&path, "2\n").unwrap();
    assert_eq!(place.news(&path, 1).unwrap().unwrap(), b"2\n");
    // Another file of the same name.
    fs::rename(&path, dir.path().join("f.1")).unwrap();
    fs::write(&path, "rotated\n").unwrap();
    assert_eq!(place.news(&path, 1).unwrap().unwrap(), b"rotated\n");
    // Records come whole.
    fs::write(&path, "rotated\n12345").unwrap();
    let mut records = Place(Some((fs::metadata(&path).unwrap().ino(), 8)));
    assert_eq!(records.news(&path, 2).unwrap().unwrap(), b"1234");
}
