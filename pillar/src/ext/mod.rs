//! Sources of pillar besides files, stock's `ext_pillar`: the table of them, and how what they give is merged.
//!
//! A source is one file with a `pub(super) const` of [`Source`] and a line in [`TABLE`]. It is given what [`Asked`] holds and
//! the arguments that stand in the configuration, and gives a dict. `docs/ext_pillar.md` shows how to add one.

mod ask;
mod cmd;
mod crypt;
mod csv;
mod file_tree;
mod git;
mod http;
mod known;
mod netbox;
mod normal;
pub mod palletjack;
mod redis;
mod refused;
mod saltclass;
mod servers;
mod sql;
mod sqlite3;
mod stack;
mod vault;

use crate::compile::Compiler;
use brine_core::{Cx, Map, Opts, Value};
use brine_python::{Args, Dict, Obj, PyErr, R, truth};
use brine_render::template::Session;
use std::rc::Rc;

/// One source of pillar.
pub struct Source {
    /// The key under which `ext_pillar` asks for it.
    pub name: &'static str,
    /// What it does. It gives a dict that is merged into pillar; nothing is merged if it is empty or `None`. Its error stands in
    /// `_errors`, so that the minion refuses the pillar; the text must hold no secret.
    pub run: fn(&Asked<'_>, &Args) -> R,
}

/// All that is known here.
const TABLE: &[&Source] = &[
    &cmd::JSON,
    &cmd::YAML,
    &cmd::YAMLEX,
    &cmd::PUPPET,
    &crypt::GPG,
    &crypt::NACL,
    &csv::SOURCE,
    &git::SOURCE,
    &file_tree::SOURCE,
    &http::JSON,
    &http::YAML,
    &known::EXTRA,
    &known::NODEGROUPS,
    &netbox::SOURCE,
    &palletjack::SOURCE,
    &redis::SOURCE,
    &saltclass::SOURCE,
    &servers::MYSQL,
    &servers::POSTGRES,
    &sqlite3::SOURCE,
    &stack::SOURCE,
    &vault::SOURCE,
];

/// The source of a name.
pub fn find(name: &str) -> Option<&'static Source> {
    TABLE.iter().copied().find(|source| source.name == name)
}

/// What a source may know.
pub struct Asked<'a> {
    /// The run: options, the minion's grains, functions, templates.
    pub session: &'a Rc<Session>,
    /// Whose pillar.
    pub id: &'a str,
    /// The pillar so far. It is the object itself: what is changed in it is changed.
    pub pillar: &'a Obj,
    /// What the minion sent for sources (`pass_to_ext_pillars`).
    pub extra: &'a Map,
    /// The id in the options of who compiles, which templates of sources see: a master's own.
    pub own_id: &'a Value,
}

impl Asked<'_> {
    /// The context: options, the minion's grains, functions.
    pub fn cx(&self) -> &Cx {
        &self.session.cx
    }

    /// The options.
    pub fn opts(&self) -> &Opts {
        &self.session.cx.opts
    }

    /// The options as templates of sources see them: the id is that of who compiles.
    fn template_opts(&self) -> Obj {
        let opts = Dict::from(self.opts().map());
        opts.set_str("id", self.own_id);
        opts.into()
    }
}

/// The arguments in the configuration as those of a function: a dict's are named, a list's are in order, all else is one.
fn arguments(given: &Value) -> R<Args> {
    Ok(match given {
        Value::Map(named) => {
            let mut kw = Vec::new();
            for (name, value) in named.iter() {
                let name = name.as_str().ok_or_else(|| PyErr::ty("keywords must be strings"))?;
                kw.push((Rc::from(name), Obj::from(value)));
            }
            Args { pos: Vec::new(), kw }
        }
        Value::List(list) => Args::of(list.iter().map(Obj::from)),
        one => Args::of([Obj::from(one)]),
    })
}

const MALFORMED: &str = "The \"ext_pillar\" option is malformed";

impl Compiler {
    /// Asks all sources in the order of the option, and merges what they give over the pillar so far.
    pub(crate) fn external(&self, pillar: Obj, errors: &mut Vec<String>) -> R {
        let Some(sources) = self.cx.opts.get("ext_pillar") else { return Ok(pillar) };
        let Value::List(sources) = sources else {
            errors.push(MALFORMED.into());
            return Ok(pillar);
        };
        let over = self.settled.wish.over.as_ref().is_some_and(|over| !over.is_empty());
        let mut pillar = if over { self.merge(&pillar, &self.over().into())? } else { pillar };
        let excluded = self.cx.opts.get("exclude_ext_pillar").and_then(Value::as_list).unwrap_or_default();
        for run in sources {
            let Value::Map(run) = run else {
                errors.push(MALFORMED.into());
                return Ok(Dict::new().into());
            };
            if run.keys().next().is_some_and(|first| excluded.contains(first)) {
                continue;
            }
            let mut given = Obj::None;
            for (name, args) in run.iter() {
                let name = brine_core::text::python_str(name);
                match self.ask(&name, args, &pillar) {
                    Ok(Some(data)) => given = data,
                    Ok(None) => tracing::error!("Specified ext_pillar interface {name} is unavailable"),
                    Err(e) => errors.push(format!("Failed to load ext_pillar {name}: {e}")),
                }
            }
            if truth(&given)? {
                pillar = self.merge(&pillar, &given)?;
            }
        }
        Ok(pillar)
    }

    /// What a source gives; `None` where the name is nobody's.
    fn ask(&self, name: &str, args: &Value, pillar: &Obj) -> R<Option<Obj>> {
        if name == crypt::NACL.name && self.cx.opts.get("fips_mode") == Some(&Value::Bool(true)) {
            return Ok(None);
        }
        let Some(source) = find(name) else { return refused::why(name, &self.cx.opts).map_or(Ok(None), Err) };
        let asked = Asked {
            session: &self.session,
            id: &self.settled.wish.id,
            pillar,
            extra: &self.settled.wish.extra,
            own_id: &self.settled.own_id,
        };
        (source.run)(&asked, &arguments(args)?).map(Some)
    }
}

/// Adds a source that a minion asks for to the options, if it may (`on_demand_ext_pillar`).
pub(crate) fn on_demand(opts: &mut Opts, ext: &Value) {
    let Value::Map(ext) = ext else {
        tracing::error!("On-demand pillar is not formatted as a dictionary");
        return;
    };
    let allowed = match opts.get("on_demand_ext_pillar") {
        None => &[][..],
        Some(Value::List(list)) => list,
        Some(_) => {
            tracing::error!(
                "The 'on_demand_ext_pillar' configuration option is malformed, it should be a list of ext_pillar module names"
            );
            return;
        }
    };
    let texts = |names: &mut dyn Iterator<Item = &Value>| {
        let mut names: Vec<String> = names.map(brine_core::text::python_str).collect();
        names.sort();
        names.join(", ")
    };
    let refused = texts(&mut ext.keys().filter(|name| !allowed.contains(name)));
    if !refused.is_empty() {
        tracing::error!(
            "The following ext_pillar modules are not allowed for on-demand pillar data: {refused}. Valid on-demand ext_pillar modules are: {}. The valid modules can be adjusted by setting the 'on_demand_ext_pillar' config option.",
            texts(&mut allowed.iter())
        );
        return;
    }
    let mut sources = match opts.get("ext_pillar") {
        None => Vec::new(),
        Some(Value::List(sources)) => sources.clone(),
        // Stock cannot add to anything else either; that it is malformed is told when it is read.
        Some(_) => return,
    };
    sources.push(Value::Map(ext.clone()));
    opts.map_mut().insert("ext_pillar", sources);
}
