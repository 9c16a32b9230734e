base:
  '*':
    - work.quiet
