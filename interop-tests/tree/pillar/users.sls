users:
{% for name, uid in [('zzann', 5101), ('zzben', 5102)] %}
  {{ name }}: {uid: {{ uid }}, shell: /bin/sh}
{% endfor %}
