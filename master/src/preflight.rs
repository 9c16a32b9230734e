//! What is looked at before the master serves: a file server without a single backend is a mistake in the configuration.

use brine_core::Opts;
use brine_core::text::python_str;
use brine_files::FileServer;
use brine_files::git::{self, GitFs, GitPillar};
use brine_protocol::Value;

/// Why the master does not start, in stock's words.
pub(crate) fn check(opts: &Opts, files: &FileServer) -> Result<(), String> {
    let names: Vec<String> = match opts.get("fileserver_backend") {
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(Value::Str(text)) => text.split(',').map(str::to_owned).collect(),
        None => vec!["roots".into()],
        Some(_) => Vec::new(),
    };
    if names.is_empty() {
        return Err("No fileserver backends are configured".into());
    }
    let verify = opts.get("fileserver_verify_config").is_none_or(Value::truthy);
    if verify && git::is_asked_for(opts) {
        GitFs::shared(opts).map_err(|e| e.to_string())?;
    }
    if opts.get("git_pillar_verify_config").is_none_or(Value::truthy) {
        GitPillar::check(opts)?;
    }
    // What was left out on purpose is logged, and no reason to stop.
    let left_out = names.iter().any(|name| brine_files::is_left_out(name));
    if verify && files.backends().is_empty() && !left_out {
        let names = names.join(", ");
        return Err(format!("Failed to load fileserver backends, the configured backends are: {names}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn a_master_without_files_to_serve_does_not_start() {
        let says = |names: Vec<&str>, verify: bool| {
            let opts = map! {"fileserver_backend" => names, "fileserver_verify_config" => verify};
            let opts = Opts::new(opts);
            check(&opts, &FileServer::new(&opts)).err()
        };
        assert_eq!(says(vec!["roots"], true), None);
        assert_eq!(says(vec!["x", "roots"], true), None);
        assert_eq!(says(vec!["s3fs"], true), None);
        assert_eq!(says(vec!["x"], false), None);
        let all = "Failed to load fileserver backends, the configured backends are: x, y";
        assert_eq!(says(vec!["x", "y"], true).as_deref(), Some(all));
        assert_eq!(says(vec![], false).as_deref(), Some("No fileserver backends are configured"));
    }

    #[test]
    fn repositories_that_cannot_be_used_stop_a_master() {
        let dir = tempfile::tempdir().unwrap();
        let says = |more: brine_protocol::Map| {
            let mut opts = map! {
                "fileserver_backend" => vec!["roots", "git"],
                "cachedir" => dir.path().to_string_lossy().into_owned(),
            };
            opts.update(more);
            let opts = Opts::new(opts);
            check(&opts, &FileServer::new(&opts)).err()
        };
        let remote = |own: brine_protocol::Map| map! {"https://127.0.0.1:9/x" => vec![Value::from(own)]};
        let fs = |own| map! {"gitfs_remotes" => vec![Value::from(remote(own))]};
        assert_eq!(says(fs(map! {"root" => "x"})), None);
        assert_eq!(says(fs(map! {"nope" => "x"})).as_deref(), Some("Failed to load gitfs"));
        let mut unchecked = fs(map! {"nope" => "x"});
        unchecked.insert("fileserver_verify_config", false);
        assert_eq!(says(unchecked), None);
        let pillar = |verify: bool| {
            let remotes = vec![Value::from(remote(map! {"nope" => "x"}))];
            let source = Value::from(map! {"git" => remotes});
            map! {"ext_pillar" => vec![source], "git_pillar_verify_config" => verify}
        };
        assert_eq!(says(pillar(true)).as_deref(), Some("Failed to load git_pillar"));
        assert_eq!(says(pillar(false)), None);
    }
}
