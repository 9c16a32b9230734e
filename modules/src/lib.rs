//! What a minion can do: execution modules and grains, one file each.
