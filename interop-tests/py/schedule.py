"""Asks two minions the same of their schedules and prints what each answered.

Usage: schedule.py <fleet directory>
Prints one JSON object: `calls` is a list of [what was asked, m1's answer, m2's], `returns` what the master got of the jobs that ran
by the clock, by minion and job. Times are masked; of an exception's text only the last line is kept.
"""
import json
import os
import re
import sys
import time

import salt.client
import salt.utils.event

CLIENT = salt.client.LocalClient(os.path.join(sys.argv[1], "etc", "master"))
MINIONS = ("m1", "m2")
LATER, SOON = "2035-01-01T10:00:00", "2035-01-01T11:00:00"
PING = {"function": "test.ping", "hours": 5}

CALLS = [
    ("list", [], {}),
    ("list", [], {"show_all": True}),
    ("list", [], {"return_yaml": False}),
    ("is_enabled", [], {}),
    ("is_enabled", ["a"], {}),
    ("build_schedule_item", ["a"], PING),
    ("build_schedule_item", [""], PING),
    ("build_schedule_item", ["a"], {"seconds": 5}),
    ("build_schedule_item", ["a"], {
        "function": "test.arg", "job_args": ["x", 1], "job_kwargs": {"k": "v"}, "cron": "*/5 * * * *", "splay": {"end": 9, "start": 2},
        "maxrunning": 3, "jid_include": False, "return_job": "nocache", "metadata": {"a": 1}, "returner": "x", "enabled": False,
        "range": {"start": "8am", "end": "9am"}, "until": "12/31/2034", "after": "1/1/2030", "run_on_start": True, "once_fmt": "%Y",
        "return_config": "y", "return_kwargs": {}, "skip_during_range": {}, "offline": False, "unknown": 1,
    }),
    ("build_schedule_item", ["a"], dict(PING, when="5pm")),
    ("build_schedule_item", ["a"], dict(PING, cron="* * * * *")),
    ("build_schedule_item", ["a"], {"function": "f", "when": "5pm", "cron": "* * * * *"}),
    ("build_schedule_item", ["a"], {"function": "f", "when": ["Monday 5pm", "no time"]}),
    ("build_schedule_item", ["a"], {"function": "f", "when": 5}),
    ("build_schedule_item", ["a"], {"function": "f", "job_args": "x"}),
    ("build_schedule_item", ["a"], {"function": "f", "job_kwargs": ["x"]}),
    ("add", ["a"], dict(PING, test=True)),
    ("add", ["a"], PING),
    ("add", ["a"], PING),
    ("add", ["b"], dict(PING, when="5pm")),
    ("add", ["b"], {"function": "f", "when": "5pm", "cron": "* * * * *"}),
    ("add", ["b"], {"function": "f", "when": "no time"}),
    ("add", ["b"], {"seconds": 5}),
    ("add", ["b"], {"function": "test.arg", "job_args": ["x", {"y": [1]}], "job_kwargs": {"k": "v"}, "cron": "0 0 1 1 *", "splay": 5}),
    ("add", ["c"], dict(PING, persist=False, enabled=False)),
    ("add", ["d"], {"function": "test.ping", "once": "2035-05-05T10:00:00", "metadata": {"x": "ü"}}),
    ("list", [], {}),
    ("list", [], {"show_disabled": False}),
    ("list", [], {"where": "pillar"}),
    ("list", [], {"where": "opts", "return_yaml": False}),
    ("list", [], {"offline": True}),
    ("is_enabled", ["a"], {}),
    ("is_enabled", ["c"], {}),
    ("job_status", ["a"], {}),
    ("job_status", ["a"], {"time_fmt": "%Y"}),
    ("job_status", ["nope"], {}),
    ("show_next_fire_time", ["a"], {}),
    ("show_next_fire_time", ["d"], {}),
    ("show_next_fire_time", ["nope"], {}),
    ("show_next_fire_time", [""], {}),
    ("modify", ["a"], PING),
    ("modify", ["a"], {"hours": 6, "test": True}),
    ("modify", ["a"], {"hours": 6}),
    ("modify", ["nope"], {"hours": 6}),
    ("modify", ["a"], {"hours": 6, "when": "5pm"}),
    ("modify", ["a"], {"when": "5pm", "cron": "* * * * *"}),
    ("modify", ["a"], {"when": "no time"}),
    ("disable_job", ["a"], {"test": True}),
    ("disable_job", ["a"], {}),
    ("disable_job", ["nope"], {}),
    ("disable_job", [""], {}),
    ("run_job", ["a"], {}),
    ("run_job", ["nope"], {}),
    ("enable_job", ["a"], {}),
    ("enable_job", ["nope"], {}),
    ("disable", [], {"test": True}),
    ("disable", [], {}),
    ("is_enabled", [], {}),
    ("enable", [], {}),
    ("list", [], {"show_all": True}),
    ("postpone_job", ["a", LATER, SOON], {}),
    ("postpone_job", ["a", "nonsense", SOON], {}),
    ("postpone_job", ["a", LATER, "nonsense"], {}),
    ("postpone_job", ["a", "", SOON], {}),
    ("postpone_job", ["a", LATER, ""], {}),
    ("postpone_job", ["", LATER, SOON], {}),
    ("postpone_job", ["nope", LATER, SOON], {}),
    ("postpone_job", ["a", "01.02.2035", "02.02.2035"], {"time_fmt": "%d.%m.%Y"}),
    ("postpone_job", ["c", LATER, SOON], {}),
    ("skip_job", ["b", LATER], {}),
    ("skip_job", ["b", "nonsense"], {}),
    ("skip_job", ["b", ""], {}),
    ("skip_job", ["", LATER], {}),
    ("skip_job", ["nope", LATER], {}),
    ("job_status", ["b"], {}),
    ("save", [], {"test": True}),
    ("save", [], {}),
    ("reload", [], {}),
    ("copy", ["nope", "m9"], {}),
    ("copy", ["a", "m9"], {"test": True}),
    ("move", ["nope", "m9"], {}),
    ("move", ["a", "m9"], {"test": True}),
    ("delete", ["c"], {"test": True}),
    ("delete", ["c"], {}),
    ("delete", ["c"], {}),
    ("delete", [""], {}),
    ("purge", [], {"test": True}),
    ("add", ["e"], dict(PING, offline=True)),
    ("list", [], {"offline": True}),
    ("modify", ["e"], {"hours": 7, "offline": True}),
    ("delete", ["e"], {"offline": True}),
    ("delete", ["e"], {"offline": True}),
    ("save", [], {}),
]


def masked(value):
    if isinstance(value, dict):
        return {str(k): masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v) for v in value]
    if isinstance(value, str):
        if value.startswith("Passed invalid arguments"):
            # What follows is the function's documentation.
            value = value.splitlines()[0]
        if "Traceback" in value:
            value = value.strip().splitlines()[-1]
        return re.sub(r"\b20[234]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "TIME", value)
    return value


def ask(fun, arg, kwarg):
    got = CLIENT.cmd("m*", "schedule." + fun, arg, kwarg=kwarg, timeout=60)
    return [masked(got.get(minion)) for minion in MINIONS]


calls = [[str((fun, arg, kwarg))] + ask(fun, arg, kwarg) for fun, arg, kwarg in CALLS]
saved = [open(os.path.join(sys.argv[1], m, "minion.d", "_schedule.conf")).read() for m in MINIONS]
calls.append(["_schedule.conf"] + saved)

returns = {minion: {} for minion in MINIONS}
RUN = {
    "tick": {"function": "test.arg", "job_args": ["x"], "job_kwargs": {"k": 1}, "metadata": {"who": "me"}, "seconds": 4},
    "fails": {"function": "test.exception", "job_args": ["broken"], "seconds": 5},
    "missing": {"function": "no.such", "seconds": 6},
    "many": {"function": "test.sleep", "job_args": [60], "seconds": 3, "return_job": False},
}
with salt.utils.event.get_master_event(CLIENT.opts, CLIENT.opts["sock_dir"], listen=True) as bus:
    for name, job in RUN.items():
        calls.append(["add " + name] + ask("add", [name], job))
    until = time.time() + 90
    while time.time() < until and any(len(r) < 3 for r in returns.values()):
        event = bus.get_event(wait=5, tag="salt/job", full=True)
        data = event and event["data"]
        if data and data.get("schedule") and "/ret/" in event["tag"]:
            data = masked(data)
            for key in ("_stamp", "jid", "pid", "id", "tgt", "tok", "nonce", "ts"):
                data.pop(key, None)
            inner = data.get("return")
            if isinstance(inner, dict):
                for key in ("__pub_jid", "__pub_pid", "__pub_id"):
                    inner["kwargs"].pop(key, None)
            for metadata in (data.get("metadata"), inner["kwargs"].get("__pub_metadata") if isinstance(inner, dict) else None):
                for key in ("_TS", "_TT"):
                    if metadata:
                        metadata[key] = bool(metadata[key])
            returns[event["tag"].rsplit("/", 1)[1]][data["schedule"]] = data
# So that nothing but the long job runs any more.
for name in ("tick", "fails", "missing"):
    calls.append(["delete " + name] + ask("delete", [name], {}))
running = CLIENT.cmd("m*", "saltutil.running", timeout=60)
for minion in MINIONS:
    jobs = [job for job in running.get(minion) or [] if job.get("schedule") == "many"]
    returns[minion]["running"] = [sorted(job) for job in jobs]
calls.append(["purge"] + ask("purge", [], {}))
print(json.dumps({"calls": calls, "returns": returns}))
