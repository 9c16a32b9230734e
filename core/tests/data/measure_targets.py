"""Writes targets.json: what stock's matchers answer. Run with the Python of a stock Salt; works in a temporary directory."""

import fnmatch
import json
import logging
import os
import re
import sys
import tempfile

import salt.cache
import salt.config
import salt.loader
import salt.utils.jid
import salt.utils.minions
import salt.utils.stringutils

logging.disable(logging.CRITICAL)

GRAINS = {
    "os": "Debian", "os_family": "Debian", "osrelease": "12.5", "num_cpus": 4, "virtual": "kvm", "ipv4": ["127.0.0.1", "10.1.2.3"], "ipv6": ["::1", "fe80::5054:ff:fe12:3456"],
    "ip_interfaces": {"eth0": ["10.1.2.3", "fe80::1"], "lo": ["127.0.0.1"]}, "roles": ["web", "db:main", "Cache"], "disks": [{"name": "sda", "size": 10}, {"name": "sdb", "parts": ["p1", "p2"]}],
    "deep": {"a": {"b": {"c": "d", "x:y": "z"}}, "n": {1: "one", 2.5: "twohalf", True: "yes"}}, "path": "/srv/salt:x", "empty": {}, "none": None, "flag": True, "off": False, "list": [], "colon": "a:b:c", "star": {"*": 1}, "id": "web1.example.com", "fqdn": "web1.example.com", "uni": "\u00c9t\u00e9",
}
PILLAR = {"role": "front", "users": {"joe": {"uid": 1000, "shell": "/bin/bash"}, "ann": {"uid": 1001}}, "envs": ["prod", "qa"], "ver": "1.2.3", "a": {"b": "Prod-1"}, "n": 7, "t": True}
NODEGROUPS = {
    "web": "web*", "mix": "G@os:Debian and web1*", "names": "web1.example.com db1", "single": "web1.example.com", "lst": ["web1.example.com", "db1"], "cl": ["G@os:Debian", "and", "not", "db*"], "nest": "N@mix and not N@dbs", "dbs": "db*", "cyc1": "N@cyc2 or web*",
    "cyc2": "N@cyc1", "self": "N@self", "rex": "(web1|db1).*", "unk": "N@nope", "unk2": "N@nope or web*", "empty": "", "ints": [1, 2], "bad": 5, "nested_names": "N@names or N@single", "deep": "( N@nest ) or N@dbs", "nest_rex": "N@rex", "brackets": "web[1-3].example.com",
}
ID = "web1.example.com"

GLOB = ["*", "web*", "web1.example.com", "WEB1*", "web?.example.com", "web[0-9].*", "web[!0-9].*", "web[^0-9]*", "*.example.*", "", "web", "[w]eb1*", "[", "[]", "web1.example.com\n", 5, None, ["web1.example.com"], "we[b-a]1*", "*[.]com", "w[!a-z]*", "web[-1]*", "web[1-]*", "*e*e*m", "web[]1]*"]
PCRE = ["web", "web1", "eb1", "^web1\\.example\\.com$", "web1.example.com\\Z", ".*com$", "(?i)WEB1", "web(?=1)", "web(?!1)", "(?P<a>w)eb", "[", "(", "web[\\d]", "web[[:digit:]]", "w{1}", "w{,1}eb", "", "|x", "\\bweb1\\b", "(?x) web 1 # c", "web1|db", "(w)(e)b1.*\\2", "(?<=w)eb", "a**", "\\h", "(?<n>w)", "w(?i)EB", "(?s).", "[^\\W\\d]", "web\\d{1,2}?", "w(?#c)eb", "w\\x65b", "(?a)\\w", 5, None]
LIST = ["web1.example.com", "web1.example.com,db1", "db1,web1.example.com", "a,web1.example.com,b", "db1", "web1", "", ",web1.example.com", "web1.example.com,", " web1.example.com", "a, web1.example.com", ["web1.example.com", "x"], ["x"], [], 5, None, {"web1.example.com": 1}]
GRAIN = [
    "os:Debian", "os:debian", "os:Deb*", "OS:Debian", "os", "os:", ":Debian", "os:*", "nope:*", "nope:x", "num_cpus:4", "num_cpus:?", "osrelease:12.*", "osrelease:12.5", "roles:web", "roles:WEB", "roles:db:main", "roles:cache", "roles:*", "roles:x", "roles:0:web", "roles:1:db:main", "roles:0", "roles:-1:cache", "roles:9:x",
    "ip_interfaces:eth0", "ip_interfaces:eth0:10.1.2.3", "ip_interfaces:eth0:10.*", "ip_interfaces:*:10.1.2.3", "ip_interfaces:*:127.0.0.1", "ip_interfaces:eth0:fe80::1", "ip_interfaces:e*", "*:Debian", "*:eth0", "*:*", "*:web", "*:nope", "disks:name:sda", "disks:name:sd?", "disks:size:10", "disks:0:name:sda", "disks:1:parts:p2", "disks:parts:p1",
    "disks:sdb", "deep:a:b:c:d", "deep:a:b:c", "deep:a:b", "deep:a:*", "deep:a:*:c", "deep:*:b:c:d", "deep:*:*:c:d", "deep:a:b:x:y:z", "deep:a:b:x:y", "deep:n:1:one", "deep:n:2.5:twohalf", "deep:n:true:yes", "deep:n:True:yes", "deep:n:1", "path:/srv/salt:x", "path:/srv/*", "empty:*", "empty:x", "none:*", "none:None", "none:none", "flag:True", "flag:true", "off:false", "list:*", "list:x", "colon:a:b:c", "colon:a:*",
    "star:*", "star:*:1", "uni:\u00e9t\u00e9", "uni:\u00c9*", "os:[Dd]ebian", "ipv4:10.1.2.3", "ipv6:::1", "ipv6:fe80:*", "a:b:c:d:e:f:g:h", "*:*:*:*", "deep:*:c", "deep:b", "roles: web", "num_cpus:04",
]
GRAIN_DELIM = [["os|Debian", "|"], ["roles|db:main", "|"], ["deep|a|b|c|d", "|"], ["deep|a|b:c", "|"], ["deep|*|b", "|"], ["os:Debian", "|"], ["path|/srv/salt:x", "|"], ["ip_interfaces|*|10.1.2.3", "|"], ["ip_interfaces|*:10.1.2.3", "|"], ["deep::a::b::c::d", "::"], ["os:Debian", "::"]]
GRAIN_PCRE = ["os:Deb", "os:deb.*", "os:(Debian|Ubuntu)", "os:\\S+", "os:\\D+$", "os:[", "roles:we.$", "num_cpus:[0-9]", "num_cpus:\\d", "deep:a:b:c:[a-z]", "deep:.*:b", "ip_interfaces:e.*0", "os:^debian$", "os:debia", "os:ebian", "os:(?i)DEBIAN", "nope:.*", "os:(?=debian).*", "*:^debian$", "deep:a:b:(c|x)", "osrelease:12\\.5", "uni:\u00e9.*"]
PILLAR_T = ["role:front", "role:f*", "users:joe:uid:1000", "users:*:uid:1001", "users:joe", "users:joe:shell:/bin/*", "envs:prod", "envs:p*", "ver:1.2.3", "a:b:prod-1", "n:7", "t:true", "role:FRONT", "nope:x"]
IPCIDR = ["10.1.2.3", "10.1.2.4", "10.0.0.0/8", "10.1.2.3/8", "192.168.0.0/16", "::1", "fe80::/10", "fe80::/64", "10.1.2.0/255.255.255.0", "10.1.0.0/0.0.255.255", "x", "", "10.1.2", "10.1.2.3/32", "0.0.0.0/0", "::/0", "010.1.2.3", "10.0.0.0/33", "fe80::5054:ff:fe12:3456", "FE80::5054:FF:FE12:3456", "127.0.0.0/8"]
COMPOUND = [
    "web*", "G@os:Debian", "G@os:Debian and web*", "G@os:Debian and db*", "G@os:Debian or db*", "not db*", "not web*", "not G@os:Debian", "web* and not G@os:Ubuntu", "web* not G@os:Ubuntu", "G@os:Debian not db*", "( web* )", "(web*)", "( web* or db* ) and G@os:Debian", "web* and ( G@os:Ubuntu or G@os:Debian )", "not ( web* and G@os:Debian )", "not not web*", "and web*", "or web*", "( and web* )",
    "web* and", "web* or", "web* web*", "web* and or db*", "", "  ", "( web*", "web* )", ") web* (", "( )", "E@web1.*", "E@^web\\d", "E@[", "E@[ or web*", "L@web1.example.com,db1", "L@db1", "not L@db1", "S@10.0.0.0/8", "S@10.1.2.3", "S@bad", "not S@bad", "S@192.168.0.0/16", "I@role:front", "I@users:joe:uid:1000", "J@role:fr.nt", "J@ver:1\\.2\\..*", "P@os:(Debian|X)", "P@os:[",
    "G|@os|Debian", "G|@deep|a|b|c|d", "I|@role|front", "J|@role|fr.nt", "P/@os/Deb.*", "G@@os@Debian", "N@web", "N@mix", "N@nest", "N@names", "N@lst", "N@cl", "N@nope", "N@nope or web*", "web* and N@nope", "N@cyc1", "N@cyc2", "N@self", "N@rex", "N@unk", "N@unk2", "N@empty", "N@bad", "N@nested_names", "N@deep", "N@nest_rex", "N@brackets", "not N@dbs", "N@web and G@os:Debian", "R@%range", "X@foo", "Z@web*", "G@", "E@",
    "web* and G@os:Debian or db* and G@os:X", "db* or web* and G@os:X", "db* and web* or web*", "not db* and not G@os:X", "not web* or web*", "G@os:Debian and not ( db* or mail* )", "web1.example.com", "True", "False", "None", "1", "AND web*", "web* AND db*", "( ( web* ) )", "not ( not web* )", "web* and not not web*", "web* not", "not", "(", "L@web1.example.com, and web*", "web*\tand\nG@os:Debian", "G@roles:web", "G@roles:*", "L@web1.example.com and not L@zzz", "L@zzz or L@web1.example.com",
]
COMPOUND_LISTS = [["web*", "and", "G@os:Debian"], ["web* and G@os:Debian"], [], ["not", "db*"], ["web*", 5], ["G@os:Debian", "or", "x"]]

MINIONS = {
    "web1.example.com": {"grains": GRAINS, "pillar": PILLAR},
    "web2": {"grains": {"os": "Ubuntu", "ipv4": ["10.9.9.9", "192.168.1.5"], "ipv6": [], "roles": ["web"]}, "pillar": {"role": "back", "users": {"joe": {"uid": 1000}}}},
    "db1": {"grains": {"os": "Debian", "ipv4": ["10.1.9.1"], "roles": "db"}, "pillar": {}},
    "Mail": {"grains": {"os": "Debian"}, "pillar": {"role": "front"}},
    "nocache": None,
    "abc": None,
}
GHOST = {"ghost": {"grains": {"os": "Debian", "ipv4": ["10.1.1.1"]}, "pillar": {"role": "front"}}}


def minion_cases():
    opts = dict(salt.config.DEFAULT_MINION_OPTS)
    opts.update(id=ID, grains=GRAINS, pillar=PILLAR, nodegroups=NODEGROUPS, file_client="local", cachedir=tempfile.mkdtemp(), extension_modules="", conf_file="")
    matchers = salt.loader.matchers(opts)
    out = []

    def ask(tgt, tgt_type, delimiter=None):
        try:
            kwargs = {"delimiter": delimiter} if delimiter else {}
            answer = bool(matchers[f"{tgt_type}_match.match"](tgt, **kwargs))
        except Exception:  # the minion logs it and does not run the job
            answer = False
        out.append([tgt, tgt_type, delimiter or ":", answer])

    for tgt_type, targets in (("glob", GLOB), ("pcre", PCRE), ("list", LIST), ("grain", GRAIN), ("grain_pcre", GRAIN_PCRE), ("pillar", PILLAR_T), ("pillar_exact", PILLAR_T), ("pillar_pcre", PILLAR_T + ["role:fr.*", "users:.*:uid"]), ("ipcidr", IPCIDR), ("compound", COMPOUND + COMPOUND_LISTS), ("nodegroup", ["web", "mix"])):
        for tgt in targets:
            ask(tgt, tgt_type)
    for tgt, delimiter in GRAIN_DELIM:
        ask(tgt, "grain", delimiter)
    return out


def master_cases():
    base = tempfile.mkdtemp()
    opts = dict(salt.config.DEFAULT_MASTER_OPTS)
    opts.update(pki_dir=os.path.join(base, "pki"), cachedir=os.path.join(base, "cache"), nodegroups=NODEGROUPS, minion_data_cache=True)
    os.makedirs(os.path.join(opts["pki_dir"], "minions"))
    cache = salt.cache.factory(opts)
    for name in MINIONS:
        open(os.path.join(opts["pki_dir"], "minions", name), "w").close()
    open(os.path.join(opts["pki_dir"], "minions", ".key_cache"), "w").close()
    for name, data in {**MINIONS, **GHOST}.items():
        if data:
            cache.store(f"minions/{name}", "data", data)
    out = []

    def ask(checker, tgt, tgt_type, delimiter=":", greedy=True, cached=True):
        res = checker.check_minions(tgt, tgt_type, delimiter, greedy)
        minions = res["minions"] if tgt_type == "list" else sorted(res["minions"])
        out.append([tgt, tgt_type, delimiter, greedy, cached, minions, res["missing"]])

    full = salt.utils.minions.CkMinions(opts)
    types = (("glob", GLOB[:14] + ["w*", "[wd]*", "nocache"]), ("pcre", [p for p in PCRE if isinstance(p, str)] + ["(web|db).*", ".*"]), ("list", ["web1.example.com,zzz,db1", "zzz", "", "db1,db1", ["web2", "zzz"], "ghost"]), ("grain", ["os:Debian", "os:*", "roles:web", "roles:db", "nope:x", "os", "*:Debian"]), ("grain_pcre", ["os:(Deb|Ub)", "os:["]), ("pillar", ["role:front", "role:f*", "users:joe:uid:1000"]), ("pillar_exact", ["role:front", "role:f*"]), ("pillar_pcre", ["role:(front|back)"]), ("ipcidr", ["10.0.0.0/8", "10.1.9.1", "bad", "192.168.0.0/16", "fe80::/10"]), ("nodegroup", list(NODEGROUPS) + ["nope"]), ("compound", COMPOUND), ("compound_pillar_exact", ["I@role:f*", "I@role:front", "J@role:f.*", "not I@role:f*", "G@os:Debian and I@role:front"]), ("range", ["%x"]), ("nosuch", ["*"]))
    for tgt_type, targets in types:
        for tgt in targets:
            ask(full, tgt, tgt_type)
            if tgt_type in ("grain", "pillar", "pillar_exact", "ipcidr", "compound"):
                ask(full, tgt, tgt_type, greedy=False)
    ask(full, "os|Debian", "grain", "|")
    none = salt.utils.minions.CkMinions({**opts, "minion_data_cache": False})
    for tgt, tgt_type in (("os:Debian", "grain"), ("web*", "glob"), ("G@os:X", "compound"), ("10.0.0.0/8", "ipcidr"), ("bad", "ipcidr")):
        ask(none, tgt, tgt_type, cached=False)
        ask(none, tgt, tgt_type, greedy=False, cached=False)
    return out


def words():
    texts = ["", "a", "ab", "b", "-", "]", "[", "^", "!", "a-c", "web1", "a\nb", "\\", "*", "?"]
    patterns = ["", "*", "?", "a*", "[ab]", "[!ab]", "[^ab]", "[a-c]", "[c-a]", "[a-]", "[-a]", "[]]", "[!]]", "[", "[]", "[!]", "[!", "a[", "[a-b-c]", "[--/]", "[]-a]", "[a-c-e-g]", "\\*", "[*]", "[?]", "[[]", "[a\\]", "**", "*?*", "[!-a]", "[a^]", "web[0-9]", "[z-a-c]", "[!c-a]"]
    return [[t, p, fnmatch.fnmatchcase(t, p)] for p in patterns for t in texts]


def jids():
    return [[j, salt.utils.jid.jid_to_time(j), bool(salt.utils.jid.is_jid(j))] for j in ["20261125133341123456", "20261125133341123456_77", "20260101000000000000", "2026112513334112345", "202611251333411234567", "nope", "", "20261125133341123456_", "20261125133341123456x"]]


def expr():
    return [[l, e, bool(salt.utils.stringutils.expr_match(l, e))] for l in ("test.ping", "test", "cmd.run") for e in ("test.*", "test", "test\\..*", "(test|cmd).+", "[", "*", "te?t", ".*", "cmd", "")]


cases = {"id": ID, "grains": GRAINS, "pillar": PILLAR, "nodegroups": NODEGROUPS, "minions": MINIONS, "ghost": GHOST, "minion": minion_cases(), "master": master_cases(), "fnmatch": words(), "jid": jids(), "expr_match": expr()}


def tag(v):
    """Maps keep the types of their keys."""
    if isinstance(v, dict):
        return {"m": [[tag(k), tag(x)] for k, x in v.items()]}
    if isinstance(v, float):
        return {"f": repr(v)}
    if isinstance(v, (list, tuple)):
        return [tag(x) for x in v]
    return v


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "targets.json"), "w") as out:
    json.dump({k: tag(v) for k, v in cases.items()}, out, indent=0)
    out.write("\n")
