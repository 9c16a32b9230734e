//! Copies of returns on the minion (`cache_jobs`): `cachedir/minion_jobs/<jid>/return.p`.

use super::proc_files::private_write;
use brine_core::{Map, Opts};
use brine_protocol::ids::Jid;
use brine_protocol::msgpack::{self, Dialect};
use std::fs;

/// Keeps a return. A return without a proper job id (`req`) is kept under the id of this moment, as in stock.
pub fn store(opts: &Opts, ret: &Map) {
    let jid = ret.get_str("jid").filter(|j| *j != "req").and_then(|j| Jid::parse(j).ok());
    let jid = jid.map_or_else(|| brine_core::jid::gen_jid(std::time::SystemTime::now()), |j| j.to_string());
    let dir = opts.path("cachedir").join("minion_jobs").join(jid);
    let written = fs::create_dir_all(&dir)
        .and_then(|()| private_write(&dir.join("return.p"), &msgpack::encode_map(ret, Dialect::Old)));
    if let Err(e) = written {
        tracing::error!("cannot cache a return in {}: {e}", dir.display());
    }
}
