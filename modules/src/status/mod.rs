//! The `status` execution module: the machine's counters, its load, who and what runs on it, and whether its master
//! is there.

mod counters;
mod master;
mod people;
mod system;

use brine_core::call::module;
use counters::*;
use master::*;
use people::*;
use system::*;

module! {
    "status":
    all_status, cpuinfo, cpustats, custom, diskstats, diskusage, loadavg, master, meminfo, netdev, netstats, nproc, pid,
    ping_master, procs, proxy_reconnect, time_, uptime, version, vmstats, w
}
