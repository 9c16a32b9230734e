//! The alerts that are built in, what each is by default, and what the configuration changes of them.

use std::collections::BTreeMap;
use std::time::Duration;

use brine_core::Value;

use super::rule::{Settings, own};
use crate::NOWHERE;
use crate::conf::{ConfError, Keys};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

macro_rules! builtins {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The alerts that are built in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Builtin { $($(#[$doc])* $name),* }

        impl Builtin {
            /// All of them.
            pub const ALL: &[Builtin] = &[$(Builtin::$name),*];

            /// `alertname`
            pub fn name(self) -> &'static str {
                match self { $(Builtin::$name => stringify!($name)),* }
            }
        }
    };
}

builtins! {
    /// A minion whose key is accepted has no connection.
    MinionDown,
    /// All minions of a site are down.
    SiteDown,
    /// More than a share of all sites are down.
    TooManySitesDown,
    /// A minion's function failed.
    JobFailed,
    /// A state of a minion failed, or its states could not be made.
    StateFailed,
    /// A minion is not as its states say, by a scheduled run with `test=True`.
    Drift,
    /// A minion's key waits to be accepted.
    KeyPending,
    /// A minion came with another key than the accepted one, or was rejected.
    KeyDenied,
    /// Many authentications fail.
    AuthFlood,
    /// A minion has more and more returns that it could not deliver.
    SpoolGrowing,
    /// The job store is near its bound.
    JobStoreFull,
    /// The disk of the master's cache has little room left.
    MasterDisk,
    /// Always: whoever does not get it any more knows that nothing else will come either.
    Watchdog,
    /// A silence leaves nothing out.
    SilenceMatchesAll,
    /// A silence for a place stands; holds others back, and is told to nobody.
    MaintenanceActive,
    /// More than a share of all sites are silenced.
    TooManySitesSilenced,
    /// Events came faster than they could be looked at, and some were not.
    EventsDropped,
    /// A rule has more alerts at once than its limit.
    TooManyAlerts,
    /// A test, by `alerts.test`.
    AlertTest,
}

impl Builtin {
    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// As it is where the configuration says nothing of it.
    fn conf(self) -> Conf {
        let severity = match self {
            Self::SiteDown
            | Self::TooManySitesDown
            | Self::KeyDenied
            | Self::AuthFlood
            | Self::JobStoreFull
            | Self::MasterDisk
            | Self::SilenceMatchesAll
            | Self::TooManySitesSilenced => "critical",
            Self::KeyPending | Self::Drift | Self::AlertTest => "info",
            Self::Watchdog | Self::MaintenanceActive => "none",
            _ => "warning",
        };
        let mut settings = Settings::new(self.name(), severity);
        settings.hold = match self {
            Self::MinionDown => 2 * MINUTE,
            Self::SiteDown => MINUTE,
            Self::KeyPending => MINUTE,
            _ => Duration::ZERO,
        };
        settings.resolve_after = match self {
            Self::JobFailed | Self::KeyDenied | Self::EventsDropped => Some(HOUR),
            Self::StateFailed => Some(DAY),
            Self::Drift => Some(2 * DAY),
            Self::SpoolGrowing | Self::TooManyAlerts => Some(HOUR),
            Self::AuthFlood => Some(5 * MINUTE),
            Self::AlertTest => Some(10 * MINUTE),
            _ => None,
        };
        // A silence that could hide these would hide itself.
        settings.hushable = !matches!(
            self,
            Self::SilenceMatchesAll | Self::MaintenanceActive | Self::TooManySitesSilenced | Self::Watchdog
        );
        if matches!(self, Self::MaintenanceActive | Self::Watchdog) {
            settings.labels.insert(NOWHERE.0.to_owned(), NOWHERE.1.to_owned());
        }
        Conf {
            settings,
            count: if self == Self::AuthFlood { 50 } else { 2 },
            within: MINUTE,
            share: match self {
                Self::TooManySitesDown | Self::TooManySitesSilenced => 25,
                Self::SpoolGrowing => 25,
                _ => 90,
            },
            every: MINUTE,
        }
    }

    /// The keys that it has beside those of every rule.
    fn more(self) -> &'static [&'static str] {
        match self {
            Self::SiteDown => &["count"],
            Self::TooManySitesDown | Self::TooManySitesSilenced => &["count", "share"],
            Self::AuthFlood => &["count", "within"],
            Self::SpoolGrowing => &["share"],
            Self::JobStoreFull | Self::MasterDisk => &["share", "every"],
            Self::Watchdog => &["every"],
            _ => &[],
        }
    }
}

/// What one of them is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conf {
    /// What holds of all its alerts.
    pub settings: Settings,
    /// How many there have to be at least: minions of a site, sites, failures.
    pub count: usize,
    /// In how long a time.
    pub within: Duration,
    /// Percent above which there is an alert.
    pub share: usize,
    /// How often it is looked at, or said.
    pub every: Duration,
}

/// All that are switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builtins(BTreeMap<Builtin, Conf>);

impl Default for Builtins {
    fn default() -> Self {
        Self(Builtin::ALL.iter().map(|one| (*one, one.conf())).collect())
    }
}

impl Builtins {
    /// All that are switched on.
    pub fn all(&self) -> impl Iterator<Item = (Builtin, &Conf)> {
        self.0.iter().map(|(one, conf)| (*one, conf))
    }

    pub(crate) fn read(value: Option<&Value>, at: &str) -> Result<Self, ConfError> {
        let mut all = Self::default();
        let Some(value) = value else { return Ok(all) };
        for (name, value) in Keys::of(value, at)?.all()? {
            let at = format!("{at}:{name}");
            let Some(one) = Builtin::parse(name) else {
                let names: Vec<&str> = Builtin::ALL.iter().map(|one| one.name()).collect();
                let why = format!("is not built in; built in are {}", names.join(", "));
                return Err(ConfError::new(at, why));
            };
            match value {
                Value::Bool(true) => {}
                // That everything is silenced is never a secret.
                Value::Bool(false) if one == Builtin::SilenceMatchesAll => {
                    return Err(ConfError::new(at, "cannot be switched off"));
                }
                Value::Bool(false) => drop(all.0.remove(&one)),
                Value::Map(_) => drop(all.0.insert(one, read(one, value, &at)?)),
                _ => return Err(ConfError::new(at, "has to be True, False or a map of keys and values")),
            }
        }
        Ok(all)
    }
}

fn read(one: Builtin, value: &Value, at: &str) -> Result<Conf, ConfError> {
    let mut keys = Keys::of(value, at)?;
    let mut conf = one.conf();
    conf.settings = own(conf.settings, &mut keys)?;
    for key in one.more() {
        match *key {
            "count" => conf.count = keys.count(key, conf.count, 1, 1_000_000)?,
            "share" => conf.share = keys.count(key, conf.share, 1, 100)?,
            "within" => conf.within = keys.time(key)?.unwrap_or(conf.within),
            _ => {
                conf.every = keys.time(key)?.unwrap_or(conf.every);
                if conf.every < Duration::from_secs(1) {
                    return Err(keys.error(key, "has to be a second or more"));
                }
            }
        }
    }
    keys.end()?;
    Ok(conf)
}
