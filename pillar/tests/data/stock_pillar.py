"""Compiles pillar with stock Salt: a line of JSON for each case in, a line out."""

import json
import logging
import sys

logging.disable(logging.CRITICAL)
import salt.config
import salt.loader
import salt.pillar

logging.disable(logging.CRITICAL)


def plain(value):
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, set)):
        return [plain(v) for v in value]
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return value


functions = None
for line in sys.stdin:
    case = json.loads(line)
    opts = dict(salt.config.DEFAULT_MINION_OPTS)
    opts.update(case["opts"])
    opts["grains"] = case["grains"]
    # Without it, matching by pillar ends in an UnboundLocalError.
    opts["pillar"] = {"role": "web", "k1": {"kept": [1]}}
    if functions is None:
        functions = salt.loader.minion_mods(dict(opts))
    try:
        pillar = salt.pillar.Pillar(
            opts,
            case["grains"],
            opts["id"],
            case["saltenv"],
            functions=functions,
            pillar_override=case["over"],
            pillarenv=case["pillarenv"],
        )
        out = repr(plain(pillar.compile_pillar()))
    except Exception as exc:
        out = f"{type(exc).__name__}: {exc}"
    print(json.dumps(out), flush=True)
