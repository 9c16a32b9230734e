//! Black-box runs of stock and own programs against each other.
