late:
  salt.wait_for_event:
    - name: salt/nothing/like/it
    - id_list: [m1]
    - timeout: 1
heard:
  salt.wait_for_event:
    - name: my/*/tag
    - id_list: [m1, second]
    - timeout: 30
    - event_id: who
    - parallel: true
a moment:
  salt.function:
    - name: test.sleep
    - tgt: m1
    - arg: [3]
fire one:
  salt.function:
    - name: event.send
    - tgt: m1
    - arg: [my/own/tag]
    - kwarg: {data: {who: m1}}
fire two:
  salt.function:
    - name: event.send
    - tgt: m1
    - arg: [my/own/tag]
    - kwarg: {data: {who: [second, third]}}
