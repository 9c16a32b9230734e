//! Execution functions that give templates live objects, or change those they are given. One file per module of Salt's.

mod config;
mod defaults;
pub mod dictupdate;
mod filter;
mod grains;
mod log;
mod match_;
mod pillar;
mod slsutil;

pub(crate) use match_::ifelse;

use crate::template::Live;

/// By full name.
const TABLE: &[(&str, Live)] = &[
    ("config.get", config::get),
    ("config.merge", config::merge),
    ("config.option", config::option),
    ("defaults.deepcopy", defaults::deepcopy),
    ("defaults.merge", defaults::merge),
    ("defaults.update", defaults::update),
    ("grains.equals", grains::equals),
    ("grains.fetch", grains::get),
    ("grains.filter_by", grains::filter_by),
    ("grains.get", grains::get),
    ("grains.has_value", grains::has_value),
    ("grains.item", grains::item),
    ("grains.items", grains::items),
    ("grains.ls", grains::ls),
    ("log.critical", log::critical),
    ("log.debug", log::debug),
    ("log.error", log::error),
    ("log.exception", log::exception),
    ("log.info", log::info),
    ("log.warning", log::warning),
    ("match.filter_by", match_::filter_by),
    ("match.ifelse", match_::ifelse_live),
    ("pillar.fetch", pillar::get),
    ("pillar.filter_by", pillar::filter_by),
    ("pillar.get", pillar::get),
    ("pillar.item", pillar::item),
    ("pillar.keys", pillar::keys),
    ("pillar.raw", pillar::raw),
    ("slsutil.merge", slsutil::merge),
    ("slsutil.merge_all", slsutil::merge_all),
    ("slsutil.update", slsutil::update),
];

/// The function of that full name, if it is one of these.
pub fn find(name: &str) -> Option<Live> {
    TABLE.binary_search_by(|(n, _)| (*n).cmp(name)).ok().map(|at| TABLE[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_found() {
        assert!(TABLE.is_sorted_by_key(|(name, _)| *name));
        for (name, live) in TABLE {
            assert!(find(name).is_some_and(|found| std::ptr::fn_addr_eq(found, *live)), "{name}");
        }
        assert!(find("test.ping").is_none());
    }
}
