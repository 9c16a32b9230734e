//! The client of the file server: asks it, and keeps copies of its files below `cachedir`.

mod ahead;
mod channel;
mod fetch;
mod ftp;
mod http;
mod part;
#[cfg(test)]
mod tests;
mod url;
#[cfg(test)]
mod url_tests;

pub use ahead::Coming;
pub use channel::Channel;
pub use url::{Dest, Got, Order, get_url};

use crate::cache::Cache;
use crate::fault::file_error;
use crate::path::{self, Asked};
use crate::{FileServer, Found};
use brine_core::call::{CallError, Result};
use brine_core::files::{Files, Listing, Want};
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of the server behind a channel. Cheap to make: what is known of copies is the cache's.
pub struct Client<C> {
    channel: C,
    cache: Arc<Cache>,
    ahead: ahead::Ahead,
}

impl Client<Arc<FileServer>> {
    /// A client of a file server in this process (`file_client: local`).
    #[must_use]
    pub fn of_this_machine(opts: &Opts) -> Self {
        Self::new(FileServer::new(opts), Arc::new(Cache::new(&opts.path("cachedir"))))
    }
}

impl<C: Channel> Client<C> {
    /// A client that keeps copies in a cache.
    pub fn new(channel: C, cache: Arc<Cache>) -> Self {
        Self { channel, cache, ahead: ahead::Ahead::default() }
    }

    fn texts(&self, load: Map) -> Result<Vec<String>> {
        match self.channel.ask(load)? {
            Value::List(list) => Ok(list.iter().map(python_str).collect()),
            Value::Str(text) if !text.is_empty() => Err(CallError::Client(text)),
            _ => Ok(Vec::new()),
        }
    }

    /// A file that lies on this machine, put where it is wanted.
    fn local(&self, found: &Found, asked: &Asked, want: &Want<'_>) -> Result<Option<PathBuf>> {
        let Some(dest) = want.dest else {
            let copy = self.cache.copy(&found.full, &found.meta, &asked.saltenv, &asked.path, want.cachedir);
            return copy.map(Some).map_err(|e| file_error(&e, &found.full));
        };
        let failed = |e| file_error(&e, dest);
        if same(&found.full, dest) {
            return Ok(Some(dest.to_owned()));
        }
        if !ready(dest, want.makedirs)? {
            return Ok(None);
        }
        fs::File::open(&found.full).map_err(|e| file_error(&e, &found.full))?;
        crate::put(&found.full, dest).map_err(failed)?;
        Ok(Some(dest.to_owned()))
    }
}

fn same(a: &Path, b: &Path) -> bool {
    let len = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|meta| meta.len());
    let sum = |path: &Path| crate::sum::of_file(path, "blake2b").ok();
    len(a).is_some_and(|len_a| len(b) == Some(len_a)) && sum(a).is_some_and(|sum_a| sum(b) == Some(sum_a))
}

/// Whether the folder of a place is there, made if it may be.
pub(crate) fn ready(dest: &Path, makedirs: bool) -> Result<bool> {
    let Some(folder) = dest.parent().filter(|f| !f.as_os_str().is_empty() && !f.is_dir()) else {
        return Ok(true);
    };
    if makedirs {
        fs::create_dir_all(folder).map_err(|e| file_error(&e, folder))?;
    }
    Ok(makedirs)
}

impl<C: Channel> Files for Client<C> {
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>> {
        self.get_file(path, saltenv, &Want::default())
    }

    fn get_file(&self, path: &str, saltenv: &str, want: &Want<'_>) -> Result<Option<PathBuf>> {
        let Some(asked) = path::parse(path, saltenv) else { return Ok(None) };
        let dest = want.dest.map(|dest| fetch::named(dest, &asked));
        let want = &Want { dest: dest.as_deref(), ..*want };
        let got = match self.channel.here(&asked.path, &asked.saltenv) {
            Some(found) => match found? {
                Some(found) => self.local(&found, &asked, want)?,
                None => None,
            },
            None => fetch::fetch(&self.channel, &self.cache, &self.ahead, &asked, want)?,
        };
        if got.is_none() {
            tracing::debug!("Could not find file 'salt://{}' in saltenv '{}'", asked.path, asked.saltenv);
        }
        Ok(got)
    }

    fn hash_file(&self, path: &str, saltenv: &str) -> Result<Value> {
        let Some(asked) = path::parse(path, saltenv) else { return Ok("".into()) };
        if let Some(Value::List(pair)) = self.ahead.answer(&asked)? {
            return Ok(pair.into_iter().next().unwrap_or_default());
        }
        self.channel.ask(fetch::load("_file_hash", &asked))
    }

    fn expect(&self, path: &str, saltenv: &str) {
        if let Some(asked) = path::parse(path, saltenv) {
            self.ahead.ask(&asked, || self.channel.begin(fetch::load(fetch::FACTS, &asked)));
        }
    }

    fn expect_nothing(&self) {
        self.ahead.forget();
    }

    fn stat_file(&self, path: &str, saltenv: &str) -> Result<Option<Vec<i64>>> {
        let Some(asked) = path::parse(path, saltenv) else { return Ok(None) };
        let found = self.channel.ask(fetch::load("_file_find", &asked))?;
        let stat = found.as_map().and_then(|found| found.get("stat")).and_then(Value::as_list);
        Ok(stat.map(|stat| stat.iter().filter_map(Value::as_int).collect()))
    }

    fn symlinks(&self, saltenv: &str, prefix: &str) -> Result<Map> {
        match self.channel.ask(map! {"cmd" => "_symlink_list", "saltenv" => saltenv, "prefix" => prefix})? {
            Value::Map(links) => Ok(links),
            Value::Str(text) if !text.is_empty() => Err(CallError::Client(text)),
            _ => Ok(Map::new()),
        }
    }

    fn list_below(&self, saltenv: &str, prefix: &str, what: Listing) -> Result<Vec<String>> {
        let cmd = match what {
            Listing::Files => "_file_list",
            Listing::Dirs => "_dir_list",
            Listing::EmptyDirs => "_file_list_emptydirs",
        };
        self.texts(map! {"cmd" => cmd, "saltenv" => saltenv, "prefix" => prefix})
    }

    fn list(&self, saltenv: &str, what: Listing) -> Result<Vec<String>> {
        self.list_below(saltenv, "", what)
    }

    fn envs(&self) -> Result<Vec<String>> {
        self.texts(map! {"cmd" => "_file_envs"})
    }
}
