//! A timer on the clock that people set: it goes off at a time of day, and at once when the clock is set.

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::unix::AsyncFd;

/// Without the system's help, how long a change of the clock may go unnoticed.
const AT_MOST: Duration = Duration::from_secs(3600);

struct Raw(TimerFd);

impl AsRawFd for Raw {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// The timer. Made inside a tokio runtime.
pub struct WallTimer(Option<AsyncFd<Raw>>);

impl std::fmt::Debug for WallTimer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WallTimer").finish_non_exhaustive()
    }
}

impl Default for WallTimer {
    fn default() -> Self {
        Self::new()
    }
}

impl WallTimer {
    /// One that is not set. Where the system has no such timer, an ordinary one stands in.
    pub fn new() -> Self {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_REALTIME, flags).map(Raw);
        // Deprecated since a type may lie about its descriptor. `Raw` owns the one it names and never lets go of it.
        #[expect(deprecated, reason = "its replacement is unsafe to call, and this crate has no unsafe code")]
        Self(timer.ok().and_then(|raw| AsyncFd::new(raw).ok()))
    }

    /// Returns at this time (microseconds after 1970), or earlier if the clock is set meanwhile; without a time, never.
    pub async fn until(&self, time: Option<i64>) {
        let Some(time) = time else { return std::future::pending().await };
        let since = Duration::from_micros(u64::try_from(time).unwrap_or(0));
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        // Zero would mean no timer at all.
        let at = TimeSpec::from_duration(since.max(Duration::from_nanos(1)));
        let set = self.0.as_ref().filter(|fd| fd.get_ref().0.set(Expiration::OneShot(at), flags).is_ok());
        let Some(fd) = set else {
            let left = (UNIX_EPOCH + since).duration_since(SystemTime::now()).unwrap_or_default();
            return tokio::time::sleep(left.min(AT_MOST)).await;
        };
        loop {
            let Ok(mut guard) = fd.readable().await else { return };
            let read = guard.get_inner().0.wait();
            guard.clear_ready();
            if read != Err(Errno::EAGAIN) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_goes_off_in_time_and_again() {
        let timer = WallTimer::new();
        assert!(timer.0.is_some());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64;
        for wait in [20_000, -5_000_000, 10_000] {
            let at = now() + wait;
            timer.until(Some(at)).await;
            assert!(now() >= at);
        }
        let never = timer.until(None);
        assert!(tokio::time::timeout(Duration::from_millis(20), never).await.is_err());
    }
}
