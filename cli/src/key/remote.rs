//! Keys behind a master that one proves oneself to with `--auth`: its wheel functions.

use super::keyring::{Keyring, Verb};
use super::store::{Keys, Status};
use crate::auth;
use crate::exit::{CliError, Result};
use crate::startup::Command;
use brine_client::{Link, Who};
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};
use std::cell::RefCell;

/// The keys of a master, through its request port.
pub(super) struct Remote {
    runtime: tokio::runtime::Runtime,
    link: RefCell<Link>,
    /// Which states beside the pending one accepting and rejecting are about.
    include: Map,
}

impl Remote {
    /// Connects and proves who one is.
    pub(super) fn connect(command: &Command, include: Map) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| CliError::Client(e.to_string()))?;
        let link = runtime.block_on(async {
            let mut link = Link::connect(&command.opts, Who::caller(&command.opts), false).await?;
            auth::prove(command, &mut link).await?;
            Ok::<_, CliError>(link)
        })?;
        Ok(Self { runtime, link: RefCell::new(link), include })
    }

    fn call(&self, fun: &str, kwarg: Map) -> Result<Value> {
        let mut link = self.link.borrow_mut();
        let reply =
            self.runtime.block_on(link.on_master("wheel", &format!("key.{fun}"), map! {"kwarg" => kwarg}))?;
        read_reply(&reply)
    }

    fn map(&self, fun: &str, pattern: &str) -> Result<Map> {
        match self.call(fun, map! {"match" => pattern})? {
            Value::Map(map) => Ok(map),
            other => Err(CliError::Client(python_str(&other))),
        }
    }
}

/// What a wheel function has returned.
fn read_reply(reply: &Value) -> Result<Value> {
    if let Some(error) = reply.get("error") {
        return Err(CliError::Client(python_str(error.get("message").unwrap_or(error))));
    }
    let data = reply.get("data").ok_or_else(|| CliError::Client("Authentication error occurred.".into()))?;
    let value = data.get("return").cloned().unwrap_or_default();
    match data.get("success") {
        Some(Value::Bool(false)) => Err(CliError::Client(python_str(&value))),
        _ => Ok(value),
    }
}

impl Keyring for Remote {
    fn minions(&self) -> Result<Keys> {
        let Value::Map(all) = self.call("list_all", Map::new())? else { return Ok(Vec::new()) };
        let names = |status: Status| {
            let list = all.get(status.dir()).and_then(Value::as_list).unwrap_or_default();
            (status, list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        };
        Ok(Status::MINIONS.into_iter().map(names).collect())
    }

    fn print(&self, pattern: &str) -> Result<Map> {
        self.map("print", pattern)
    }

    fn finger(&self, pattern: &str) -> Result<Map> {
        self.map("finger", pattern)
    }

    fn change(&self, verb: Verb, keys: &Keys) -> Result<Vec<String>> {
        let names: Vec<&str> = keys.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
        let mut kwarg = map! {"match" => names.join(",")};
        if verb != Verb::Delete {
            kwarg.update(self.include.clone());
        }
        self.call(verb.name(), kwarg)?;
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_wheel_functions() {
        let ok = map! {"tag" => "t", "data" => map! {"success" => true, "return" => 5}};
        assert_eq!(read_reply(&ok.into()).unwrap(), 5.into());
        let failed = map! {"data" => map! {"success" => false, "return" => "Exception"}};
        assert_eq!(read_reply(&failed.into()).unwrap_err().to_string(), "Exception");
        let refused = map! {"error" => map! {"name" => "AuthenticationError", "message" => "no"}};
        assert_eq!(read_reply(&refused.into()).unwrap_err().to_string(), "no");
        assert!(read_reply(&"".into()).is_err());
    }
}
