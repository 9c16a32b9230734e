"""Writes out.json: what stock's outputters print. Run with the Python of a stock Salt."""

import copy
import json
import logging
import os
import random

import salt.config
import salt.loader
import salt.output
from tagged import tag

logging.disable(logging.CRITICAL)
LONG = "The quick brown fox jumps over the lazy dog, and then again, and again until the line is far too long for a terminal."
DATA = [
    True, None, 1, 1.5, "text", "", "two\nlines", [], {}, ["a"], {"a": "b"}, {"local": True}, {"m1": "a\nb\n", "m2": ["x", "y"]}, {"m1": {"b": 1, "a": [1, 2, {"x": "y"}]}}, {"local": {"list": ["Hello", "World"], "bar": "baz", "dictionary": {"abc": 123, "def": 456}}},
    {"m": [[1, [2, 3]], {"a": {"b": []}}, None]}, {"m": {1: "a", 2: "b", 10: "c"}}, {"m": {1: "a", "b": 2, None: 3}}, {"m": {True: 1, 0: 2, 1.5: 3}}, {"m": {None: 1}}, {"m": "\x1b[31mred\x1b[0m"}, {"m": b"bytes"}, {"m": b"\xff\xfe binary, long enough to be wrapped by pprint \x00\x01" * 3}, {"m": "\u00e9\u4e2d\U0001f600"}, {"m": "tab\there"}, {"m": "a\r\nb\x0bc\x0cd\u2028e\x85f"},
    {"m": LONG}, {"m": LONG + "\n" + LONG}, LONG, [LONG, LONG], {"m": {"key": LONG, "other": [LONG, "short"]}}, {"m": list(range(60))}, {"m": {f"key{i}": f"value {i}" for i in range(12)}}, {"minion" * 5: {"a" * 30: {"b" * 30: "c" * 40}}}, {"m": "it's"}, {"m": 'say "hi"'}, {"m": "back\\slash"}, {"m": "'both\" "}, {"m": "trailing \n\n"}, {"m": "  leading"}, {"m": ["yes", "no", "1", "1.5", "null", "~", "", " ", "2020-01-02", "on", "0x1", "=", "<<", "!", "&", "*a"]},
    {"m": ["a: b", "- a", "# c", "a #b", "a:b", "{a}", "[a]", "'q'", '"q"', "%a", "@a", "`a", "|", ">", "?", ":", "-", "a\nb", "a\n", "\na", "a\tb", "\x07", "\u00e9", " a ", "a\\", "multi\n  line\n", LONG * 2]}, {"m": [float("inf"), float("-inf"), float("nan"), 1e20, 1e-7, 0.1, 100.0, -0.0, 123456789.123]}, {"m": 2**70}, {"a": {"b": {"c": {"d": {}}}}},
    {"m": [[], {}, [[]], [{}]]}, {"m": [{"a": 1, "b": [1, 2]}, {"c": {}}]}, {"m": {"": ""}}, {"m": {"a b": 1, "a:b": 2, "yes": 3, "1": 4}}, {"minions": ["b", "a"], "minions_pre": [], "minions_denied": ["x"], "minions_rejected": ["r"]}, {"local": ["master.pem", "master.pub"], "minions": ["a"]}, {"minions": {"a": "aa:bb", "b": "cc:dd"}}, {"minions_pre": ["e\x1bvil"]}, {"unknown": ["a"]},
    {"m1": "Minion did not return. [No response]"}, {"b": {"c": "x"}, "a": "y"}, ["x", ["y", ["z"]]], {"m": [1, "two", 3.0, True, None]}, {"m": "x" * 200}, {"m": ["x" * 90, "y"]}, {"m1": 8, "m2": 10}, {"m": {"ret": {"a": "x y " * 30}}}, {"m": {"k" * 85: {}}}, {"m": "\x00\x01\x7f"}, {"m": "a" * 79}, "a" * 79, "word " * 30, {"m": {"x": ("a " * 38) + "\n" + ("b" * 70)}},
]
OPTS = [
    {}, {"color": True}, {"output_indent": 2}, {"output_indent": -1}, {"output_indent": 0}, {"output_indent": "pretty"}, {"output_indent": None}, {"strip_colors": False}, {"nested_indent": 4, "color": True}, {"__multi_key": True, "color": True}, {"output_indent": 4},
    {"state_verbose": True, "state_output_profile": True}, {"state_verbose": True, "color": True}, {"state_output": "terse"}, {"state_verbose": True, "state_output": "mixed_id", "state_tabular": True, "state_output_profile": True},
    {"state_verbose": True, "state_output": "changes", "state_output_pct": True}, {"state_verbose": True, "state_compress_ids": True, "state_output": "terse_id"}, {"state_output": "filter", "state_output_exclude": "True,", "state_output_terse": "False,None"},
    {"out.table.justify": "left", "out.table.delim": "  ", "out.table.prefix": "", "out.table.suffix": "", "out.table.separate_rows": False}, {"out.table.rows_key": "rows", "out.table.labels_key": "labels", "color": True},
]
STATE = {"comment": "File /etc/motd is in the correct state", "name": "/etc/motd", "start_time": "10:15:02.441123", "result": True, "duration": 12.441, "__run_num__": 0, "changes": {}, "__id__": "motd", "__sls__": "core"}
RUN = {
    "file_|-motd_|-/etc/motd_|-managed": STATE,
    "pkg_|-vim_|-vim_|-installed": {**STATE, "name": "vim", "__id__": "vim", "__run_num__": 2, "changes": {"vim": {"old": "", "new": "2:9.0"}}, "comment": "The following packages were installed/updated: vim"},
    "cmd_|-check_|-false_|-run": {**STATE, "name": "false", "__id__": "check", "__run_num__": 1, "result": False, "changes": {"pid": 7, "retcode": 1, "stdout": "", "stderr": "a\nb"}, "comment": "Command \"false\" run\nfailed"},
    "file_|-log_|-/var/log/a_|-absent": {**STATE, "name": "/var/log/a", "__id__": "log", "__run_num__": 3, "result": None, "comment": "File /var/log/a is set for removal", "warnings": ["'old' is deprecated, use 'new' instead; this warning is long enough to be broken", "well-known"]},
    "file_|-log_|-/var/log/b_|-absent": {**STATE, "name": "/var/log/b", "__id__": "log", "__run_num__": 4, "result": None, "comment": "File /var/log/b is set for removal", "duration": 1201.2},
}
STATES = [
    {"minion": RUN}, {"m1": ["Rendering SLS 'base:core' failed: Jinja variable 'x' is undefined", "No matching sls found"], "m2": "text"}, {"minion": {}},
    {"master_master": {"salt_|-one_|-state.sls_|-state": {**STATE, "name": "state.sls", "changes": {"out": "highstate", "ret": {"minion": RUN}}}, "salt_|-two_|-run_|-state": {**STATE, "changes": {"out": "highstate", "ret": {"minion": RUN}}}}, "retcode": 0},
]
TABLES = [
    {"sw1": {"result": True, "comment": "", "out": [{"interface": "ae1.900", "mac": "40:A6:77:5A:50:01", "is_static": False}, {"interface": "ae1.111", "mac": "64:16:8D:32:26:58", "is_static": True}]}},
    {"m": ["one", "two words", LONG]}, {"m": [["a", "b"], ["c"]]}, {"m": [1, 2]}, {"m": {"labels": {"b": "Beta", "a": "Alpha"}, "rows": [["x", "y"], ["z", ""]]}},
]
OTHER = {"highstate": (STATES, range(11, 18)), "table": (TABLES, (0, 1, 18, 19)), "profile": (STATES[:1] + STATES[2:3], (0, 18)), "overstatestage": ([[{"one": {"match": ["a"], "sls": ["b"]}}], [], {}], (0, 1))}
OUTS = {"nested": (0, 1, 7, 8), "json": (0, 2, 3, 4, 5, 6), "yaml": (0, 2, 3, 4, 5, 10), "txt": (0,), "raw": (0,), "pprint": (0, 2, 4, 5), "key": (0, 1, 7, 9), "quiet": (0,), "no_return": (0, 1), "newline_values_only": (0,), None: (0,)}


def noise(seed, count):
    """Nested data of all kinds."""
    rnd = random.Random(seed)
    leaf = lambda: rnd.choice([1, -3, 2.5, True, None, "a", "yes", "some words here", LONG[: rnd.randint(1, 110)], "l1\nl2\n", "x: y", "", "\u00e9", b"\x00raw"])

    def make(depth):
        kind = rnd.random()
        if depth == 0 or kind < 0.3:
            return leaf()
        if kind < 0.6:
            return [make(depth - 1) for _ in range(rnd.randint(0, 5))]
        return {rnd.choice(["k", "key", "a long key with words", "id", "9", "\u00fc"]) + str(i): make(depth - 1) for i in range(rnd.randint(0, 5))}

    return [{"minion": make(4)} for _ in range(count)]


def main():
    base = {"extension_modules": "", "transport": "zeromq", "optimization_order": [0, 1, 2], "cachedir": "/nonexistent", "color": False}
    cases = []
    for out, numbers in OUTS.items():
        for number in numbers:
            for retcode in (0, 1) if out == "nested" and number < 2 else (0,):
                opts = {**base, **OPTS[number]}
                for data in DATA + (noise(3, 15) if number == 0 else []):
                    kwargs = {"_retcode": retcode} if retcode else {}
                    text = salt.output.out_format(data, out, dict(opts), **kwargs)
                    cases.append([out, number, retcode, tag(data), text])
    for out, (pages, numbers) in OTHER.items():
        for number in numbers:
            for data in pages:
                asked = tag(data)
                # A highstate is changed while it is printed.
                text = salt.output.out_format(copy.deepcopy(data), out, {**base, **OPTS[number]})
                cases.append([out, number, 0, asked, text])
    result = {"opts": [tag(o)["m"] for o in OPTS], "cases": cases}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "out.json"), "w") as out:
        json.dump(result, out)
        out.write("\n")


if __name__ == "__main__":
    main()
