//! `log`: a template's messages in the log.

use crate::template::Session;
use brine_python::{Args, Obj, R, Signature, str};

macro_rules! levels {
    ($($name:ident, $text:literal => |$message:ident| $log:expr;)*) => {$(
        pub(super) fn $name(_: &Session, args: &Args) -> R {
            const SIG: Signature = Signature::new($text, 0, &["message"], 1);
            let $message = str(SIG.bind(args)?.at(0))?;
            $log;
            Ok(Obj::Bool(true))
        }
    )*};
}

levels! {
    debug, "debug" => |m| tracing::debug!("{m}");
    info, "info" => |m| tracing::info!("{m}");
    warning, "warning" => |m| tracing::warn!("{m}");
    error, "error" => |m| tracing::error!("{m}");
    critical, "critical" => |m| tracing::error!(critical = true, "{m}");
    // Where nothing was raised, Python adds that there is none.
    exception, "exception" => |m| tracing::error!("{m}\nNoneType: None");
}
