//! How the top files of several environments become one: `top_file_merging_strategy`.

use crate::highstate::Highstate;
use crate::names::{dict_at, joined};
use crate::tops::{Tops, is_render_error, render_error};
use brine_python::{Args, Dict, Kind, Obj, R, call_method, getitem};
use std::rc::Rc;

impl Highstate {
    /// Merges as the option says.
    pub(crate) fn merge(&self, tops: Tops) -> R<Rc<Dict>> {
        match self.option("top_file_merging_strategy").as_deref() {
            Some("same") => self.same(&tops),
            Some("merge_all") => merge_all(&tops),
            Some("merge") => merge(&tops),
            other => {
                tracing::warn!(
                    "Invalid top_file_merging_strategy '{}', falling back to 'merge'",
                    other.unwrap_or("None")
                );
                merge(&tops)
            }
        }
    }

    /// Each environment by its own top file, or by that of `default_top`.
    fn same(&self, tops: &Tops) -> R<Rc<Dict>> {
        let out = Rc::new(Dict::ordered());
        let default = self.option("default_top").unwrap_or_default();
        let fallback = tops.iter().find(|(env, _)| *env == default).map(|(_, tops)| tops.as_slice());
        let fallback = fallback.unwrap_or_default();
        for (env, own) in tops {
            if !own.iter().all(is_empty) {
                for top in own {
                    for (saltenv, targets) in sections(top)? {
                        if saltenv.as_str() == Some(env) {
                            put(&out, &saltenv, &targets)?;
                        }
                    }
                }
                continue;
            }
            if fallback.iter().all(is_empty) {
                tracing::error!(
                    "The '{env}' saltenv has no top file, and the fallback saltenv specified by default_top ({default}) also has \
                     no top file"
                );
                continue;
            }
            for top in fallback {
                let section = sections(top)?.into_iter().find(|(saltenv, _)| saltenv.as_str() == Some(env));
                match section {
                    Some((saltenv, targets)) => put(&out, &saltenv, &targets)?,
                    None => tracing::error!(
                        "The '{env}' saltenv has no top file, and no matches were found in the top file for the default_top \
                         saltenv ({default})"
                    ),
                }
            }
        }
        Ok(out)
    }
}

/// `base` says for all; the others for themselves, where `base` does not.
fn merge(tops: &Tops) -> R<Rc<Dict>> {
    let out = Rc::new(Dict::ordered());
    for (_, base) in tops.iter().filter(|(env, _)| env == "base") {
        for top in base {
            for (saltenv, targets) in sections(top)? {
                put(&out, &saltenv, &targets)?;
            }
        }
    }
    for (env, own) in tops.iter().filter(|(env, _)| env != "base") {
        for top in own {
            for (saltenv, targets) in sections(top)? {
                if saltenv.as_str() == Some(env) && out.get(&saltenv)?.is_none() {
                    put(&out, &saltenv, &targets)?;
                }
            }
        }
    }
    Ok(out)
}

/// All that any of them says.
fn merge_all(tops: &Tops) -> R<Rc<Dict>> {
    let out = Rc::new(Dict::ordered());
    for top in tops.iter().flat_map(|(_, tops)| tops) {
        for (saltenv, targets) in sections(top)? {
            unable(|| {
                for target in targets.items()? {
                    let into = dict_at(&out, &saltenv)?;
                    let new = getitem(&targets, &target)?;
                    let merged = match into.get(&target)? {
                        None => new,
                        Some(old) => both(&old, &new)?,
                    };
                    into.set(target, merged)?;
                }
                Ok(())
            })?;
        }
    }
    Ok(out)
}

/// The later's options, else the earlier's; then the names of both.
fn both(old: &Obj, new: &Obj) -> R {
    let read = |data: &Obj| -> R<(Option<Obj>, Vec<Obj>)> {
        let (mut option, mut names) = (None, Vec::new());
        for item in data.items()? {
            if matches!(item, Obj::Dict(_)) {
                option = Some(item.clone());
            }
            if item.as_str().is_some() {
                names.push(item);
            }
        }
        Ok((option, names))
    };
    let ((first, names), (second, more)) = (read(old)?, read(new)?);
    let merged: Vec<Obj> = second.or(first).into_iter().chain(names).collect();
    joined(merged, more).map(Obj::list)
}

fn is_empty(top: &Obj) -> bool {
    matches!(top, Obj::Dict(dict) if dict.pairs().is_empty())
}

/// What a top file says by environment.
fn sections(top: &Obj) -> R<Vec<(Obj, Obj)>> {
    let mut out = Vec::new();
    for pair in call_method(top, "items", &Args::default())?.items()? {
        let (saltenv, targets) = (getitem(&pair, &Obj::Int(0))?, getitem(&pair, &Obj::Int(1))?);
        if saltenv.as_str() != Some("include") {
            out.push((saltenv, targets));
        }
    }
    Ok(out)
}

/// Puts an environment's targets over those that are there.
fn put(out: &Dict, saltenv: &Obj, targets: &Obj) -> R<()> {
    unable(|| {
        for target in targets.items()? {
            dict_at(out, saltenv)?.set(target.clone(), getitem(targets, &target)?)?;
        }
        Ok(())
    })
}

/// What is no dict of targets is one error, whatever it is.
fn unable(work: impl FnOnce() -> R<()>) -> R<()> {
    work().map_err(|e| match e.kind() {
        Kind::TypeError if !is_render_error(&e) => {
            render_error("Unable to render top file. No targets found.")
        }
        _ => e,
    })
}
