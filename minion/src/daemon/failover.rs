//! `master_type: failover`: one master at a time, the next one when it does not answer, the first one again when it is
//! back and `master_failback` asks for that.

use super::attached::Attached;
use super::state::Minion;
use super::{attach, master};
use crate::chance;
use crate::connect::link::{AuthError, Session};
use crate::connect::settings::seconds;
use brine_core::Opts;
use std::sync::Arc;
use std::time::Duration;

/// Serves one of these masters after the other, for ever.
pub(super) async fn serve(minion: Arc<Minion>, mut list: Vec<String>) {
    let opts = &minion.opts;
    let failback = opts.flag("master_failback");
    let first = list.first().cloned().unwrap_or_default();
    order(opts, &mut list, chance::shuffle);
    let mut at = 0;
    loop {
        let name = list[at % list.len()].clone();
        let next = match attach(&minion, &name) {
            Ok(attached) => use_one(&minion, attached, &first, failback).await,
            Err(e) => {
                tracing::error!("master {name}: {}", e.0);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Next::Other
            }
        };
        at = match next {
            Next::Other => at + 1,
            Next::First => list.iter().position(|m| *m == first).unwrap_or(0),
        };
    }
}

/// Puts the masters into the order in which they are tried.
fn order(opts: &Opts, list: &mut [String], shuffle: impl FnOnce(&mut [String])) {
    if opts.flag("random_master") || opts.flag("master_shuffle") {
        // The first one stays first where it is the one to come back to.
        let fixed = usize::from(opts.flag("master_failback")).min(list.len());
        shuffle(&mut list[fixed..]);
    }
}

/// Whom to try now.
enum Next {
    Other,
    First,
}

async fn use_one(minion: &Arc<Minion>, attached: Arc<Attached>, first: &str, failback: bool) -> Next {
    let name = attached.link.name().to_owned();
    let session = match sign_in(&attached).await {
        Ok(session) => session,
        Err(e) => {
            tracing::error!("master {name} cannot be used: {e}");
            tokio::time::sleep(chance::between(Duration::from_millis(100), Duration::from_secs(1))).await;
            return Next::Other;
        }
    };
    tracing::info!("using master {name}");
    minion.attached.lock().push(attached.clone());
    let next = tokio::select! {
        () = master::listen(attached.clone(), session) => Next::Other,
        () = lost(&attached) => Next::Other,
        () = back(minion, first), if failback && name != first => Next::First,
    };
    minion.attached.lock().retain(|a| !Arc::ptr_eq(a, &attached));
    minion.deliverer.master_gone(&attached.link);
    next
}

/// One attempt; a key that waits for acceptance is waited for, as in stock, unless `auth_retries` sets a bound.
async fn sign_in(attached: &Attached) -> Result<Arc<Session>, AuthError> {
    let pause = seconds(&attached.opts, "acceptance_wait_time", 10.0);
    let bound = attached.opts.int("auth_retries").filter(|n| *n > 0);
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attached.link.sign_in(0).await {
            Err(AuthError::Pending) if bound.is_none_or(|most| attempts < most) => {
                tokio::time::sleep(pause).await;
            }
            other => return other,
        }
    }
}

/// Returns when the master was not connected at two looks in a row, `master_alive_interval` apart. Without that option
/// a master is kept, as in stock.
async fn lost(attached: &Attached) {
    let interval = seconds(&attached.opts, "master_alive_interval", 0.0);
    if interval.is_zero() {
        return std::future::pending().await;
    }
    let mut missed = false;
    loop {
        tokio::time::sleep(interval).await;
        let there = attached.is_connected();
        if missed && !there {
            return;
        }
        missed = !there;
    }
}

/// Returns when the first master lets us in again.
async fn back(minion: &Arc<Minion>, first: &str) {
    let interval = ["master_failback_interval", "master_alive_interval"]
        .iter()
        .map(|name| seconds(&minion.opts, name, 0.0))
        .find(|i| !i.is_zero())
        .unwrap_or(Duration::from_secs(30));
    loop {
        tokio::time::sleep(interval).await;
        if let Ok(probe) = attach(minion, first)
            && probe.link.sign_in(0).await.is_ok()
        {
            tracing::info!("master {first} is back");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn masters_are_shuffled_where_that_is_asked_for() {
        let ordered = |opts| {
            let mut list: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
            order(&Opts::new(opts), &mut list, <[String]>::reverse);
            list.concat()
        };
        assert_eq!(ordered(map! {"random_master" => true}), "cba");
        assert_eq!(ordered(map! {"master_shuffle" => true}), "cba");
        assert_eq!(ordered(map! {"random_master" => true, "master_failback" => true}), "acb");
        assert_eq!(ordered(map! {"random_master" => false}), "abc");
    }
}
