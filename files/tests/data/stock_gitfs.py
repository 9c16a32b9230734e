"""Stock's gitfs with pygit2: a line of options and questions in, a line of answers out."""
import copy
import json
import logging
import os
import shutil
import sys

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import salt.config
import salt.fileserver.gitfs as module
import salt.utils.gitfs
from salt.exceptions import FileserverConfigError

critical = []


class Keep(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.CRITICAL:
            critical.append(record.getMessage())


logging.getLogger().addHandler(Keep())
logging.getLogger().setLevel(logging.CRITICAL)


def answer(question):
    critical.clear()
    opts = copy.deepcopy(salt.config.DEFAULT_MASTER_OPTS)
    opts.update(question["opts"])
    opts["cachedir"] = question["cachedir"]
    opts["__role"] = "master"
    opts["gitfs_provider"] = "pygit2"
    opts["hash_type"] = "sha256"
    salt.utils.gitfs.GitFS.instance_map.clear()
    try:
        fs = salt.utils.gitfs.GitFS(
            opts,
            opts["gitfs_remotes"],
            per_remote_overrides=module.PER_REMOTE_OVERRIDES,
            per_remote_only=module.PER_REMOTE_ONLY,
        )
    except FileserverConfigError as exc:
        return {"error": str(exc), "detail": critical[-1] if critical else None}
    except Exception as exc:
        return {"crash": repr(exc)}
    fs.update()
    ret = {"envs": fs.envs(ignore_cache=True), "of": {}}
    for env in question["envs"]:
        load = {"saltenv": env}
        found = {}
        for path in question["paths"]:
            try:
                fnd = fs.find_file(path, env)
            except OSError:
                # Where a path of one environment is a folder of another's, stock stumbles over its own cache.
                for part in ("refs", "hash"):
                    shutil.rmtree(os.path.join(question["cachedir"], "gitfs", part), ignore_errors=True)
                fnd = fs.find_file(path, env)
            if fnd["path"]:
                with open(fnd["path"], encoding="utf-8") as fp:
                    found[path] = [fp.read(), fnd["stat"][0]]
        ret["of"][env] = {
            "files": fs.file_list(load),
            "dirs": fs.dir_list(load),
            "links": {k: v.decode() if isinstance(v, bytes) else v for k, v in fs.symlink_list(load).items()},
            "found": found,
        }
    return ret


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=out, flush=True)
