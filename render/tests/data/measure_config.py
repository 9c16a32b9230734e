"""Writes config.json: the options that stock makes of configuration files. Run with the Python of a stock Salt.

`@` stands for the directory that the files lie in.
"""

import json
import logging
import os
import shutil
import tempfile

import salt.config
from tagged import tag

logging.disable(logging.CRITICAL)

MASTER = [
    {"master": ""}, {"master": "id: m1\n"}, {"master": "id: 5\n"}, {"master": "id: m1\nroot_dir: @/root\n"}, {"master": "id: m1\nroot_dir: @/root\ncachedir: '@/root/cache'\npki_dir: pki\nlog_file: file:///dev/log\nkey_logfile: logs/key\n"},
    {"master": "id: m1\nroot_dir: @\ncachedir: /c\nsock_dir: /var/run/salt/master\n"}, {"master": "id: m1\ncachedir: /c\nsock_dir: /1234567890123\n"}, {"master": "id: m1\ncachedir: /c\nsock_dir: /12345678901\n"}, {"master": "id: m1\nroot_dir: rel/x\npki_dir: ../up/pki\n"},
    {"master": "id: m1\n", "master.d/a.conf": "timeout: 9\nnodegroups:\n  a: x\n", "master.d/b.conf": "timeout: 11\nnodegroups:\n  b: y\n", "master.d/.hidden.conf": "timeout: 1\n", "master.d/c.txt": "timeout: 2\n"}, {"master": "id: m1\ntimeout: 3\n", "master.d/a.conf": "timeout: 9\n"},
    {"master": "id: m1\ninclude:\n  - extra/*.conf\n  - one.conf\n", "extra/z.conf": "timeout: 4\ninclude: deeper.conf\n", "extra/deeper.conf": "worker_threads: 9\n", "one.conf": "timeout: 6\n"}, {"master": "id: m1\ndefault_include: other.d/*.conf\n", "other.d/a.conf": "timeout: 8\n", "master.d/a.conf": "timeout: 9\n"},
    {"master": "id: m1\nfile_roots:\n  base:\n    - @/roots\n", "master.d/a.conf": "file_roots:\n  base:\n    - @/a\n", "master.d/b.conf": "file_roots:\n  base:\n    - @/a\n    - @/b\n"}, {"master": "id: m1\nfile_roots:\n  base:\n    - @/gl*\n  dev: x\n", "gl1/x": "", "gl2/x": ""},
    {"master": "id: m1\nfile_roots: [a]\n"}, {"master": "id: m1\npillar_roots: nope\n"}, {"master": "id: m1\nopen_mode: 1\nauto_accept: 'True'\n"}, {"master": "id: m1\nopen_mode: true\nauto_accept: true\n"}, {"master": "id: m1\nhash_type: SHA512\nfileserver_backend: [roots, git, svn, hg, minion]\n"}, {"master": "id: m1\nnodegroups:\n"},
    {"master": "id: m1\nnodegroups:\n  - a: x\n  - b: [y, z]\n"}, {"master": "id: m1\nworker_threads: 1\npeer:\n  .*: [test.ping]\n"}, {"master": "id: m1\nworker_threads: 1\n"}, {"master": "id: m1\nenvironment: dev\n"}, {"master": "id: m1\nenvironment: dev\nsaltenv: qa\n"}, {"master": "id: m1\nlog_dir: @/logs\n"}, {"master": "id: m1\nlog_dir: @/logs\nlog_file: x.log\n"},
    {"master": "id: m1\nexternal_auth:\n  rest:\n    ^url: x\n"}, {"master": "id: m1\nipc_write_buffer: 100\n"}, {"master": "id: m1\nfile_ignore_glob: '*.pyc'\nfile_ignore_regex: ['a', 'b']\n"}, {"master": "id: m1\nreturn: [a, b]\n"}, {"master": "append_domain: example.com\n"}, {"master": "id: m1\nappend_domain: example.com\n"}, {"master": "id: m1\nextension_modules: ''\nutils_dirs: []\n"}, {"master": "id: m1\nextension_modules: @/ext\n"},
    {"master": "id: m1\ninterface: 127.0.0.1\npublish_port: 5505\nret_port: 5506\nuser: nobody\npublisher_acl:\n  fred: [test.*]\ntcp_keepalive: false\nmystery: 1\nmysql.host: db\n"},
]
MINION = [
    {"minion": "id: m1\n"}, {"minion": ""}, {"minion": "id: 12\nmaster: [a, b]\n"}, {"minion": "id: m1\nroot_dir: @/root\nmaster: 10.0.0.1:4506\n"}, {"minion": "id: m1\ngrains: [x]\n"}, {"minion": "id: m1\ngrains:\n  roles: [a]\n"}, {"minion": "id: m1\nappend_minionid_config_dirs: [pki_dir, cachedir, default_include, pidfile, extension_modules]\n"},
    {"minion": "id: m1\nbeacons:\n  x: []\n"}, {"minion": "append_domain: d.org\n"}, {"minion": "id: m1.d.org\nappend_domain: d.org\n"}, {"minion": "id: m1\n", "minion.d/a.conf": "schedule:\n  one: {function: test.ping}\n", "minion.d/b.conf": "schedule:\n  two: {function: test.ping}\n"}, {"minion": "id: m1\nsock_dir: /a/very/long/path/of/sockets\ncachedir: /c\n"},
    {"minion": "id: m1\nopen_mode: true\nauto_accept: 1\nhash_type: MD5\nreturn: mysql\n"}, {"minion": "id: m1\nlog_file: tcp://localhost:514\n"}, {"minion": "id: m1\nlog_level: debug\nlog_level_logfile: all\nlog_fmt_console: '%(message)s'\n"}, {"minion": "id: m1\nmaster_type: failover\nmaster_alive_interval: 30\nrandom_master: true\nmaster: salt\n"},
]


def measure(daemon, files):
    base = os.path.realpath(tempfile.mkdtemp())
    try:
        for name, text in files.items():
            path = os.path.join(base, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as out:
                out.write(text.replace("@", base))
        os.chdir(base)
        load = getattr(salt.config, f"{daemon}_config")
        opts = load(os.path.join(base, daemon))
        keep = {k: v for k, v in opts.items() if not k.startswith("__") and k not in ("user", "ssh_config_file")}
        return {"daemon": daemon, "files": files, "opts": json.loads(json.dumps(tag(plain(keep))).replace(base, "@"))}
    finally:
        shutil.rmtree(base)


def plain(value):
    from collections.abc import Mapping, Sequence

    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(v) for v in value]
    return value


def main():
    salt.config.get_id = lambda opts, cache_minion_id=False: ("host", False)
    defaults = {}
    cases = []
    for daemon, all_files in (("master", MASTER), ("minion", MINION)):
        first = measure(daemon, {daemon: "id: m1\n"})
        defaults[daemon] = first["opts"]
        base = {json.dumps(k): v for k, v in first["opts"]["m"]}
        for files in all_files:
            case = measure(daemon, files)
            # What differs from the first is enough.
            case["opts"]["m"] = [[k, v] for k, v in case["opts"]["m"] if base.get(json.dumps(k), "absent") != v]
            cases.append(case)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "config.json"), "w") as out:
        json.dump({"defaults": defaults, "cases": cases}, out, indent=None)
        out.write("\n")


if __name__ == "__main__":
    main()
