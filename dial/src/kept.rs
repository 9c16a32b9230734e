//! Connections that a master keeps between calls: each return and each event is a call, and a database takes longer to let
//! somebody in than to keep what he brings. Everybody else's end with the call.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A connection that nobody has used for longer is not tried again.
const IDLE: Duration = Duration::from_secs(60);
/// How many are kept of a kind.
const MOST: usize = 4;

static KEEP: AtomicBool = AtomicBool::new(false);

/// Has this process keep connections to databases: for a daemon that has much to write.
pub fn keep_connections() {
    KEEP.store(true, Ordering::Relaxed);
}

/// A connection that can be kept.
pub trait Keep {
    /// Whether it is as new: it works, and nothing is half done in it.
    fn is_fresh(&mut self) -> bool;
}

/// Those that wait for the next call, with the settings they were made by.
pub struct Kept<S, C>(Mutex<Vec<(S, C, Instant)>>);

impl<S: PartialEq + Clone + 'static, C: Keep + 'static> Default for Kept<S, C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: PartialEq + Clone + 'static, C: Keep + 'static> Kept<S, C> {
    /// None yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn list<T>(&self, work: impl FnOnce(&mut Vec<(S, C, Instant)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, settings: &S) -> Option<(C, Instant)> {
        self.list(|list| {
            let at = list.iter().position(|(by, _, _)| by == settings)?;
            let (_, connection, used) = list.swap_remove(at);
            Some((connection, used))
        })
    }

    /// One that was kept and still works, or a new one.
    pub fn lend<E>(
        &'static self,
        settings: &S,
        connect: impl FnOnce(&S) -> Result<C, E>,
    ) -> Result<Lent<S, C>, E> {
        if !KEEP.load(Ordering::Relaxed) {
            return Ok(Lent { connection: Some(connect(settings)?), back: None });
        }
        let back = Some((self, settings.clone()));
        while let Some((connection, used)) = self.take(settings) {
            let mut lent = Lent { connection: Some(connection), back: None };
            if used.elapsed() < IDLE && lent.is_fresh() {
                lent.back = back;
                return Ok(lent);
            }
        }
        Ok(Lent { connection: Some(connect(settings)?), back })
    }
}

/// A connection for one call. It goes back when it is dropped; what was left half done is seen when it is lent again.
pub struct Lent<S: PartialEq + Clone + 'static, C: Keep + 'static> {
    connection: Option<C>,
    back: Option<(&'static Kept<S, C>, S)>,
}

impl<S: PartialEq + Clone, C: Keep> Deref for Lent<S, C> {
    type Target = C;

    #[expect(clippy::expect_used, reason = "it is there until this is dropped")]
    fn deref(&self) -> &C {
        self.connection.as_ref().expect("a connection")
    }
}

impl<S: PartialEq + Clone, C: Keep> DerefMut for Lent<S, C> {
    #[expect(clippy::expect_used, reason = "it is there until this is dropped")]
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect("a connection")
    }
}

impl<S: PartialEq + Clone + 'static, C: Keep + 'static> Drop for Lent<S, C> {
    fn drop(&mut self) {
        if let (Some(connection), Some((kept, settings))) = (self.connection.take(), self.back.take()) {
            let over = kept.list(|list| {
                list.push((settings, connection, Instant::now()));
                (list.len() > MOST).then(|| list.remove(0))
            });
            // It says good-bye, which takes a moment: outside the lock.
            drop(over);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Line(u32, bool);

    impl Keep for Line {
        fn is_fresh(&mut self) -> bool {
            self.1
        }
    }

    #[test]
    fn what_works_is_lent_again_to_those_with_the_same_settings() {
        static KEPT: Kept<&str, Line> = Kept::new();
        let made = AtomicBool::new(false);
        let lend = |settings| {
            made.store(false, Ordering::Relaxed);
            let line = KEPT.lend(&settings, |_| {
                made.store(true, Ordering::Relaxed);
                Ok::<_, ()>(Line(7, true))
            });
            (line.unwrap(), made.load(Ordering::Relaxed))
        };
        // Nothing is kept where nobody asked for it.
        drop(lend("a"));
        let (line, new) = lend("a");
        assert!(new && line.0 == 7);
        keep_connections();
        drop(line);
        let (mut line, new) = lend("a");
        assert!(new);
        let (other, new) = lend("b");
        assert!(new);
        line.1 = false;
        drop((line, other));
        // It broke while nobody looked.
        assert!(lend("a").1 && !lend("a").1 && !lend("b").1);
        for settings in ["c", "d", "e", "f", "g"] {
            drop(lend(settings));
        }
        assert_eq!(KEPT.list(|list| list.len()), MOST);
    }
}
