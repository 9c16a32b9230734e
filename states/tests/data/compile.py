# Answers each line with the low data that stock makes of SLS files, or its errors, or the exception's text.
import json, logging, sys
logging.disable(logging.CRITICAL)
import salt.config, salt.state

newer = salt.version.__saltstack_version__.major >= 3008
out = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    case = json.loads(line)
    opts = salt.config.minion_config(None, minion_id="m1")
    opts.update(case["opts"])
    opts["grains"] = case["grains"]
    opts["pillar"] = {}
    try:
        states = salt.state.HighState(opts, initial_pillar={})
        states.opts["pillar"] = {}
        high, errors = states.render_highstate({"base": case["mods"]})
        high, more = states.state.reconcile_extend(high)
        errors += more
        errors += states.state.verify_high(high)
        high, more = states.state.requisite_in(high)
        errors += more
        high = states.state.apply_exclude(high)
        if not errors:
            chunks = states.state.compile_high_data(high)
            if newer:
                chunks, errors = chunks
        answer = {"errors": errors} if errors else {"chunks": json.loads(json.dumps(chunks))}
    except Exception:
        answer = {"exception": True}
    out.write(json.dumps(answer) + "\n")
    out.flush()
