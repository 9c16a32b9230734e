# What stock copies to the minion; there is something for three of these.
{% for kind in ['all', 'beacons', 'clouds', 'engines', 'executors', 'grains', 'log_handlers', 'matchers', 'modules', 'output', 'outputters', 'pillar',
                'proxymodules', 'renderers', 'returners', 'sdb', 'serializers', 'states', 'thorium', 'utils'] %}
sync {{ kind }}:
  saltutil.sync_{{ kind }}: []
{% endfor %}
