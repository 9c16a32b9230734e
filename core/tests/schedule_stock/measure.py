"""Measures stock Salt's schedule: writes dates.json, cron.json, jobs.json and looks.json beside this file.

Usage: PYTHON-OF-A-STOCK-VIRTUALENV measure.py [dates] [cron] [jobs] [looks]   (takes about a minute)

dates: texts as dateutil's parser reads them on a fixed day. cron: the next times by croniter. jobs: definitions evaluated by
stock's own Schedule.eval once a second of a made-up clock that stands at three tenths of a second, with splay drawn as the
largest number; when they ran, to the second.
looks: the state that stock keeps of the same jobs, looked at now and then. All in UTC.
"""

import copy
import datetime
import json
import os
import pathlib
import sys
import time
import types

os.environ["TZ"] = "UTC"
time.tzset()
HERE = pathlib.Path(__file__).parent
ISO = "%Y-%m-%dT%H:%M:%S"
NOW = datetime.datetime(2026, 11, 25, 14, 30, 0)

import croniter
import dateutil.parser._parser as dateparser


class Clock(datetime.datetime):
    """A clock that is set by hand."""

    at = NOW

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(*cls.at.timetuple()[:6], cls.at.microsecond)


FAKE = types.SimpleNamespace(datetime=Clock, timedelta=datetime.timedelta, tzinfo=datetime.tzinfo)


DATES = [
    "5:00pm", "5pm", "5 pm", "17:00", "17:00:30", "17:00:30.25", "5:30 a.m.", "12am", "12pm", "0:30", "12:15 AM", "13pm",
    "Monday", "monday 5:00pm", "Wed 10am", "Tue, 9:00", "Fri 17:00", "Sunday 11:59pm", "Wednesday 14:00", "Tuesday 3:00am",
    "2026-11-25", "2026-12-01 17:00", "2026-12-01T17:00:00", "2026-12-01T17:00", "20261201", "20261201T170000",
    "202612011700", "20261201170005", "2026-12-01 17:00:00.123456", "2026/12/01", "12/25/2026", "12/25/2026 4pm",
    "25/12/2026", "25.12.2026", "1.2.2027 10:00", "12-25-2026", "12/25/26", "25/12/26 10:00", "01/02/03", "99-01-02",
    "Dec 25 2026", "December 25, 2026 5:00pm", "25 Dec 2026", "25 December", "Dec 25", "Dec 2027", "Sept 5", "Sep-05-2027",
    "5th of March 2027", "March 3rd 10:00", "Jan of 27", "Jan 1 27", "31 Jan", "2027", "12", "31", "32", "1999", "261201",
    "10h", "10h30", "10h30m", "10 h 36 m 28.5 s", "10.5h", "5m", "5 minutes", "30s", "2 hours", "10:36:28 PM", "1030",
    "2026-12-01T17:00:00Z", "2026-12-01T17:00:00+02:00", "2026-12-01 17:00 -0530", "2026-12-01 17:00 UTC",
    "2026-12-01 17:00 GMT+3", "17:00 EST", "2026-12-01 17:00 +3", "17:00 -03:00 (BRST)", "17:00Z",
    "Thu Sep 25 10:36:28 2026", "Thu, 25 Sep 2026 10:49:41 -0300", "2026-Sep-25", "Sep.20.2026", "2026.09.25 10:00",
    "tomorrow", "now", "", " ", "25:00", "10:60", "2026-13-01", "2026-02-30", "13/13/2026", "Feb 30", "foo 5pm", "5pm foo",
    "pm", "5:00pm 5", "1 2 3 4", "10:00 10:00", "nan", "Monday Tuesday", "on Monday at 5pm", "10:30am and 5", "1,000",
    "2026-11-25 5:00:00 p.m.", "7:00p", "7a", "00:00", "23:59:59", "24:00", "Mon 1 Dec 2026", "2026-W48", "0-1-1", "10 10",
    "2026 12 01", "1st", "December", "2026-12", "12-2026", "12/2026", "11/12", "5/2027", "May 5:30",
]

CRONS = [
    "* * * * *", "*/5 * * * *", "0 * * * *", "0 16 * * 1-5", "30 4 1,15 * 5", "0 0 * * 0", "0 0 * * 7", "5 4 * * sun",
    "0 22 * * 1-5", "23 0-20/2 * * *", "0 0,12 1 */2 *", "0 4 8-14 * *", "0 0 1,15 * 3", "@daily", "@hourly", "@weekly",
    "@monthly", "@yearly", "@annually", "@midnight", "@reboot", "0 0 l * *", "0 0 L * *", "0 0 * * l5", "0 0 * * 5#2",
    "0 0 * * fri#1,mon#3", "0 0 * * 1,5#2", "0 0 15w * *", "0 0 w1 * *", "0 0 29 2 *", "0 0 30 2 *", "0 0 31 * *",
    "0 0 * jan,jul mon", "0 0 * feb-apr *", "0 0 * nov-feb *", "0 0 * * fri-mon", "0 0 * * 5-7", "0 0 * * 0-7",
    "10/5 * * * *", "59/15 * * * *", "10-50/15 * * * *", "50-10/7 * * * *", "1-1 * * * *", "0 0 ? * 1", "0 0 ? * ?",
    "? * * * *", "0 0 1-31 * 1", "0 0 1-31 * *", "0 0 1 * */2", "0 0 */2 * 1", "* * * * * */15", "0 0 1 1 * 30",
    "0 0 1 1 * 0 2030", "0 0 1 1 * 0 2020", "0 0 * * * 0 2027-2028", "60 * * * *", "* 24 * * *", "0 0 0 * *", "0 0 32 * *",
    "0 0 * 13 *", "0 0 * 0 *", "0 0 * * 8", "* * * *", "* * * * * * * *", "a b c d e", "*/0 * * * *", "-5 * * * *",
    "1- * * * *", "1,2, * * * *", "", "0 0 * * mon,wed", "15,45 8-18 * * mon-fri", "0 0 13 * 5", "h * * * *", "*/70 * * * *",
    "5-3 * * * *", "0 22-2 * * *", "0 0 * * sat-sun/2", "0 0 28-2 * *", "0 0 l,15 * *", "0 0 10-l * *", "0 12 * * 1#5",
    "*/15,3 * * * *", "*,5 * * * *", "0 0 * * *,1", "JAN * * * *", "0 0 * DEC/3 *", "0 0 * 2/3 *", "1 1 1 1 1",
]

# name: (definition, seconds to watch, more of the schedule, pillar)
JOBS = {
    "seconds": ({"seconds": 10}, 60),
    "minutes_and_hours": ({"minutes": 1, "seconds": "30"}, 400),
    "run_on_start": ({"seconds": 30, "run_on_start": True}, 100),
    "run_on_start_cron": ({"cron": "*/2 * * * *", "run_on_start": True}, 400),
    "cron": ({"cron": "*/5 * * * *"}, 1000),
    "cron_splay": ({"cron": "*/5 * * * *", "splay": 20}, 1000),
    "cron_invalid": ({"cron": "nonsense"}, 100),
    "when_time": ({"when": "2:31pm"}, 3 * 86400),
    "when_weekday": ({"when": "Thursday 2:31pm"}, 9 * 86400),
    "when_list": ({"when": ["2:31pm", "2:35pm", "11/25/2026 2:33pm"]}, 2 * 86400),
    "when_past": ({"when": "2:00pm"}, 86400 + 86400),
    "when_iso": ({"when": "2026-11-25T14:32:00"}, 3600),
    "when_splay": ({"when": "2:31pm", "splay": 15}, 2 * 86400),
    "when_splay_range": ({"when": ["2:31pm", "2:40pm"], "splay": {"start": 5, "end": 40}}, 3600),
    "when_invalid": ({"when": "nonsense"}, 100),
    "when_pillar": ({"when": "tea"}, 3600, {}, {"whens": {"tea": "2:45pm"}}),
    "once": ({"once": "2026-11-25T14:31:00"}, 3600),
    "once_past": ({"once": "2026-11-25T14:20:00"}, 3600),
    "once_fmt": ({"once": "25.11.2026 14:40", "once_fmt": "%d.%m.%Y %H:%M"}, 3600),
    "once_splay": ({"once": "2026-11-25T14:31:00", "splay": 10}, 3600),
    "once_invalid": ({"once": "noon"}, 100),
    "splay": ({"seconds": 30, "splay": 7}, 300),
    "splay_dict": ({"seconds": 30, "splay": {"start": 10, "end": 20}}, 300),
    "splay_longer_than_interval": ({"seconds": 10, "splay": 35}, 300),
    "splay_global": ({"seconds": 30}, 300, {"splay": 9}),
    "range": ({"seconds": 60, "range": {"start": "2:33pm", "end": "2:40pm"}}, 3600),
    "range_invert": ({"seconds": 60, "range": {"start": "2:33pm", "end": "2:40pm", "invert": True}}, 1800),
    "range_backwards": ({"seconds": 60, "range": {"start": "2:40pm", "end": "2:33pm"}}, 600),
    "range_no_date": ({"seconds": 60, "range": {"start": "x", "end": "2:33pm"}}, 600),
    "range_daily": ({"hours": 1, "range": {"start": "8:00am", "end": "10:00am"}}, 2 * 86400),
    "range_cron": ({"cron": "*/10 * * * *", "range": {"start": "2:45pm", "end": "3:15pm"}}, 7200),
    "skip_during_range": ({"seconds": 60, "skip_during_range": {"start": "2:33pm", "end": "2:40pm"}}, 1800),
    "skip_during_range_after": (
        {"cron": "34 14 * * *", "skip_during_range": {"start": "2:33pm", "end": "2:40pm"}, "run_after_skip_range": True},
        3600,
    ),
    "skip_during_range_global": ({"seconds": 60}, 1800, {"skip_during_range": {"start": "2:33pm", "end": "2:40pm"}}),
    "skip_function": (
        {"when": "2:34pm", "skip_during_range": {"start": "2:33pm", "end": "2:40pm"}}, 3600, {"skip_function": "test.skip"},
    ),
    "skip_explicit": (
        {"seconds": 60, "skip_explicit": [{"time": "2026-11-25T14:31:00", "time_fmt": ISO}]}, 600,
    ),
    "skip_explicit_cron": (
        {"cron": "*/5 * * * *", "skip_explicit": [{"time": "2026-11-25T14:35:00", "time_fmt": ISO}]}, 1800,
    ),
    "postponed": (
        {
            "cron": "*/5 * * * *",
            "skip_explicit": [{"time": "2026-11-25T14:35:00", "time_fmt": ISO}],
            "run_explicit": [{"time": "2026-11-25T14:37:00", "time_fmt": ISO}],
        },
        1800,
    ),
    "run_explicit": ({"hours": 1, "run_explicit": [{"time": "2026-11-25T14:37:00", "time_fmt": ISO}]}, 2 * 3600),
    "until": ({"seconds": 60, "until": "2:35pm"}, 1800),
    "until_date": ({"cron": "0 * * * *", "until": "2026-11-25T18:30:00"}, 86400),
    "after": ({"seconds": 60, "after": "2:35pm"}, 1800),
    "after_until": ({"seconds": 60, "after": "2:33pm", "until": "2:36pm"}, 1800),
    "until_and_range": ({"seconds": 60, "range": {"start": "2:33pm", "end": "2:36pm"}, "until": "2:40pm"}, 1800),
    "disabled": ({"seconds": 60, "enabled": False}, 600),
    "all_disabled": ({"seconds": 60}, 600, {"enabled": False}),
    "seconds_and_cron": ({"seconds": 60, "cron": "* * * * *"}, 300),
    "when_and_cron": ({"when": "2:31pm", "cron": "* * * * *"}, 300),
    "nothing": ({}, 100),
    "zero": ({"seconds": 0}, 5),
}


dateparser.datetime = FAKE


def texts():
    for text in DATES:
        try:
            at = dateparser.parse(text)
            aware = at.tzinfo is not None
            if aware:
                at = at.astimezone(datetime.timezone.utc)
            yield [text, at.strftime("%Y-%m-%dT%H:%M:%S.%f"), aware]
        except (ValueError, OverflowError):
            yield [text, None, False]


def crons():
    for text in CRONS:
        try:
            each = croniter.croniter(text, NOW.replace(microsecond=300000))
            yield [text, [each.get_next(datetime.datetime).strftime(ISO) for _ in range(6)]]
        except (ValueError, KeyError):
            yield [text, None]


def scheduler(case):
    """A schedule of stock's, and the list that its runs are added to."""
    import salt.utils.schedule as schedule

    schedule.log.disabled = True
    schedule.random.randint = lambda low, high: high
    schedule.clean_proc_dir = lambda opts: None
    definition, span, more, pillar = (list(case) + [{}, {}])[:4]
    opts = {
        "id": "m1", "__role": "minion", "loop_interval": 1, "cachedir": "/nonexistent", "pillar": pillar, "grains": {},
        "schedule": {"job": dict({"function": "test.ping"}, **copy.deepcopy(definition)), **copy.deepcopy(more)},
    }
    this = schedule.Schedule(opts, {"test.ping": None}, returners={}, utils={}, new_instance=True)
    ran = []
    this._check_max_running = lambda func, data, opts, now: data
    this._run_job = lambda func, data, jid=None: ran.append([Clock.at.strftime(ISO), func])
    return this, opts, ran


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return value


def looks():
    """The whole state of each job after each of some looks."""
    for name, case in JOBS.items():
        this, opts, ran = scheduler(case)
        states = []
        for second in (0, 30, 31, 60, 61, 62, 180, 240, 300, 420, 600, 601, 602, 86460):
            Clock.at = NOW + datetime.timedelta(seconds=second, microseconds=300000)
            before = len(ran)
            this.eval(now=Clock.now())
            data = {k: plain(v) for k, v in opts["schedule"]["job"].items() if k not in case[0]}
            states.append([second, len(ran) > before, data])
        yield {"name": name, "states": states}


def jobs():
    for name, case in JOBS.items():
        definition, span, more, pillar = (list(case) + [{}, {}])[:4]
        this, opts, ran = scheduler(case)
        Clock.at = NOW.replace(microsecond=300000)
        # Between the times that anything can happen, the clock of long cases goes on in steps of many seconds.
        for second in range(span + 1):
            Clock.at = NOW + datetime.timedelta(seconds=second, microseconds=300000)
            if span > 7200 and not (Clock.at.minute == 0 or 30 <= Clock.at.minute <= 36):
                continue
            this.eval(now=Clock.now())
        data = opts["schedule"]["job"]
        next_time = data.get("_next_fire_time")
        yield {
            "name": name, "job": definition, "more": more, "pillar": pillar, "span": span, "ran": ran,
            "reason": data.get("_skip_reason"), "error": data.get("_error"),
            "next": next_time.strftime(ISO) if next_time else None,
        }


def lines(values):
    return "[\n" + ",\n".join(json.dumps(v) for v in values) + "\n]\n"


for name, values in (("dates", texts), ("cron", crons), ("jobs", jobs), ("looks", looks)):
    if name in (sys.argv[1:] or [name]):
        (HERE / (name + ".json")).write_text(lines(list(values())))
