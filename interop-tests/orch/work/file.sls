{{ pillar.get('to', grains['tmp']) }}/{{ grains['id'] }}:
  file.managed:
    - contents: {{ pillar.get('text', 'as usual') }}
