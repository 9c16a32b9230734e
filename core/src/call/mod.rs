//! One door for calls: wire jobs, `salt-call`, states, the schedule and templates all come through
//! [`Registry::call`], so that allow lists, overrides and argument errors exist once.

mod args;
mod cx;
mod error;
mod from_value;
mod given;
mod registry;

pub use args::{Args, Bound, KwArgs, VarArgs};
pub use brine_macros::{exec, module};
pub use cx::{Cancel, CancelHook, Cx, JobContext, TrackedProcess};
pub use error::{CallError, Detailed, Result, returned};
pub use from_value::FromValue;
pub use given::{Given, given, parameter};
pub use registry::{Function, Kind, Module, Param, ParamKind, Registry};
