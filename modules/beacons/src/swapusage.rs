//! Swap in use: tells when it is above a bound.

use crate::config::share;
use crate::memusage::{above, bound_is_given};
use crate::{Beacon, Kept, always, proc};
use brine_core::call::{Cx, Result};
use brine_core::{Map, Value};

pub(crate) static BEACON: Beacon =
    Beacon { name: "swapusage", unavailable: always, validate, look, lets_go: false };

fn validate(_: &Cx, config: &Value) -> Result<()> {
    bound_is_given("swapusage", config)
}

fn look(_: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let memory = proc::memory()?;
    let of = |name: &str| memory.get(name).copied().unwrap_or_default();
    let total = of("SwapTotal");
    above("swapusage", config, share(total - of("SwapFree"), total))
}
