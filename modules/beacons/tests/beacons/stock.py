# Stock's beacons: a line of JSON asks, a line answers. What they call of execution modules is answered from a table.
import importlib.util, json, os, sys

sys.path.append("/usr/lib/python3/dist-packages")
import logging
logging.disable(logging.CRITICAL)

modules, answers, calls = {}, {}, []


class Missing(dict):
    def __missing__(self, name):
        raise KeyError(name)


def call(name):
    def function(*args, **kwargs):
        answer = answers[name]
        if isinstance(answer, dict) and "by" in answer:
            answer = answer["by"].get(str(args[0]))
        if isinstance(answer, dict) and "fails" in answer:
            import salt.exceptions
            raise salt.exceptions.CommandExecutionError(answer["fails"])
        return answer
    return function


class Salt(dict):
    def __contains__(self, name):
        return name in answers

    def __getitem__(self, name):
        if name not in answers:
            raise KeyError(name)
        return call(name)


def module(name, kind):
    if name not in modules:
        path = "log_beacon" if kind == "log" else kind
        spec = importlib.util.find_spec("salt.beacons." + path)
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        found.__salt__, found.__context__, found.__opts__, found.__grains__ = Salt(), {}, {}, {}
        modules[name] = found
    return modules[name]


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return str(value)
    return value


def answer(question):
    name, kind = question.get("name", question["beacon"]), question["beacon"]
    found = module(name, kind)
    answers.clear()
    answers.update(question.get("answers", {}))
    for key, value in question.get("set", {}).items():
        setattr(found, key, value)
    if "loadavg" in question:
        os.getloadavg = lambda: tuple(question["loadavg"])
    if "time" in question:
        found.time = type("Time", (), {"time": staticmethod(lambda: question["time"])})
    try:
        if question["do"] == "validate":
            valid, text = found.validate(question["config"])
            return {"valid": valid, "text": text}
        if question["do"] == "close":
            found.close(question["config"])
            del modules[name]
            return {}
        return {"told": plain(found.beacon(question["config"]))}
    except BaseException as exc:
        return {"raised": str(exc)}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
os._exit(0)
