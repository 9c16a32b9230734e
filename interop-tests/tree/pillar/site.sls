#!jinja|yaml
include:
  - words:
      key: from
site:
  name: Bergen
  text: "one line\nand another"
  data: {list: [1, two, 3.5], nested: {deep: true}}
  encoded: aGVsbG8K
  number: {{ 40 + 2 }}
