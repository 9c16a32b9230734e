"""What programs that other people wrote on top of Salt's own Python see of a master.

    others.py ROOT BIN CLIENTS EVENTS

ROOT is a fleet's directory, BIN the directory of the commands such programs start, CLIENTS a directory with the
programs themselves; EVENTS is yes if salt-tui is to read events. Prints one JSON object with what each of them found; nothing in it depends on the time or the job.
"""

import asyncio
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

# Salt's client says some things on the standard output.
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
root, commands, clients = (pathlib.Path(p) for p in sys.argv[1:4])
events = sys.argv[4] == "yes"
config = root / "etc/master"
# Where Salt's own client code looks when nobody names a file, as these programs do not.
os.environ["SALT_CLIENT_CONFIG"] = os.environ["SALT_MASTER_CONFIG"] = str(config)
os.environ["PYTHONPATH"] = str(clients)
sys.path.insert(0, str(clients))

HOST_TESTS = '''
def test_command(host):
    ran = host.run("echo out; echo err >&2; exit 3")
    assert (ran.rc, ran.stdout, ran.stderr) == (3, "out", "err")

def test_quoting(host):
    assert host.check_output("printf '%%s-' %s %s", "a b", "it's $HOME") == "a b-it's $HOME-"

def test_file(host):
    passwd = host.file("/etc/passwd")
    assert passwd.is_file and passwd.user == "root" and passwd.mode == 0o644 and passwd.contains("^root:x:0:0")

def test_modules(host):
    assert host.system_info.type == "linux"
    assert host.user("root").uid == 0
    assert host.package("bash").is_installed
    assert host.salt("test.echo", ["a b"]) == "a b"

def test_refused(host):
    assert not host.run("false").succeeded
'''


def testinfra():
    """Each test of a module of pytest-testinfra's, by name, on all minions its glob finds."""
    tests = root / "test_host.py"
    tests.write_text(HOST_TESTS)
    words = ["-m", "pytest", "-p", "no:cacheprovider", "-rA", "-q", "--hosts=salt://*", str(tests)]
    ran = subprocess.run([sys.executable, *words], cwd=root, capture_output=True, text=True)
    found = sorted(re.findall(r"^(PASSED|FAILED|ERROR) \S*::(\S+)", ran.stdout, re.M), key=lambda r: r[1])
    return {"code": ran.returncode, "tests": found} | ({"said": ran.stdout + ran.stderr} if ran.returncode else {})


async def tui():
    """A walk through salt-tui: its screens, the commands it starts and the events it shows."""
    from salt_tui.app import SaltTUI
    from salt_tui.config import Settings
    from salt_tui.models import CommandSpec

    wrappers = root / "wrappers"
    wrappers.mkdir(exist_ok=True)
    for name in ("salt", "salt-run", "salt-key", "salt-cp", "salt-call"):
        wrapper = wrappers / name
        wrapper.write_text(f'#!/bin/sh\nexec "{commands}/{name}" -c "{root}/etc" "$@"\n')
        wrapper.chmod(0o755)
    programs = {name.replace("-", "_"): str(wrappers / name) for name in os.listdir(wrappers)}
    shown = {}
    for backend in ("cli", "python"):
        master = config if events else root / "none"
        settings = Settings(database=root / f"{backend}.db", master_config=master, backend=backend, **programs)
        app = SaltTUI(settings)
        async with app.run_test(size=(140, 40)) as pilot:
            until = time.monotonic() + 30
            while app.capabilities is None and time.monotonic() < until:
                await pilot.pause(0.1)
            saw = shown[backend] = {"programs": sorted(k for k, there in app.capabilities.executables.items() if there)}
            saw["keys"] = await app.inspect_keys()
            saw["fingerprint"] = len(await app.key_fingerprint("m1"))
            saw["matched"] = await app.preview_target(CommandSpec(function="test.version", target="*"))
            grains = await app.inspect_minion_detail("m1", "grains")
            saw["grains"] = [grains["id"], grains["os"]]
            saw["schedule"] = await app.inspect_minion_detail("m1", "schedules")
            for name, spec in {
                "ping": CommandSpec(function="test.ping", target="m1"),
                "batch": CommandSpec(function="test.echo", arguments=["a b"], target="m*", batch="1"),
                "grain": CommandSpec(function="test.ping", target="kernel:Linux", target_type="grain"),
                "nobody": CommandSpec(function="test.ping", target="nobody", timeout=5),
                "failing": CommandSpec(function="test.retcode", arguments=["7"], target="m1"),
                "runner": CommandSpec(executable="salt-run", function="manage.up", target="local"),
            }.items():
                run = await app.execute(spec)
                saw[name] = [run.status, run.exit_code, run.parsed]
            if events:
                saw["events"] = await job_events(app, pilot, backend == "python")
            for screen in ("minions", "jobs", "history", "logs", "events", "keys", "runner", "functions"):
                app.action_show(screen)
                await pilot.pause(0.2)
            saw["screen"] = type(app.screen).__name__
    return shown


async def job_events(app, pilot, asynchronous):
    """What kinds of a job's events are shown. They are read by a thread of their own, and may be late."""
    from salt_tui.models import CommandSpec

    await app.execute(CommandSpec(function="test.ping", target="m1", async_run=asynchronous))
    kinds, until = set(), time.monotonic() + 20
    while not {"new", "ret"} <= kinds and time.monotonic() < until:
        await pilot.pause(0.1)
        kinds = {e.kind for e in app.events.recent if e.category == "job" and e.function == "test.ping"}
    return [app.events.status, sorted(k or "" for k in kinds)]


def exporter():
    """prometheus-salt-exporter's numbers of one round; stamps and Python's own aside."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--listen-addr", "127.0.0.1", "--listen-port", str(port), "--salt-target", "m1", "--batch-wait", "0"]
    start = "from prometheus_salt_exporter.main import main; main()"
    daemon = subprocess.Popen([sys.executable, "-c", start, *words], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
            except OSError:
                page = ""
            lines = sorted(line for line in page.splitlines() if line.startswith("saltstack_"))
            lines = [line for line in lines if "last_highstate" not in line]
            if lines:
                return lines
            time.sleep(0.2)
        return "no numbers"
    finally:
        daemon.terminate()
        daemon.wait()


saw = {"testinfra": testinfra(), "tui": asyncio.run(tui()), "exporter": exporter()}
answer.write(json.dumps(saw, default=str))
answer.close()
