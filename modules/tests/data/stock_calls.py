"""Calls execution functions with stock Salt: options in the first line of JSON, then a call in each line; an answer a line."""

import json
import logging
import sys

logging.disable(logging.CRITICAL)
import salt.config
import salt.loader

logging.disable(logging.CRITICAL)


def plain(value):
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update(json.loads(sys.stdin.readline()))
functions = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))
for line in sys.stdin:
    name, args, kwargs = json.loads(line)
    try:
        out = repr(plain(functions[name](*args, **kwargs)))
    except Exception as exc:
        out = f"{type(exc).__name__}: {exc}"
    print(json.dumps(out), flush=True)
