"""Calls functions as stock's salt-call does, many in one process: argv is a configuration directory and a file of cases, each a
function and its words. Prints a list: what each gave, or the last line of what salt-call would say."""

import faulthandler
import json
import sys
import traceback

import salt.client
import salt.config
import salt.exceptions
import salt.minion
import salt.utils.args


def call(minion, fun, words):
    # Each is a process of its own for salt-call.
    func = minion.functions[fun]
    context = getattr(minion.functions, "context_dict", None)
    if context is not None:
        context.clear()
    args, kwargs = salt.minion.load_args_and_kwargs(func, salt.utils.args.parse_input(words))
    kwargs = {key: value for key, value in kwargs.items() if not key.startswith("__pub_")}
    try:
        return {"ret": func(*args, **kwargs)}
    except salt.exceptions.CommandExecutionError as exc:
        return {"error": f"Error running '{fun}': {exc}"}
    except Exception as exc:
        return {"error": traceback.format_exception_only(type(exc), exc)[-1].strip()}


def main():
    # Stock waits for ever where something is wrong.
    faulthandler.dump_traceback_later(100, exit=True)
    opts = salt.config.minion_config(sys.argv[1] + "/minion")
    opts["__cli"] = "salt-call"
    minion = salt.client.Caller(mopts=opts).sminion
    with open(sys.argv[2], encoding="utf-8") as cases:
        done = [call(minion, case[0], case[1:]) for case in json.load(cases)]
    print(json.dumps(done))


main()
