//! Failed logins: tells of them, or of those of some people and times.

use crate::Beacon;
use crate::logins::Logins;

pub(crate) static BEACON: Beacon = Beacon {
    name: LOGINS.name,
    unavailable: |_| LOGINS.unavailable(),
    validate: |_, config| LOGINS.validate(config),
    look: |cx, config, kept| LOGINS.look(cx, config, kept),
    lets_go: false,
};

pub(crate) const LOGINS: Logins = Logins { name: "btmp", path: "/var/log/btmp", sessions: false };
