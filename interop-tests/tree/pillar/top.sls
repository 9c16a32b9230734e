base:
  '*':
    - site
  'kernel:Linux':
    - match: grain
    - users
