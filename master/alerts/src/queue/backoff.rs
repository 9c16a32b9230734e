//! How long whoever failed waits: twice as long each time, and never quite as long as others.

use std::time::Duration;

/// The first wait and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// After many.
    pub most: Duration,
    /// How old a notice may become, from when it was put, before it is given up.
    pub give_up: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(300),
            give_up: Duration::from_secs(86_400),
        }
    }
}

impl Backoff {
    /// The wait after so many failures: between half of the doubled time and all of it, as `chance` of 0 to 255 says.
    pub fn after(&self, failures: u32, chance: u8) -> Duration {
        let doubled =
            self.first.saturating_mul(1u32.checked_shl(failures.saturating_sub(1).min(31)).unwrap_or(1));
        let whole = doubled.min(self.most);
        whole / 2 + whole.mul_f64(f64::from(chance) / 510.0)
    }
}

/// A number from 0 to 255 that others do not have.
pub(crate) fn chance() -> u8 {
    let mut byte = [0];
    // Without randomness all wait equally long, which is no harm.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_within_its_bounds() {
        let backoff = Backoff::default();
        for failures in 1..100 {
            let whole = Duration::from_secs(1u64.checked_shl(failures - 1).unwrap_or(300).clamp(1, 300));
            assert_eq!(backoff.after(failures, 0), whole / 2, "{failures}");
            assert_eq!(backoff.after(failures, 255), whole, "{failures}");
        }
    }
}
