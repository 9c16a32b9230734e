"""What is done inside a throw-away root: a line of JSON in, a line of JSON out (see src/roots).

ask    {"do": "sh", "script": S, "dir": D}             runs a shell script
       {"do": "stock", "fun": F, "args": [..], "kwargs": {..}, "opts": {..}}      a function on stock's caller
       {"do": "ours", "program": P, "fun": F, "args": [..], "kwargs": {..}, "opts": {..}}
       {"do": "write", "files": {path: text}}
       {"do": "tree", "paths": [..]}                   every file below: kind, mode, owner, content
"""
import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import sys

CONF = "/srv/four/conf"
BASE = {
    "file_client": "local",
    "id": "four",
    "root_dir": "/srv/four/root",
    "pki_dir": "/srv/four/root/pki",
    "file_roots": {"base": ["/srv/four/states"]},
    "pillar_roots": {"base": ["/srv/four/pillar"]},
    "use_superseded": [],
    "enable_fqdns_grains": False,
    "enable_gpu_grains": False,
    "log_level": "critical",
    "state_events": False,
}


def sh(ask):
    os.makedirs(ask.get("dir", "/"), exist_ok=True)
    ran = subprocess.run(
        ["/bin/bash", "-eu", "-c", ask["script"]],
        cwd=ask.get("dir", "/"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return {"rc": ran.returncode, "out": ran.stdout.decode(errors="replace")}


def write(ask):
    for path, text in ask["files"].items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = base64.b64decode(text[7:]) if text.startswith("base64:") else text.encode()
        with open(path, "wb") as f:
            f.write(data)


def configure(opts):
    os.makedirs(CONF, exist_ok=True)
    with open(CONF + "/minion", "w", encoding="utf-8") as f:
        json.dump({**BASE, **(opts or {})}, f)


def stock(ask):
    # Stock leaves much behind in a process, so each call has one of its own; what takes long to import is there before.
    import salt.client
    import salt.config
    import salt.fileclient
    import salt.minion
    import salt.state

    configure(ask.get("opts"))
    out, back = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(out)
            null = os.open("/dev/null", os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            answer = in_stock(ask)
            with os.fdopen(back, "w") as f:
                json.dump(answer, f, default=plain)
            status = 0
        finally:
            os._exit(status)
    os.close(back)
    with os.fdopen(out) as f:
        text = f.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": "stock's process died"}


def plain(value):
    """Sets are lists for a master, too; here they have an order."""
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else repr(value)


def in_stock(ask):
    import salt.client
    import salt.config

    opts = salt.config.minion_config(CONF + "/minion")
    caller = salt.client.Caller(mopts=opts)
    try:
        ret = caller.cmd(ask["fun"], *ask.get("args", []), **ask.get("kwargs", {}))
    except Exception as e:  # pylint: disable=broad-except
        return {"error": str(e), "kind": type(e).__name__}
    rc = caller.sminion.functions.pack["__context__"].get("retcode", 0)
    return {"ret": ret, "rc": rc}


def ours(ask):
    configure(ask.get("opts"))
    words = [ask["program"], "-c", CONF, "--local", "--out=json", "--retcode-passthrough", ask["fun"]]
    words += [one if isinstance(one, str) else json.dumps(one) for one in ask.get("args", [])]
    words += [f"{k}={json.dumps(v)}" for k, v in ask.get("kwargs", {}).items()]
    ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        return {"ret": json.loads(ran.stdout)["local"], "rc": ran.returncode}
    except (ValueError, KeyError):
        error = (ran.stdout + ran.stderr).decode(errors="replace")
        # What Python raises as an exception, a program can only say.
        wrong = re.search(r"^Passed invalid arguments: (.*?)\.\n\nUsage:", error, re.M | re.S)
        if wrong:
            return {"error": wrong[1], "kind": "SaltInvocationError"}
        return {"error": error, "kind": "exit", "rc": ran.returncode}


def tree(ask):
    seen = {}

    def look(path):
        try:
            meta = os.lstat(path)
        except FileNotFoundError:
            seen[path] = "absent"
            return
        kind = stat.S_IFMT(meta.st_mode)
        line = [oct(stat.S_IMODE(meta.st_mode)), meta.st_uid, meta.st_gid]
        if kind == stat.S_IFREG:
            with open(path, "rb") as f:
                data = f.read()
            short = data.decode(errors="backslashreplace")
            line = ["file"] + line + [short if len(data) < 4096 else hashlib.sha256(data).hexdigest()]
        elif kind == stat.S_IFLNK:
            line = ["link"] + line[1:] + [os.readlink(path)]
        elif kind == stat.S_IFDIR:
            line = ["dir"] + line
            for name in sorted(os.listdir(path)):
                look(os.path.join(path, name))
        else:
            line = [oct(kind)] + line + [meta.st_rdev]
        seen[path] = line

    for path in ask["paths"]:
        look(path)
    return seen


ACTIONS = {"sh": sh, "write": write, "stock": stock, "ours": ours, "tree": tree}

for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"ok": ACTIONS[question["do"]](question)}
    except Exception as e:  # pylint: disable=broad-except
        answer = {"failed": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer, default=str), flush=True)
