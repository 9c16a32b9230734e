"""Writes args.json: what stock makes of command line words, and of texts a minion receives."""

import json
import os

from salt.utils.args import condition_input, parse_input, parse_kwarg, yamlify_arg
from tagged import tag

WORDS = [
    "", " ", "  ", "---", "...", " --- ", "a", "1", "-1", "1.5", "1e3", "010", "0644", "0x10", "1_000", "1_0", "_1", "_", "__", "12_34 ", "yes", "no", "true", "True", "None", "none", "null",
    "~", "on", "{}", "[]", "{a: b}", "[1, 2]", "{a: {b: [c]}}", "a: b", "- a", "a:b", "a: ", "*", "*a", "&a", "!", "!a", "!!str 1", "|", ">", "|a", "#", "# a", " # a", "a # b", "a #b", "a#b", "1 # b", "[1] # b",
    "null # x", "'a # b'", "{a: '#'}", "a\tb", "a\nb", "a\r", "\t1", "2020-01-02", "2020-01-02 03:04:05", "12:30", "1:30", "[2020-01-02]", "'1'", '"1"', "'a", '"a', "{a", "[a", "{a: 1, a: 2}", "{a:1}", "{1: 2}",
    " {a: b}", " [1]", "a=b", "a=1", "a==b", "a=", "=a", "a = b", "1a=b", "_a=b", "a-b=c", "a.b=c", "a b=c", "\u00e9=x", "a=b=c", "a={b: c}", "a=[1, 2]", "a=None", "a='x'", "a=2020-01-02", "a=b\nc", "a=\n", "a=1\n",
    "a=#x", "a=b#c", "a=!", "a=yes", "a='yes'", "a=1_000", "a=010", "--a=b", "-a", "--a", "a:=b", "20261125133341123456", "20261125133341123456 ", "2026112513334112345", ".5", "1.", "{{ a }}", "{% a %}", "@", "%", "`",
    "salt://a/b", "http://a:80/b", "C:\\x", "\\", "a\\nb", ", ", ",", "a,b", "[a,b]", "{a,b}", "? a", "?", ":", "::", "a:", ":a", "-", "--", "- ", ".", "..", "!!binary aGVsbG8=", "!!python/object:os.system x", "\u4e2d", "\x01", "\x7f",
    "\xa0", "yEs", "0o17", "1,2", "+1", "0b11", ".inf", ".nan", "1e400", "123456789012345678901234567890", "_=1", "a/b=c", "a\u00b2=c", "\u00b2=c", "a\u0660=c", "x=a: b", "x=- a", "x=|", "x=  1", "x=\t1",
]
LISTS = [
    ["a", "b=1", "c"], ["a=1", "a=2"], ["20261125133341123456"], ["jid=20261125133341123456"], [], ["x=1", "y={a: b}"], ["[20261125133341123456]"], ["1", "2.0", "yes"],
]


def minion(arg):
    """The part of load_args_and_kwargs that does not look at the function."""
    args, kwargs = [], {}
    for a in arg:
        if isinstance(a, dict) and a.get("__kwarg__", False) is True:
            kwargs.update({k: v for k, v in a.items() if k != "__kwarg__"})
        else:
            kw = parse_input([a], condition=False)[1]
            if kw:
                kwargs.update(kw)
            else:
                args.append(a)
    return {"arg": tag(arg), "args": tag(args), "kwargs": tag(kwargs)}


RECEIVED = [
    ["a", "1", "b=1"], [1, {"__kwarg__": True, "x": "y=1"}, "z"], [{"__kwarg__": False, "x": 1}], [{"x": 1}], ["a=b=c"], ["a==b"], ["echo a=b"], ["A=1 B=2"], [{"__kwarg__": True, "a": 1}, "a=2"], [None, True, 1.5, ["a=b"]],
    ["x=[1, 2]", "y=None"], ["http://h/?a=b"], ["a=b\nc=d"],
]

cases = {
    "words": [{"word": w, "yamlify": tag(yamlify_arg(w)), "kwarg": tag(parse_kwarg(w)), "parsed": tag(parse_input([w]))} for w in WORDS],
    "lists": [{"words": l, "parsed": tag(parse_input(list(l)))} for l in LISTS],
    "no_parse": [{"words": ["a=1", "b=1"], "no_parse": ["a"], "parsed": tag(parse_input(["a=1", "b=1"], no_parse=["a"]))}],
    "received": [minion(a) for a in RECEIVED],
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "args.json"), "w") as out:
    json.dump(cases, out, indent=0)
    out.write("\n")
