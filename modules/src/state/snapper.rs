//! Snapshots around a run (`snapper_states`). They are made by the program `snapper`, where stock asks its service; a run goes
//! on without them.

use brine_core::call::{Args, Cx};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// The number of the snapshot before a run.
pub(super) struct Before(Option<String>);

/// Makes the snapshot before a run that is to change something.
pub(super) fn before(cx: &Cx, jid: &str) -> Before {
    if cx.test || !cx.opts.flag("snapper_states") {
        return Before(None);
    }
    Before(create(cx, jid, &["pre", "--print-number"]))
}

impl Before {
    /// Makes the one after it.
    pub(super) fn after(self, cx: &Cx, jid: &str) {
        if let Some(number) = self.0 {
            create(cx, jid, &["post", "--pre-number", &number]);
        }
    }
}

/// Makes a snapshot; its number, if it says it.
fn create(cx: &Cx, jid: &str, kind: &[&str]) -> Option<String> {
    let jid = if jid.is_empty() { "called localy" } else { jid };
    let config = cx.opts.get("snapper_states_config").map_or("root".into(), python_str);
    let mut argv = vec!["snapper", "--config", &config, "create", "--type"];
    argv.extend(kind);
    let (description, data) = (format!("Salt State run for jid {jid}"), format!("salt_jid={jid}"));
    argv.extend(["--cleanup-algorithm", "number", "--description", &description, "--userdata", &data]);
    let argv: Value = argv.into_iter().collect();
    let args = Args::positional([argv]).with("python_shell", false).with("ignore_retcode", true);
    let made = cx.call("cmd.run_all", args);
    let of = |key: &str| made.as_ref().ok().and_then(Value::as_map).and_then(|made: &Map| made.get(key)).cloned();
    if of("retcode") != Some(Value::Int(0)) {
        tracing::error!("Failed to create snapper pre snapshot for jid: {jid}");
        return None;
    }
    of("stdout").map(|number| python_str(&number).trim().to_owned()).filter(|number| !number.is_empty())
}
