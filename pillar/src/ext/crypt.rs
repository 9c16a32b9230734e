//! `gpg` and `nacl`: all of the pillar so far, decrypted by the renderer of the same name.

use super::{Asked, Source};
use brine_python::{Args, R};
use brine_render::renderer::{Data, run_one};

pub(super) const GPG: Source = Source { name: "gpg", run: |asked, _: &Args| decrypt(asked, "gpg") };
pub(super) const NACL: Source = Source { name: "nacl", run: |asked, _: &Args| decrypt(asked, "nacl") };

fn decrypt(asked: &Asked<'_>, renderer: &str) -> R {
    let rendered = run_one(asked.session, renderer, Data::Value(asked.pillar.clone()), Vec::new())?;
    Ok(rendered.data.into_value())
}
