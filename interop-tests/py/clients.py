"""What scripts on Salt's Python API get from a master: LocalClient, RunnerClient and WheelClient as root, without passwords.

Usage: clients.py <fleet directory>
Prints one JSON object: for each question the answer, or the error's class and text. Job ids and times are put out of it, so
that two masters can be compared.
"""
import json
import os
import re
import sys
import time

import salt.client
import salt.config
import salt.runner
import salt.utils.event
import salt.wheel

# Some of the clients say things on the standard output.
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

CONF = os.path.join(sys.argv[1], "etc", "master")
OPTS = salt.config.client_config(CONF)
local = salt.client.LocalClient(CONF)
runner = salt.runner.RunnerClient(OPTS)
wheel = salt.wheel.WheelClient(OPTS)
answers = {}

TIMED = re.compile(r"\d{20}|\d{4}, [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d+|\d{4}-\d\d-\d\dT[\d:.]+")


def plain(value):
    """Without what differs from one run to the next."""
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items() if k not in ("_stamp", "pid", "StartTime")}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return TIMED.sub("TIME", value) if isinstance(value, str) else value


def ask(name, call, *args, **kwargs):
    try:
        value = call(*args, **kwargs)
        if hasattr(value, "__next__"):
            value = [v for v in value if v]
        answers[name] = {"is": plain(value)}
    except BaseException as exc:  # The outcome is the error, whatever it is.
        answers[name] = {"error": type(exc).__name__, "text": plain(str(exc))}
        value = None
    return value


ask("cmd", local.cmd, "*", "test.ping", timeout=60)
ask("cmd args", local.cmd, "m1", "test.arg", [1, "a b", {"k": [None, 1.5]}], kwarg={"x": True}, timeout=60)
ask("cmd several", local.cmd, "m1", ["test.ping", "test.echo"], [[], ["x"]], timeout=60)
ask("cmd full", local.cmd, "m1", "test.retcode", [7], full_return=True, timeout=60)
ask("cmd list", local.cmd, ["m1", "m2"], "test.ping", tgt_type="list", timeout=60)
ask("cmd grain", local.cmd, "role:db", "test.ping", tgt_type="grain", timeout=60)
ask("cmd nodegroup", local.cmd, "webs", "test.ping", tgt_type="nodegroup", timeout=60)
ask("cmd nobody", local.cmd, "nobody", "test.ping", timeout=5)
ask("cmd unknown", local.cmd, "m1", "no.such", timeout=60)
ask("cmd jid", local.cmd, "m1", "test.echo", ["mine"], jid="20200101000000000001", timeout=60)
ask("cmd cli", lambda: sorted(map(json.dumps, map(plain, local.cmd_cli("m*", "test.ping", timeout=60)))))
ask("cmd iter", lambda: sorted(map(list, local.cmd_iter("*", "test.ping", timeout=60))))
ask("cmd iter no block", lambda: sorted(list(r) for r in local.cmd_iter_no_block("*", "test.ping", timeout=60) if r))
ask("cmd batch", lambda: sorted(json.dumps(r) for r in local.cmd_batch("*", "test.ping", batch="50%")))
ask("cmd subset", lambda: len(local.cmd_subset("*", "test.ping", subset=1)))
ask("cmd full return", local.cmd_full_return, "m1", "test.echo", ["x"], timeout=60)
ask("run job", local.run_job, "m*", "test.ping")
# Some seconds, so that somebody can ask for it while it runs.
jid = local.cmd_async("*", "test.sleep", [4])
ask("running", lambda: sorted(next(iter(r)) for r in runner.cmd("jobs.active", print_event=False)[str(jid)]["Running"]))
ask("find job", lambda: sorted(local.cmd("*", "saltutil.find_job", [jid], timeout=60)))
ask("get returns", local.get_returns, jid, {"m1", "m2"}, timeout=60)
ask("get full returns", local.get_full_returns, jid, {"m1", "m2"}, timeout=60)
ask("get cache returns", local.get_cache_returns, jid)
ask("event iter returns", lambda: sorted(map(str, local.get_event_iter_returns(jid, {"m1", "m2"}, timeout=2))))
ask("lookup", runner.cmd, "jobs.lookup_jid", [str(jid)], print_event=False)
ask("list job", runner.cmd, "jobs.list_job", [str(jid)], print_event=False)
ask("exit success", runner.cmd, "jobs.exit_success", [str(jid)], print_event=False)
ask("print job", runner.cmd, "jobs.print_job", [str(jid)], print_event=False)
ask("in list of jobs", lambda: runner.cmd("jobs.list_jobs", print_event=False)[str(jid)])
ask("last run", lambda: runner.cmd("jobs.last_run", kwarg={"function": "test.sleep"}, print_event=False))
for fun in ("up", "down", "status", "present", "joined", "allowed", "versions", "alived", "not_alived"):
    ask(f"manage.{fun}", runner.cmd, f"manage.{fun}", print_event=False)
ask("survey", runner.cmd, "survey.hash", ["*", "test.echo", "x"], print_event=False)
ask("cache.grains", lambda: {k: v["id"] for k, v in runner.cmd("cache.grains", print_event=False).items()})
ask("cache.mine", runner.cmd, "cache.mine", ["m1"], print_event=False)
ask("mine.get", runner.cmd, "mine.get", ["m1", "test.arg"], print_event=False)
ask("config.get", runner.cmd, "config.get", ["nodegroups"], print_event=False)
ask("salt.cmd", runner.cmd, "salt.cmd", ["test.echo", "x"], print_event=False)
ask("salt.execute", runner.cmd, "salt.execute", ["*", "test.ping"], print_event=False)
ask("no such runner", runner.cmd, "no.such", print_event=False)

bus = salt.utils.event.get_event("master", sock_dir=OPTS["sock_dir"], opts=OPTS, listen=True)
bus.get_event(wait=1, tag="until/connected")
ask("runner fires", runner.cmd, "event.send", ["my/tag", {"a": 1}], print_event=False)
ask("runner heard", lambda: bus.get_event(wait=10, tag="my/tag", full=True))
local.cmd_async("m1", "event.send", ["from/minion", {"b": [1, None]}])
ask("minion heard", lambda: (bus.get_event(wait=10, tag="from/minion") or {}).get("data"))
started = ask("runner async", lambda: sorted(runner.asynchronous("test.arg", {"fun": "test.arg", "arg": [1]})))
ask("wheel async", lambda: sorted(wheel.asynchronous("key.list_all", {"fun": "key.list_all"})))

# Without the master's own, which 3008 lists under other names than 3006.
ask("keys", lambda: {k: v for k, v in wheel.cmd("key.list_all", print_event=False).items() if k != "local"})
ask("key list", wheel.cmd, "key.list", ["accepted"], print_event=False)
ask("finger", lambda: sorted(wheel.cmd("key.finger", ["m*"], print_event=False)["minions"]))
ask("connected", lambda: sorted(wheel.cmd("minions.connected", print_event=False)))
ask("values", lambda: wheel.cmd("config.values", print_event=False)["id"])
ask("file roots", lambda: sorted(wheel.cmd("file_roots.list_roots", print_event=False)))
# A key moved by somebody else's program counts at once.
ask("reject", wheel.cmd, "key.reject", ["m2"], kwarg={"include_accepted": True}, print_event=False)
ask("rejected", lambda: wheel.cmd("key.list_all", print_event=False)["minions_rejected"])
ask("accept", wheel.cmd, "key.accept", ["m2"], kwarg={"include_rejected": True}, print_event=False)
until = time.monotonic() + 60
while time.monotonic() < until and not local.cmd("m2", "test.ping", timeout=3).get("m2"):
    time.sleep(0.2)
ask("back again", local.cmd, "m2", "test.ping", timeout=60)
answer.write(json.dumps(answers, default=str))
answer.close()
