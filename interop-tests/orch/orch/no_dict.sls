no dict:
  salt.parallel_runners:
    - runners: [a]
