"""Measures what stock Salt's execution modules return: runs every call of calls.json and writes measured.json.

Usage: PYTHON-OF-A-STOCK-VIRTUALENV measure.py   (as root, on Debian; takes some seconds)

Every call runs in one loader, in order, with the options, grains and pillar of world.json. The test beside replays
the calls on this program's modules.
"""

import json
import logging
import os
import pathlib
import re
import shutil
import sys
import tempfile
import warnings

HERE = pathlib.Path(__file__).parent


def plain(value, tmp):
    """JSON's idea of a value, with what changes from run to run masked."""
    if isinstance(value, dict):
        return {plain(str(k), tmp): 0 if k == "pid" and v else plain(v, tmp) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, tmp) for v in value]
    if isinstance(value, bytes):
        return {"__bytes__": value.hex()}
    if isinstance(value, str):
        return re.sub(r"__salt\.tmp\.\w+", "__salt.tmp.X", value.replace(tmp, "{tmp}"))
    return value


def main():
    tmp = tempfile.mkdtemp()
    os.environ.clear()
    os.environ.update({"PATH": "/usr/bin:/bin", "HOME": "/root", "SHELL": "/bin/sh", "LANG": "C.UTF-8"})
    os.chdir(tmp)
    warnings.simplefilter("ignore")
    import salt.config
    import salt.loader

    logging.disable(logging.CRITICAL)
    read = lambda name: json.loads((HERE / name).read_text().replace("{tmp}", tmp))
    world = read("world.json")
    conf = pathlib.Path(tmp, "minion")
    conf.write_text("id: m1\nroot_dir: %s/root\n" % tmp)
    for name, text in world["files"].items():
        path = pathlib.Path(tmp, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    opts = salt.config.minion_config(str(conf))
    opts.update(world["opts"])
    opts["grains"] = world["grains"]
    opts["pillar"] = world["pillar"]
    context = {}
    functions = salt.loader.minion_mods(opts, context=context)
    lines = []
    for call in read("calls.json"):
        context.pop("retcode", None)
        try:
            result = {"ret": functions[call["fun"]](*call.get("args", []), **call.get("kwargs", {}))}
            if hasattr(result["ret"], "__next__"):
                result["ret"] = list(result["ret"])
        except Exception as exc:
            result = {"error": [type(exc).__name__, str(exc)]}
        if "retcode" in context:
            result["retcode"] = context["retcode"]
        if call.get("mask") == "second":
            result["ret"] = [result["ret"][0], 0]
        if call["fun"] == "sys.argspec" and "ret" in result:
            for spec in result["ret"].values():
                spec["defaults"] = ["{shell}" if d == "/bin/sh" else d for d in spec["defaults"] or []] or None
        lines.append(json.dumps(plain(result, tmp), ensure_ascii=False))
    (HERE / "measured.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    shutil.rmtree(tmp)


if __name__ == "__main__":
    sys.exit(main())
