"""Chunks of low data run by stock Salt: lines of {"opts", "chunks"} in, the results out."""
import json, logging, os, sys, tempfile

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import salt.config, salt.state

logging.disable(logging.CRITICAL)
root = tempfile.mkdtemp()
base = salt.config.minion_config(None, minion_id="m1")
for key in ("root_dir", "cachedir", "extension_modules", "sock_dir", "pki_dir"):
    base[key] = os.path.join(root, key)
base.update({"id": "m1", "file_client": "local", "local": True, "saltenv": None,
             "file_roots": {"base": [root]}, "pillar_roots": {"base": [root]}, "__cli": "salt-call"})
base["grains"] = {"id": "m1", "os": "Debian", "os_family": "Debian", "kernel": "Linux"}
kept = None
for line in sys.stdin:
    question = json.loads(line)
    opts = dict(base, **question["opts"])
    opts["grains"] = dict(base["grains"], **question["grains"])
    try:
        if kept is None:
            kept = salt.state.State(opts, initial_pillar={"a": 1})
        state = kept
        # A new run with the modules of the first: they take long to load.
        state.states.opts["test"] = state.opts["test"] = opts["test"]
        state.functions.opts["test"] = opts["test"]
        state.opts["failhard"] = opts["failhard"]
        state.opts["grains"] = opts["grains"]
        state.opts["disabled_requisites"] = opts["disabled_requisites"]
        state.opts["state_aggregate"] = opts.get("state_aggregate", False)
        state.active, state.mod_init, state.pre = set(), set(), {}
        state.reset_run_num()
        state.state_con.pop("retcode", None)
        state._processed_sls_files = set(question["processed"])
        chunks = question["chunks"]
        ret = state.call_chunks(chunks)
        ret = state.call_listen(chunks, ret)
        answer = {"ret": ret}
    except Exception as e:
        answer = {"error": "{}: {}".format(type(e).__name__, e)}
    out.write(json.dumps(answer, default=str) + "\n")
    out.flush()
