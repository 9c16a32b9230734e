# The tree that uses every function of states; tests/applies.rs says which are not used, and why.
base:
  '*':
    - sync
    - accounts
    - files
    - packages
    - repositories
  'kernel:Linux':
    - match: grain
    - services
    - system
  'G@kernel:Linux and not I@site:name:Oslo':
    - match: compound
    - commands
    - requisites
    - failing
  'site:name:Oslo':
    - match: pillar
    - nothing-for-us
