"""Reads cases of text and pipeline, gives what stock makes of each: the repr of the value, or the class and text of the error."""

import io
import json
import logging
import sys

import salt.config
import salt.loader
import salt.template

logging.disable(logging.CRITICAL)
head = json.loads(sys.stdin.readline())
opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update({"file_client": "local", "grains": {}, "pillar": {}, "cachedir": head["dir"] + "/cache", "conf_file": head["dir"] + "/minion"})
opts.update(head["opts"])


def run(rend, case):
    try:
        ret = salt.template.compile_template(
            ":string:" if case.get("text") is not None else case["file"], rend, case["pipe"], None, None, sls=case.get("sls", ""), input_data=case.get("text") or "",
        )
    except BaseException as exc:  # pylint: disable=broad-except
        return f"{type(exc).__name__}: {exc}"
    return repr(ret.read()) + " read" if isinstance(ret, io.StringIO) else repr(ret)


rend = None
print("null", flush=True)
for line in sys.stdin:
    case = json.loads(line)
    if rend is None or case.get("fresh"):
        rend = salt.loader.render(opts, {})
    print(json.dumps(run(rend, case)), flush=True)
