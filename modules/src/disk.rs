//! The `disk` execution module: use of file systems, properties of block devices, and the tools that change them.

mod blocks;
mod hardware;
mod statistics;
mod usage;

use blocks::*;
use brine_core::call::module;
use hardware::*;
use statistics::*;
use usage::*;

module! {
    "disk":
    blkid, dump, format_, fstype, get_fstype_from_path, hdparms, hpa, inodeusage, iostat, percent, resize2fs,
    smart_attributes, tune, usage, wipe
}
