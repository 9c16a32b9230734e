# Reads documents from standard input, each ended by a zero byte, with Ruby's YAML as Pallet Jack does: every scalar becomes a text.
# Prints one line of JSON for each; null where Ruby refuses it.
require 'psych'
require 'json'

class Texts < Psych::Visitors::ToRuby
  def visit_Psych_Nodes_Scalar(node)
    String(super)
  end
end

def texts(value)
  case value
  when Hash then value.to_h { |key, inner| [String(key), texts(inner)] }
  when Array then value.map { |inner| texts(inner) }
  else String(value)
  end
end

STDIN.binmode
STDIN.read.force_encoding('UTF-8').split("\0", -1)[0..-2].each do |text|
  begin
    root = Psych.parse_stream(text)
    puts JSON.generate(texts(Texts.create.accept(root)[0]))
  rescue StandardError
    puts 'null'
  end
end
