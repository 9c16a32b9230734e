//! Failed logins: tells of them, or of those of some people and times.

use crate::logins::Logins;
use crate::{Beacon, Kept};
use brine_core::call::{Cx, Result};
use brine_core::{Map, Value};

pub(crate) static BEACON: Beacon = Beacon { name: "btmp", unavailable, validate, look, lets_go: false };

pub(crate) const LOGINS: Logins = Logins { name: "btmp", path: "/var/log/btmp", sessions: false };

fn unavailable(_: &Cx) -> Option<String> {
    LOGINS.unavailable()
}

fn validate(_: &Cx, config: &Value) -> Result<()> {
    LOGINS.validate(config)
}

fn look(cx: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    LOGINS.look(cx, config, kept)
}
