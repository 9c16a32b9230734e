# Reads a JSON list of expressions and one of texts from standard input. Prints for each expression null if Ruby refuses it, else for each
# text null if it does not match, else the named groups.
require 'json'

patterns, texts = JSON.parse(STDIN.read)
$VERBOSE = nil
out = patterns.map do |pattern|
  begin
    regexp = Regexp.new(pattern)
    texts.map { |text| (found = regexp.match(text)) && found.names.to_h { |name| [name, found[name.to_sym]] } }
  rescue RegexpError
    nil
  end
end
puts JSON.generate(out)
