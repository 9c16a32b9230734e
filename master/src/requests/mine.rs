//! The mine: what minions publish about themselves for each other. Who may read it is decided in the store.

use brine_protocol::ids::MinionId;
use brine_protocol::{Map, Value};
use brine_store::mine;

use crate::master::Master;

pub(super) fn store(master: &Master, id: &MinionId, mut load: Map) -> Value {
    let clear = load.get("clear").is_some_and(Value::truthy);
    match load.remove("data") {
        Some(Value::Map(data)) => done(master.data.put_mine(id, data, clear), id),
        Some(_) => false.into(),
        None => Map::new().into(),
    }
}

pub(super) fn delete(master: &Master, id: &MinionId, load: &Map) -> Value {
    let Some(fun) = load.get_str("fun") else { return Map::new().into() };
    master.data.drop_mine(id, fun).unwrap_or(false).into()
}

pub(super) fn flush(master: &Master, id: &MinionId) -> Value {
    done(master.data.flush_mine(id), id)
}

fn done(result: std::io::Result<()>, id: &MinionId) -> Value {
    if let Err(e) = &result {
        tracing::error!("cannot store the mine of {id}: {e}");
    }
    result.is_ok().into()
}

pub(super) fn get(master: &Master, id: &MinionId, load: &Map) -> Map {
    mine::readable(&master.data, master.config.access.mine_get.as_ref(), id.as_str(), load)
}
