//! Logins and logouts: tells of them, or of those of some people and times.

use crate::Beacon;
use crate::logins::{Logins, beacon};

pub(crate) static BEACON: Beacon = beacon!(LOGINS);

pub(crate) const LOGINS: Logins = Logins { name: "wtmp", path: "/var/log/wtmp", sessions: true };
