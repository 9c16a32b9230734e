//! What is read anew after a chunk: grains, pillar and modules.

use super::Runner;
use brine_core::call::Args;
use brine_core::host::Refresh;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::sync::Arc;

/// Names of files that are modules.
const MODULES: [&str; 5] = [".py", ".pyx", ".pyo", ".pyc", ".so"];

impl Runner {
    /// Reads anew what a chunk asks for, and what it may have changed.
    pub(super) fn check_refresh(&mut self, low: &Map, ret: &Map) {
        let wants = |key: &str| low.get(key).is_some_and(Value::truthy);
        let mut reload = false;
        if wants("reload_grains") {
            tracing::debug!("Refreshing grains...");
            match self.cx.host.grains() {
                Ok(grains) => self.cx.grains = Arc::new(grains),
                Err(e) => tracing::warn!("grains cannot be read anew: {e}"),
            }
            reload = true;
        }
        if wants("reload_pillar") {
            tracing::debug!("Refreshing pillar...");
            self.reload_pillar();
            reload = true;
        }
        if !ret.get("changes").is_some_and(Value::truthy) {
            if wants("force_reload_modules") {
                self.reload_modules();
            }
            return;
        }
        let text = |key: &str| low.get_str(key).unwrap_or_default();
        let changed = match (text("state"), text("fun")) {
            ("file", "managed") => MODULES.iter().any(|end| text("name").ends_with(end)),
            ("file", "recurse") | ("pkg" | "ports" | "pip", _) => true,
            ("file", "symlink") => text("name").contains("bin"),
            _ => false,
        };
        if reload || wants("reload_modules") || changed {
            self.reload_modules();
        }
    }

    fn reload_pillar(&mut self) {
        let opts = &self.cx.opts;
        let env = |key: &str| opts.get(key).filter(|env| env.truthy()).map(python_str);
        let over = self.pillar_override.clone();
        match self.cx.host.compile_pillar(env("saltenv").as_deref(), env("pillarenv").as_deref(), over) {
            Ok(pillar) => {
                self.cx.pillar = Arc::new(pillar);
                self.state_aggregate = None;
                self.conditions = None;
            }
            Err(e) => tracing::error!("pillar cannot be compiled anew: {e}"),
        }
    }

    /// What there is on this machine may be another thing now: what was asked of states is asked again, and a daemon is told.
    fn reload_modules(&mut self) {
        tracing::debug!("Refreshing modules...");
        self.reasons.clear();
        if self.cx.opts.flag("local") {
            return;
        }
        let told = self.cx.call("saltutil.refresh_modules", Args::none());
        if let Err(e) = told.or_else(|_| self.cx.host.refresh(Refresh::Modules, None).map(|()| Value::Nil)) {
            tracing::debug!("nobody reads modules anew: {e}");
        }
    }
}
