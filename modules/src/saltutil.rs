//! The minion about itself: its jobs, what it is to read anew, its caches, and its master.

mod cache;
mod client;
mod jobs;
mod refresh;
mod sync;

use brine_core::call::module;
use cache::*;
use client::*;
use jobs::*;
use refresh::*;
use sync::*;

module! {
    "saltutil": clear_cache, clear_job_cache, cmd, cmd_iter, find_cached_job, find_job, is_running, kill_all_jobs,
    kill_job, list_extmods, mmodule, "pillar_refresh" => refresh_pillar, refresh_beacons, refresh_grains,
    refresh_matchers, refresh_modules, refresh_pillar, regen_keys, revoke_auth, runner, running, signal_job, sync_all,
    sync_beacons, sync_clouds, sync_engines, sync_executors, sync_grains, sync_log_handlers, sync_matchers, sync_modules,
    sync_output, "sync_outputters" => sync_output, sync_pillar, sync_proxymodules, sync_renderers, sync_returners,
    sync_sdb, sync_serializers, sync_states, sync_thorium, sync_utils, term_all_jobs, term_job, update, wheel
}
