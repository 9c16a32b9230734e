x: {{ nothing_here.y }}
