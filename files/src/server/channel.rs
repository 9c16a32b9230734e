//! The file server asked in its own process (`file_client: local`), where nothing need be sent.

use super::FileServer;
use crate::Found;
use crate::client::Channel;
use brine_core::call::Result;
use brine_core::{Map, Value};
use brine_protocol::command::MinionCommand;
use brine_protocol::ids::{RelPath, SaltEnv};
use std::sync::Arc;

impl Channel for Arc<FileServer> {
    fn ask(&self, load: Map) -> Result<Value> {
        let command = load.get_str("cmd").and_then(MinionCommand::parse);
        Ok(command.map_or_else(|| Map::new().into(), |command| self.answer(command, &load)))
    }

    fn here(&self, path: &RelPath, saltenv: &SaltEnv) -> Option<Result<Option<Found>>> {
        Some(self.find(path, saltenv).map(|found| found.map(|(found, _)| found)))
    }
}
