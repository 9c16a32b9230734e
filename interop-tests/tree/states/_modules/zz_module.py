"""Nothing that the tree calls."""


def answer():
    return 42
