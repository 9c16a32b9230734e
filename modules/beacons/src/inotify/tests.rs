//! Words of masks.

use super::*;

#[test]
fn every_word_of_a_mask_has_its_bit() {
    for word in VALID {
        assert_ne!(bits(word).bits(), 0, "{word}");
    }
    assert_eq!(bits("no_such"), Mask::empty());
    assert_eq!(bits("create") | bits("isdir"), Mask::IN_CREATE | Mask::IN_ISDIR);
}
