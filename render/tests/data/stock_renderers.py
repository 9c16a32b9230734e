"""Reads cases of text and pipeline, gives what stock makes of each: the repr of the value, or the class and text of the error."""

import collections
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


def plain(value):
    """Without the types of yamlex, which show themselves in other ways."""
    if type(value).__name__ in ("SLSMap", "AggregatedMap"):
        return collections.OrderedDict((plain(k), plain(v)) for k, v in value.items())
    if type(value).__name__ in ("AggregatedSequence",):
        return [plain(v) for v in value]
    if type(value).__name__ == "SLSString":
        return str.__str__(value)
    if type(value) is list:
        return [plain(v) for v in value]
    return value


def run(rend, case):
    try:
        ret = salt.template.compile_template(
            ":string:" if case.get("text") is not None else case["file"], rend, case["pipe"], None, None, sls=case.get("sls", ""), input_data=case.get("text") or "",
        )
    except BaseException as exc:  # pylint: disable=broad-except
        return f"{type(exc).__name__}: {exc}"
    return repr(ret.read()) + " read" if isinstance(ret, io.StringIO) else repr(plain(ret))


rend = None
print("null", flush=True)
for line in sys.stdin:
    case = json.loads(line)
    if rend is None or case.get("fresh"):
        rend = salt.loader.render(opts, {})
    print(json.dumps(run(rend, case)), flush=True)
