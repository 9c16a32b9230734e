//! The `network` execution module: interfaces, addresses, routes, connections, and the tools that ask others.

pub(crate) mod addresses;
mod arithmetic;
mod connections;
mod host;
pub(crate) mod interfaces;
mod local;
mod probes;
pub(crate) mod routes;
mod tuning;

use arithmetic::*;
use brine_core::call::module;
use connections::*;
pub(crate) use connections::{endpoint as tcp_endpoint, tcp_row};
use host::*;
use local::*;
use probes::*;
use routes::*;
use tuning::*;

module! {
    "network":
    active_tcp, arp, calc_net, connect, convert_cidr, default_route, dig, fqdns, get_bufsize, get_fqdn, get_hostname,
    get_route, hw_addr, "hwaddr" => hw_addr, ifacestartswith, in_subnet, interface, interface_ip, interfaces, ip_addrs,
    "ipaddrs" => ip_addrs, ip_addrs6, "ipaddrs6" => ip_addrs6, ip_in_subnet, ip_networks, ip_networks6, iphexval,
    is_loopback, is_private, mod_bufsize, mod_hostname, netstat, ping, reverse_ip, routes, subnets, subnets6,
    traceroute, wol
}
