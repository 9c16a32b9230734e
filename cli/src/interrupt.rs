//! How a command ends when it is told to by Ctrl-C or SIGTERM: in order, with stock's words and codes.

use crate::exit::{CliError, GENERIC};
use crate::startup::Command;
use tokio::signal::unix::{SignalKind, signal};

/// What has ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// Ctrl-C.
    Int,
    /// SIGTERM.
    Term,
}

/// Listens for signals to end from now on, and gives the first. Where they cannot be listened to, they end the process as
/// ever. To be called within a runtime.
pub(crate) fn wait() -> impl Future<Output = Interrupt> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut int), Ok(mut term)) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = int.recv() => Interrupt::Int,
            _ = term.recv() => Interrupt::Term,
        }
    }
}

impl Interrupt {
    /// Tells the user, who may want to look at the job later, and gives the end of the command.
    pub(crate) fn end(self, command: &Command, jid: Option<&str>) -> CliError {
        let hard = command.on("hard_crash") || std::env::var("SALT_HARD_CRASH").is_ok_and(|v| !v.is_empty());
        match self {
            Self::Int => eprintln!("\nExiting gracefully on Ctrl-c{}", jid.map_or(String::new(), later)),
            Self::Term if hard => eprintln!("\nExiting with hard crash on Ctrl-c"),
            Self::Term => {}
        }
        CliError::Code(if hard { GENERIC } else { 0 })
    }
}

fn later(jid: &str) -> String {
    format!(
        "\nThis job's jid is: {jid}\nThe minions may not have all finished running and any remaining minions will return upon \
         completion. To look up the return data for this job later, run the following command:\n\nsalt-run \
         jobs.lookup_jid {jid}"
    )
}
