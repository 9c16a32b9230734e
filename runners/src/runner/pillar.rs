//! Compiled pillar and its cache, which come with pillar: until then each function is refused by its name.

use brine_core::call::module;

module! { "pillar": clear_pillar_cache, show_pillar, show_pillar_cache, show_top }

refused! {
    "pillar", "pillar, which is a later piece of work", "Shows compiled pillar, or what of it is cached: refused until there is pillar.":
    clear_pillar_cache, show_pillar, show_pillar_cache, show_top
}
