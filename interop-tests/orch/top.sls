base:
  '*':
    - work.top
