"""Writes yaml.json: what stock Salt's loader makes of each document. Run with the Python of a stock Salt."""

import json
import os
import random

import salt.utils.yaml
from tagged import tag

SCALARS = """yes Yes YES yEs no on On off OFF y n true True TRUE tRue false null Null NULL nUll ~ None none
0 1 -1 +1 00 01 010 -010 +010 0644 0o644 0b101 -0b11 0x1F 0xdeadBEEF 0x 0b2 08 09 019 1_000 1__0 _1 1_ 0_1 0_ -0_
1:30 1:2:3 -1:30 1:60 01:30 12:30:45 190:20:30 1:30.5 1:2:3.25 1.5 1. .5 -.5 +.5 -1.5 1.5e3 1.5e+3 1.5E-3 1e3 1e+3
1.e+1 1_0.5_0 .inf -.inf +.inf .Inf .INF .iNF .nan .NaN .NAN -.nan 1.0.0 1.2.3 ._5 ._ . .. - -- + = << 2020-01-02
2020-1-2 2020-01-02T03:04:05Z 2020-01-02T03:04:05.123 20200102 123456789012345678901234567890
170141183460469231731687303715884105727 9223372036854775808 -9223372036854775809 1,000 1e 0x_1 0b_1
a:b a: :a @a `a %a [a [] {} {a} {a:b} [a,b] 'a' "a" 'yes' "1" !a !!str !!int ! & * | > # a#b ? ?a , ] } --- ...""".split()

DOCUMENTS = [
    "", " ", "\n", "# c", "---", "--- a", "--- a\n...\n", "a: 1\n", "a: 1\nb: 2\n", "a:\n  - 1\n  - x: y\n", "a: 1\na: 2\n",
    "1: a\n1.0: b\n", "1: a\ntrue: b\n", "yes: 1\nno: 2\n", "a: {b: c, b: d}", "? [a, b]\n: c\n", "? {a: b}\n: c\n", "[a, b]: c",
    "{a: b}: c", "? a\n: b", "null: x", "1.5: x", "~: 1\nnull: 2", "&a a: *a", "&a [1, 2, *a]", "a: &x {k: 1}\nb: *x", "a: *x",
    "a: &x 1\nb: &x 2\nc: *x", "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n", "a: &x {k: 1}\nb: &y {k: 2}\nc:\n  <<: [*x, *y]\n",
    "a: &x {k: 1}\nb: &y {l: 2}\nc:\n  <<: [*x, *y]\n  m: 3\n", "a: &x {k: 1}\nc:\n  <<: *x\n  <<: {l: 2}\n", "<<: 1", "<<: [1]",
    "<<: {a: 1}\na: 2\n", "a: <<", "'<<': 1", "=: 1", "a: =", "!!str 123", "!!int '12'", "!!int x", "!!float 1", "!!float x", "!!bool yes",
    "!!bool x", "!!null x", "!!binary aGVsbG8=", "!!binary '!'", "!!set {a, b}", "!!omap [a: 1, b: 2]", "!!pairs [a: 1, a: 2]", "!!omap {a: 1}",
    "!!omap [a]", "!!pairs [{a: 1, b: 2}]", "!!seq {a: 1}", "!!map [1]", "!!str [a]", "!!str {=: x}", "!!python/object:os.system x",
    "!!python/name:os.system", "!!python/tuple [1, 2]", "!!python/unicode x", "!custom x", "!custom [x]", "!custom {a: b}", "! 12", "! '12'", "!",
    "!!timestamp 2020-01-02", "!!timestamp x", "2020-01-02: a", "a: 2020-01-02 03:04:05", "- 010\n- 0644\n- '0644'\n", "a: 'it''s'",
    'a: "x\\ty\\x41\\u00e9\\n"', 'a: "\\q"', "a: |\n  x\n  y\n", "a: |-\n  x\n", "a: |+\n  x\n\n", "a: >\n  x\n  y\n\n  z\n", "a: >-\n  x\n  y\n",
    "a: |2\n   x\n", "a: x\n  y\n", "a: 'x\n\n  y'", "- - 1\n  - 2\n", "a:\n- 1\n- 2\n", "a: b: c", "a:\n  b: 1\n c: 2\n", "a: [1, 2", "a: {b: 1",
    "a: 'x", 'a: "x', "a\nb: c", "\ta: 1", "a:\t1", "a:\n\t- 1", "a: @b", "a: `b", "a: %b", "%YAML 1.1\n---\na: 1", "%YAML 1.2\n---\na: 1", "%YAML 2.0\n---\na",
    "%TAG ! tag:x,2020:\n---\n!foo a", "%FOO\n---\na", "a: 1\n---\nb: 2\n", "a: 1\n...\n", "- a\nb: c\n", "{% if x %}\na: 1", "{{ a }}", "a: {{ b }}",
    "a: \u00e9\u4e2d\U0001f600", "\ufeffa: 1", "a: \u0001", "a: \x7f", "a: \x85b", "a: b\u2028c", "a: !!binary |\n  aGVs\n  bG8=\n", "? a\n? b\n", "a: - b",
    "- a: 1\n  b: 2\n-\n  c: 3\n", "x: [a, [b, {c: d}], ]", "x: {a: , b: }", "x: [,]", "x: {,}", "a:b", "{a:b}", "{a: b,c: d}", "[a:b]", "['a':1]", '{"a":1}', "a: 'b' c",
    "key with space: v", "? |\n  k\n: v", "a: # c\n  b", "a: b # c", "a: b#c", "'a': 1", "\"a\": 1\n'a': 2\n", "*a", "&a", "&a b", "a: &b", "a: &b\n  c: *b\n",
    "- &a a\n- *a\n- *a\n", "a: !!str\nb: !!null", "-", "- ", "a: -", "-a", "--- |\n  x", "--- >\n x", "%", "@", "a: |x", "a: |\n\n   x\n  y", "x: 12e03", "[1, 1.0, '1', true]",
    '"a\\', '"a | b\\', "a\\", "'a\\", '"a\\q\\', '"a\\\\', "a: \"b\\",
    "a:\n  b\n c: d", "a: 1\n b: 2", "x:\n  - a\n   - b", "x: *", "x: &", "x: \"a\nb\"", "a: b\r\nc: d\r\n", "? : x", ": x", "[? a : b]", "{? a : b, ? c}", "a: [\n1,\n2\n]\n",
]


def measure(text):
    try:
        return {"text": text, "value": tag(salt.utils.yaml.safe_load(text))}
    except salt.utils.yaml.YAMLError as exc:
        return {"text": text, "error": str(exc)}
    except Exception as exc:  # what is no YAMLError
        return {"text": text, "raises": f"{type(exc).__name__}: {exc}"}


PIECES = ["a", "b", "1", " ", "  ", "\n", "\n  ", "\n- ", ": ", ":", "- ", "-", "? ", "[", "]", "{", "}", ",", ", ", "|", "|-", "|+", ">", "|2", "#", " #", "&x ", "*x", "!!str ", "!!int ", "'", '"', "\\n", "%", "@", "`", "---", "...", "\n---\n", "<<: ", "~", "yes", "0", "\t", "\r\n", "\u00e9", "=", "''"]


def noise(seed, count):
    """Documents that nobody would write."""
    rnd = random.Random(seed)
    return ["".join(rnd.choice(PIECES) for _ in range(rnd.randint(1, 12))) for _ in range(count)]


def main():
    cases = [measure(t) for t in SCALARS + DOCUMENTS + noise(7, 600)]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "yaml.json"), "w") as out:
        json.dump(cases, out, indent=0)
        out.write("\n")


if __name__ == "__main__":
    main()
