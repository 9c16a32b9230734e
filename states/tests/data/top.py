# Answers each line with what stock makes of top files: [matches or errors, or the exception's text].
import json, logging, sys, copy
logging.disable(logging.CRITICAL)
import salt.config, salt.state

out = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    case = json.loads(line)
    opts = salt.config.minion_config(None, minion_id="m1")
    opts.update(case["opts"])
    opts["grains"] = case["grains"]
    opts["pillar"] = case["pillar"]
    try:
        states = salt.state.HighState(opts, initial_pillar=case["pillar"])
        states.opts["pillar"] = case["pillar"]
        top = states.get_top()
        errors = states.verify_tops(top)
        if errors:
            answer = repr(errors)
        else:
            found = states.top_matches(top)
            answer = repr({str(k) if not isinstance(k, str) else k: json.loads(json.dumps(v)) for k, v in found.items()})
    except Exception as e:
        answer = f"{type(e).__name__}: {e}"
    out.write(json.dumps(answer) + "\n")
    out.flush()
