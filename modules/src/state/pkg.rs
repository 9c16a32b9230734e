//! A packed run of states, as salt-ssh makes it: low data, pillar, grains and files in one archive.

use super::tarball::unpack;
use super::{for_states, opts_of, retcode, test_value};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::host::Elsewhere;
use brine_core::{Map, Value};
use brine_files::Client;
use brine_render::json;
use brine_render::template::call_error;
use brine_states::{Runner, Semantics, in_order};
use std::path::Path;
use std::sync::Arc;

/// Bytes of a JSON file in the archive.
const LARGEST: u64 = 256 << 20;

/// What a JSON file of the archive holds, if it is there.
fn read(root: &Path, name: &str) -> Result<Option<Value>> {
    let path = root.join(name);
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_file() && meta.len() <= LARGEST => {}
        _ => return Ok(None),
    }
    let text = std::fs::read_to_string(&path)?;
    let value = json::loads(&text).and_then(|data| brine_python::to_value(&data));
    value.map(Some).map_err(call_error)
}

/// Run the states of a packed run (low data, pillar and files in one archive, made by salt-ssh). Does nothing if there is no such
/// file or its checksum is another one.
///
/// CLI Example: salt '*' state.pkg /tmp/salt_state.tgz 760a9353810e36f6d81416366fc426dc md5
#[exec]
pub(super) fn pkg(
    cx: &Cx,
    pkg_path: String,
    pkg_sum: String,
    hash_type: String,
    test: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    let kwargs = &kwargs.0;
    let mut opts = opts_of(cx, kwargs)?;
    let archive = Path::new(&pkg_path);
    let nothing = || Ok(Map::new().into());
    if !archive.is_file() {
        return nothing();
    }
    let sum = cx.call("file.get_hash", Args::positional([pkg_path.as_str(), hash_type.as_str()]))?;
    if sum != Value::from(pkg_sum) {
        return nothing();
    }
    let root = tempfile::tempdir()?;
    let root = root.path();
    if !unpack(archive, root)? {
        return nothing();
    }
    let lowstate = read(root, "lowstate.json")?.ok_or_else(|| {
        let path = root.join("lowstate.json");
        CallError::exception("FileNotFoundError", format!("[Errno 2] No such file or directory: '{}'", path.display()))
    })?;
    let Value::List(chunks) = lowstate else { return Ok(lowstate) };
    let mut low: Vec<Map> = Vec::new();
    for chunk in &chunks {
        match chunk {
            Value::Map(chunk) => low.push(chunk.clone()),
            // Faults instead of low data.
            _ => return Ok(chunks.into()),
        }
    }
    let over = match read(root, "pillar.json")? {
        Some(Value::Map(over)) => Some(over),
        _ => None,
    };
    let mut roots = Map::new();
    for entry in std::fs::read_dir(root)?.flatten().filter(|entry| entry.path().is_dir()) {
        let path = entry.path().to_string_lossy().into_owned();
        roots.insert(entry.file_name().to_string_lossy().into_owned(), vec![path]);
    }
    let test = test_value(cx, test.as_ref(), kwargs)?;
    opts.map_mut().insert("file_roots", roots);
    opts.map_mut().insert("fileserver_backend", vec!["roots"]);
    opts.map_mut().insert("test", test.clone());
    let mut around = cx.clone();
    if opts.str("file_client") == "local" {
        let files = Arc::new(Client::of_this_machine(&opts));
        around.host = Arc::new(Elsewhere { host: cx.host.clone(), files, pillar: None });
    }
    let mut run = for_states(&around, opts, over.clone())?;
    run.test = test.truthy();
    if let Some(Value::Map(grains)) = read(root, "roster_grains.json")? {
        run.grains = Arc::new(grains);
    }
    let mut runner = Runner::new(&run);
    runner.pillar_override(over);
    let low = if Semantics::of(&run.opts).is_3008() { in_order(&run, &low)? } else { Ok(low) };
    let ret: Value = match low {
        Ok(low) => runner.run(low)?.into(),
        Err(errors) => errors.into(),
    };
    retcode::set(cx, &ret, || None);
    Ok(ret)
}
