/etc/systemd/system/zz-web.service:
  file.managed:
    - contents: |
        [Service]
        ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv/web 8077
        [Install]
        WantedBy=multi-user.target
zz-web:
  service.running:
    - enable: true
    - watch:
      - file: /etc/systemd/system/zz-web.service
zz-dead:
  service.dead: [{enable: false}]
zz-enabled:
  service.enabled: []
zz-disabled:
  service.disabled: []
zz-masked:
  service.masked: []
zz-unmasked:
  service.unmasked: []
service.mod_watch:
  service.running:
    - name: zz-watched
    - reload: true
    - watch: [{test: always changes}]

http://127.0.0.1:8077/index.html:
  http.wait_for_successful_query: [{status: 200}, {match: fine}, {wait_for: 2}, {request_interval: 1}, {require: [{service: zz-web}]}]
ask once:
  http.query: [{name: 'http://127.0.0.1:8077/index.html'}, {status: 200}, {require: [{http: 'http://127.0.0.1:8077/index.html'}]}]
http.mod_watch:
  http.query:
    - name: http://127.0.0.1:8077/
    - status: 200
    - require: [{http: ask once}]
    - watch: [{test: always changes}]
