"""The stock side of `pillar/examples/pillars.rs`, for a sample of the minions: ROOT CHANGED SAMPLE."""

import json
import logging
import sys
import time

logging.disable(logging.CRITICAL)
import salt.config
import salt.pillar

logging.disable(logging.CRITICAL)

root, changed, sample = sys.argv[1], sys.argv[2], int(sys.argv[3])


def grains(n):
    return {"id": f"minion-{n}", "role": f"role{n % 6}", "os": f"os{n % 3}", "dc": f"dc{n % 5}", "num": n}


def compile(n):
    opts = dict(salt.config.DEFAULT_MASTER_OPTS)
    opts.update(
        {
            "pillar_roots": {"base": [root]},
            "cachedir": root + "-cache",
            "extension_modules": root + "-ext",
            "__role": "master",
            "id": "master",
        }
    )
    return salt.pillar.Pillar(opts, grains(n), f"minion-{n}", "base").compile_pillar()


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def measure():
    start = time.perf_counter()
    for n in range(sample):
        assert "_errors" not in compile(n)
    return (time.perf_counter() - start) * 1e3 / sample


compile(0)
cold = measure()
with open(changed, "a") as file:
    file.write("added: 1\n")
after = measure()
print(json.dumps({"each": cold, "changed": after, "pillars": [repr(plain(compile(n))) for n in range(sample)]}))
