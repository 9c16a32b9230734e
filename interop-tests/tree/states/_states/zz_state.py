"""Nothing that the tree calls."""


def nothing(name):
    return {"name": name, "changes": {}, "result": True, "comment": ""}
