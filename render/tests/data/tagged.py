"""Values as JSON that keeps what JSON cannot tell apart: maps with any key, bytes, doubles, big integers."""


def tag(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return v if abs(v) < 2**53 else {"i": str(v)}
    if isinstance(v, float):
        return {"f": repr(v)}
    if isinstance(v, bytes):
        return {"b": v.hex()}
    if isinstance(v, dict):
        return {"m": [[tag(k), tag(x)] for k, x in v.items()]}
    if isinstance(v, (list, tuple)):
        return [tag(x) for x in v]
    if isinstance(v, set):
        return [tag(x) for x in sorted(v)]
    return {"other": repr(v)}
