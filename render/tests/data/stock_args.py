"""Answers what stock makes of command line words: a line of JSON for each line of JSON."""

import json
import sys

import salt.utils.args as args


def tag(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return {"i": str(v)}
    if isinstance(v, float):
        return {"f": repr(v)}
    if isinstance(v, bytes):
        return {"b": v.hex()}
    if isinstance(v, dict):
        return {"m": [[tag(k), tag(x)] for k, x in v.items()]}
    if isinstance(v, (list, tuple)):
        return [tag(x) for x in v]
    return {"other": repr(v)}


for line in sys.stdin:
    question = json.loads(line)
    words = question["words"]
    answer = {
        "yamlify": [tag(args.yamlify_arg(word)) for word in words],
        "kwarg": [list(args.parse_kwarg(word)) for word in words],
        "parsed": tag(args.parse_input(list(words), no_parse=question["no_parse"])),
    }
    print(json.dumps(answer), flush=True)
