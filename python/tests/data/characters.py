# Of each assigned character: what kind it is, as a number, and its other cases where they differ.
import json, sys, unicodedata

kinds = ["isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper"]
cases = ["lower", "upper", "title", "casefold", "capitalize", "swapcase"]
out = []
for n in range(0x110000):
    c = chr(n)
    if unicodedata.category(c) in ("Cn", "Cs", "Co"):
        continue
    bits = sum(getattr(c, kind)() << i for i, kind in enumerate(kinds))
    out.append([n, bits, [getattr(c, case)() for case in cases] if c.isalpha() or c.lower() != c.upper() else None])
json.dump(out, sys.stdout)
