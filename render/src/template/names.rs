//! `tplfile`, `slspath` and their kin: where an SLS or a template stands in its tree.

/// Stock's `generate_sls_context`. `tmplpath` is where the file lies on this machine, `sls` its name in the tree or empty text.
pub fn sls_context(tmplpath: Option<&str>, sls: &str) -> Vec<(&'static str, String)> {
    let mut slspath = sls.replace('.', "/");
    let mut out = Vec::with_capacity(8);
    if let Some(path) = tmplpath.filter(|p| !p.is_empty()) {
        let posix = posix(path);
        let template = if sls.is_empty() {
            posix.rsplit('/').next().unwrap_or("").to_owned()
        } else if posix.ends_with(&format!("{slspath}.sls")) {
            tail(&posix, 4 + slspath.chars().count())
        } else if posix.ends_with(&format!("{slspath}/init.sls")) {
            tail(&posix, 9 + slspath.chars().count())
        } else {
            tracing::warn!("Failed to determine proper template path");
            posix
        };
        slspath = template.rsplit_once('/').map_or(String::new(), |(dir, _)| dir.to_owned());
        out.push(("tplpath", path.to_owned()));
        out.push(("tplfile", template));
        out.push(("tpldir", if slspath.is_empty() { ".".into() } else { slspath.clone() }));
        out.push(("tpldot", slspath.replace('/', ".")));
    }
    out.push(("slsdotpath", slspath.replace('/', ".")));
    out.push(("slscolonpath", slspath.replace('/', ":")));
    out.push(("sls_path", slspath.replace('/', "_")));
    out.push(("slspath", slspath));
    out
}

/// The last characters of a text.
fn tail(text: &str, chars: usize) -> String {
    let skip = text.chars().count().saturating_sub(chars);
    text.chars().skip(skip).collect()
}

/// `Path(path).as_posix()`: no empty parts, no `.`, no slash at the end.
fn posix(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let joined = parts.join("/");
    if path.starts_with('/') {
        format!("/{joined}")
    } else if joined.is_empty() {
        ".".into()
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(tmplpath: Option<&str>, sls: &str, name: &str) -> Option<String> {
        sls_context(tmplpath, sls).into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    #[test]
    fn an_sls_knows_where_it_stands() {
        let init = Some("/srv/salt/web/apache/init.sls");
        assert_eq!(get(init, "web.apache", "tplfile").as_deref(), Some("web/apache/init.sls"));
        assert_eq!(get(init, "web.apache", "tpldir").as_deref(), Some("web/apache"));
        assert_eq!(get(init, "web.apache", "tpldot").as_deref(), Some("web.apache"));
        assert_eq!(get(Some("/srv/salt/web/vhost.sls"), "web.vhost", "slspath").as_deref(), Some("web"));
        assert_eq!(get(Some("/srv/salt/top.sls"), "top", "tpldir").as_deref(), Some("."));
        assert_eq!(get(None, "a.b", "slscolonpath").as_deref(), Some("a:b"));
        assert_eq!(get(Some("/tmp/x/y.tmpl"), "", "tplfile").as_deref(), Some("y.tmpl"));
    }
}
