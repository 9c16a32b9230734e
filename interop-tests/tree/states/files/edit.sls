/t/edit/line:
  file.line: [{content: gamma}, {mode: ensure}, {after: 'alpha'}]
/t/edit/replace:
  file.replace: [{pattern: '^Port (\d+)$'}, {repl: 'Port \g<1>22'}, {unless: grep 2222 /t/edit/replace}]
/t/edit/block:
  file.blockreplace: [{content: zero}]
lines for the block:
  file.accumulated: [{filename: /t/edit/block}, {text: [first, second]}, {require_in: [{file: /t/edit/block}]}]
/t/edit/comment:
  file.comment: [{regex: ^one}, {backup: .orig}]
/t/edit/uncomment:
  file.uncomment: [{regex: ^one}]
/t/edit/keys:
  file.keyvalue: [{key_values: {a: 5, b: '3', c: new}}, {uncomment: '#'}, {append_if_not_found: true}]
/t/edit/append:
  file.append: [{text: [two, three]}]
/t/edit/prepend:
  file.prepend: [{text: [zero]}]
/t/edit/patch:
  file.patch: [{source: salt://files/a.patch}]

/t/ini/present:
  ini.options_present: [{sections: {top: 2, one: {a: 1, b: x}}}]
/t/ini/absent:
  ini.options_absent: [{sections: {one: [a]}}]
/t/ini/sections:
  ini.sections_absent: [{sections: [gone]}]
