both:
  salt.state:
    - tgt: 'm[12]'
    - sls: work.quiet
both change:
  salt.state:
    - tgt: 'm[12]'
    - sls: work.top
    - batch: 1
