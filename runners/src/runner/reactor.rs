//! Reactors, which come with the reactor system: until then each function is refused by its name.

use brine_core::call::module;

module! { "reactor": add, delete, is_leader, "list" => list_, set_leader }

refused! {
    "reactor", "the reactor, which is a later piece of work", "Shows or changes the reactors of the running master: refused until there are any.":
    add, delete, is_leader, list_, set_leader
}
