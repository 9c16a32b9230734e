//! Names and numbers of users and groups, remembered for a moment: a run asks for the same few again for every file. What the
//! system said holds as long as its own files stand as they did, and no longer than [`HOLDS`], since it may ask others too.

use brine_files::Stamp;
use nix::unistd::{Gid, Group, Uid, User};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);
/// How many answers are kept.
const MOST: usize = 1_000;

/// What was asked of the system's accounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asked {
    Number(u32),
    Name(String),
}

/// What it said. Who is not there may be there soon: that is asked anew each time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    name: String,
    number: u32,
}

#[derive(Default)]
struct Known {
    since: Option<(Instant, Option<Stamp>)>,
    accounts: HashMap<Asked, Account>,
}

impl Known {
    /// What was said, if it holds.
    fn recall(&mut self, stamp: Option<Stamp>, asked: &Asked) -> Option<Account> {
        let holds = self.since.as_ref().is_some_and(|(at, then)| *then == stamp && at.elapsed() < HOLDS);
        if !holds || self.accounts.len() >= MOST {
            self.accounts.clear();
            self.since = Some((Instant::now(), stamp));
        }
        self.accounts.get(asked).cloned()
    }
}

/// What is known, or is found out: meanwhile others may ask.
fn known(
    all: &Mutex<Known>,
    file: &str,
    asked: Asked,
    find: impl FnOnce(&Asked) -> Option<Account>,
) -> Option<Account> {
    let lock = || all.lock().unwrap_or_else(PoisonError::into_inner);
    let stamp = std::fs::metadata(file).ok().map(|meta| Stamp::of(&meta));
    if let Some(known) = lock().recall(stamp, &asked) {
        return Some(known);
    }
    let found = find(&asked)?;
    lock().accounts.insert(asked, found.clone());
    Some(found)
}

static USERS: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
static GROUPS: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

fn user(asked: Asked) -> Option<Account> {
    known(&USERS, "/etc/passwd", asked, |asked| {
        let found = match asked {
            Asked::Number(number) => User::from_uid(Uid::from_raw(*number)),
            Asked::Name(name) => User::from_name(name),
        };
        found.ok().flatten().map(|user| Account { name: user.name, number: user.uid.as_raw() })
    })
}

fn group(asked: Asked) -> Option<Account> {
    known(&GROUPS, "/etc/group", asked, |asked| {
        let found = match asked {
            Asked::Number(number) => Group::from_gid(Gid::from_raw(*number)),
            Asked::Name(name) => Group::from_name(name),
        };
        found.ok().flatten().map(|group| Account { name: group.name, number: group.gid.as_raw() })
    })
}

/// The name of a user.
pub(super) fn user_of(uid: u32) -> Option<String> {
    user(Asked::Number(uid)).map(|user| user.name)
}

/// The name of a group.
pub(super) fn group_of(gid: u32) -> Option<String> {
    group(Asked::Number(gid)).map(|group| group.name)
}

/// The number of a user.
pub(super) fn uid_of(name: &str) -> Option<u32> {
    user(Asked::Name(name.to_owned())).map(|user| user.number)
}

/// The number of a group.
pub(super) fn gid_of(name: &str) -> Option<u32> {
    group(Asked::Name(name.to_owned())).map(|group| group.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_said_holds_until_its_file_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwd");
        let all = Mutex::default();
        let ask = |number: u32, says: Option<&str>| {
            let said = says.map(|name| Account { name: name.to_owned(), number });
            known(&all, &file.to_string_lossy(), Asked::Number(number), |_| said).map(|account| account.name)
        };
        let is = |name: &str| Some(name.to_owned());
        std::fs::write(&file, "a").unwrap();
        assert_eq!(ask(1, None), None);
        assert_eq!(ask(1, Some("a")), is("a"));
        assert_eq!(ask(1, Some("b")), is("a"));
        assert_eq!(ask(2, Some("b")), is("b"));
        std::fs::write(&file, "ab").unwrap();
        assert_eq!(ask(1, Some("c")), is("c"));
        std::thread::sleep(HOLDS);
        assert_eq!(ask(1, Some("d")), is("d"));
    }

    #[test]
    fn accounts_are_those_of_the_system() {
        for _ in 0..2 {
            assert_eq!((user_of(0).as_deref(), uid_of("root")), (Some("root"), Some(0)));
            assert_eq!((group_of(0).as_deref(), gid_of("root")), (Some("root"), Some(0)));
            assert_eq!((uid_of("no such user"), gid_of("no such group")), (None, None));
        }
    }
}
