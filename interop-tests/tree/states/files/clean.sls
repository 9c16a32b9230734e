/t/gone:
  file.absent: []
/t/tidy:
  file.tidied: [{age: 30}, {matches: [log]}, {rmdirs: true}, {time_comparison: mtime}]
/t/prune:
  file.pruned: [{recurse: true}]
/t/keep:
  file.retention_schedule: [{retain: {most_recent: 1, first_of_year: 1}}, {strptime_format: 'backup-%Y-%m-%d'}]
