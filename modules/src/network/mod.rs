//! The network: interfaces, addresses, routes.

pub(crate) mod addresses;
pub(crate) mod interfaces;
mod netlink;
pub(crate) mod routes;
