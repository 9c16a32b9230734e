//! Requests and answers in stock's shapes. What stock's master fails at is answered with empty text, as it answers then.

use super::FileServer;
use super::asked::{self, Request};
use crate::backend::Listed;
use brine_core::call::CallError;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_protocol::command::MinionCommand;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::Metadata;
use std::io::Write;
use std::os::unix::fs::MetadataExt;

/// Why a request has no answer.
enum Fault {
    /// It is none that stock can answer.
    Bad,
    /// Files cannot be read.
    Failed(CallError),
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Fault::Failed(error)
    }
}

type Answered = std::result::Result<Value, Fault>;

impl FileServer {
    /// Answers one request of a minion. `_file_recv` and whatever is not about files served is answered with an empty map.
    pub fn answer(&self, command: MinionCommand, load: &Map) -> Value {
        use MinionCommand as C;
        let answer = match command {
            C::FileFind => self.answer_find(load),
            C::FileHash => self.answer_hash(load).map(|(hash, _)| hash),
            C::FileHashAndStat => self.answer_hash(load).map(|(hash, stat)| Value::List(vec![hash, stat])),
            C::ServeFile => self.answer_chunk(load),
            C::FileEnvs => self.answer_envs(load),
            C::FileList => self.answer_list(load, true, |all| &all.files),
            C::DirList => self.answer_list(load, true, |all| &all.dirs),
            C::FileListEmptydirs => self.answer_list(load, false, |all| &all.empty_dirs),
            C::SymlinkList => self.answer_links(load),
            _ => Ok(Map::new().into()),
        };
        answer.unwrap_or_else(|fault| {
            let path = load.get("path").map(python_str).unwrap_or_default();
            match fault {
                Fault::Bad => tracing::debug!("a malformed request for files ({})", command.name()),
                Fault::Failed(e) => tracing::error!("{} {path:?}: {}", command.name(), e),
            }
            "".into()
        })
    }

    fn answer_find(&self, load: &Map) -> Answered {
        let nothing = || Ok(map! {"path" => "", "rel" => ""}.into());
        let Some(path) = load.get("path").filter(|path| path.truthy()) else { return nothing() };
        let saltenv = match load.get("saltenv") {
            None => "base",
            Some(Value::Str(text)) => text,
            Some(_) => return Err(Fault::Bad),
        };
        match asked::read(path, saltenv) {
            Request::Bad => Err(Fault::Bad),
            Request::Nothing => nothing(),
            Request::File(asked) => match self.find(&asked.path, &asked.saltenv)? {
                None => nothing(),
                // Where the file lies here is nobody's business.
                Some((found, named)) => Ok(map! {
                    "path" => asked.path.as_str(), "rel" => asked.path.as_str(), "stat" => stat(&found.meta),
                    "back" => named.name.as_str(),
                }
                .into()),
            },
        }
    }

    /// The checksum and the numbers of `os.stat`.
    fn answer_hash(&self, load: &Map) -> std::result::Result<(Value, Value), Fault> {
        let nothing = (Value::from(""), Value::Nil);
        let Some(asked) = required(load) else { return Ok(nothing) };
        // Stock swallows what is wrong with the type of a path.
        let Request::File(asked) = asked else { return Ok(nothing) };
        Ok(match self.hash(&asked.path, &asked.saltenv)? {
            None => nothing,
            Some((sum, meta)) => (map! {"hash_type" => self.hash_type(), "hsum" => sum}.into(), stat(&meta)),
        })
    }

    fn answer_chunk(&self, load: &Map) -> Answered {
        let nothing = || Ok(map! {"data" => "", "dest" => ""}.into());
        let (Some(asked), Some(loc)) = (required(load), load.get("loc")) else { return nothing() };
        let asked = match asked {
            Request::Bad => return Err(Fault::Bad),
            Request::Nothing => return nothing(),
            Request::File(asked) => asked,
        };
        if self.find(&asked.path, &asked.saltenv)?.is_none() {
            return nothing();
        }
        let offset = loc.as_int().and_then(|n| u64::try_from(n).ok()).ok_or(Fault::Bad)?;
        let Some(data) = self.chunk(&asked.path, &asked.saltenv, offset)? else { return nothing() };
        let mut answer = map! {"data" => Value::Nil, "dest" => asked.path.as_str()};
        let gzip = load.get("gzip").filter(|level| level.truthy() && !data.is_empty());
        let data = match gzip {
            None => data,
            Some(level) => {
                answer.insert("gzip", level.clone());
                packed(&data, level)?
            }
        };
        answer.insert("data", Value::Bytes(data));
        Ok(answer.into())
    }

    fn answer_envs(&self, load: &Map) -> Answered {
        let back = load.get("back").cloned().unwrap_or_default();
        if load.get("sources").is_some_and(Value::truthy) {
            return Ok(self.envs_by_backend(&back)?.into());
        }
        Ok(self.envs_of(&back)?.into())
    }

    fn answer_list(&self, load: &Map, choose: bool, what: fn(&Listed) -> &Vec<String>) -> Answered {
        let prefix = prefix(load)?;
        let Some(saltenv) = load.get("saltenv") else { return Ok(Value::List(Vec::new())) };
        let back = load.get("fsbackend").filter(|back| choose && back.truthy()).cloned().unwrap_or_default();
        let all = self.list_of(&python_str(saltenv), &back)?;
        let wanted = what(&all).iter().filter(|path| path.starts_with(prefix));
        Ok(Value::List(wanted.map(|path| path.as_str().into()).collect()))
    }

    fn answer_links(&self, load: &Map) -> Answered {
        let prefix = prefix(load)?;
        let Some(saltenv) = load.get("saltenv") else { return Ok(Map::new().into()) };
        let back = load.get("fsbackend").cloned().unwrap_or_default();
        let all = self.list_of(&python_str(saltenv), &back)?;
        let wanted = all.links.iter().filter(|(path, _)| path.starts_with(prefix));
        Ok(wanted
            .map(|(path, to)| (Value::from(path.as_str()), Value::from(to.as_str())))
            .collect::<Map>()
            .into())
    }
}

/// The file of a request that must name path and environment.
fn required(load: &Map) -> Option<Request> {
    let (path, saltenv) = (load.get("path")?, load.get("saltenv")?);
    Some(asked::read(path, &python_str(saltenv)))
}

fn prefix(load: &Map) -> std::result::Result<&str, Fault> {
    match load.get("prefix") {
        None => Ok(""),
        Some(Value::Str(text)) => Ok(text.trim_matches('/')),
        Some(_) => Err(Fault::Bad),
    }
}

/// As `list(os.stat(file))`.
fn stat(meta: &Metadata) -> Value {
    let unsigned =
        [u64::from(meta.mode()), meta.ino(), meta.dev(), meta.nlink(), meta.uid().into(), meta.gid().into()];
    let times = [meta.atime(), meta.mtime(), meta.ctime()].map(i128::from);
    let all = unsigned.map(i128::from).into_iter().chain([i128::from(meta.size())]).chain(times);
    Value::List(all.map(Value::Int).collect())
}

fn packed(data: &[u8], level: &Value) -> std::result::Result<Vec<u8>, Fault> {
    let level = match level {
        Value::Bool(true) => 1,
        other => other.as_int().ok_or(Fault::Bad)?,
    };
    let level = match level {
        -1 => 6,
        1..=9 => u32::try_from(level).map_err(|_| Fault::Bad)?,
        _ => return Err(Fault::Bad),
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    let packed = encoder.write_all(data).and_then(|()| encoder.finish());
    packed.map_err(|e| Fault::Failed(e.into()))
}
