# What the program says of itself (swift-argument-parser's --experimental-dump-help), as mdoc(7): with --arg part commands its
# commands and their options, with --arg part keys the keys of its configuration. Called by deploy/manual.

# Text in which nothing is a macro or an escape: no line begins with a dot or a quote, no dash is a hyphen.
def text: gsub("\\\\"; "\\e") | gsub("-"; "\\-") | gsub("(?m)^(?<mark>[.'])"; "\\&\(.mark)") | gsub("…"; "...") ;
# An argument of a macro: one word.
def word: text | "\"" + gsub("\""; "\\(dq") + "\"" ;
# One sentence a line, as mdoc has it.
def sentences: gsub("(?<end>[A-Za-z0-9)\"][.;]) (?=[A-Z])"; "\(.end)\n") | text ;

# Paragraphs; those that are indented are examples.
def paragraphs:
  split("\n\n") | map(
    if startswith("  ") then ".Bd -literal -offset indent\n" + (split("\n") | map(ltrimstr("  ") | text) | join("\n")) + "\n.Ed"
    else ".Pp\n" + sentences end) | join("\n") ;

def option_name: if .kind == "short" then "Fl \(.name | word)" else "Fl Fl \(.name | word)" end ;
def head:
  if .kind == "positional" then ".It Ar \(.valueName | word)"
  else ".It " + (.names | map(option_name) | join(" , ")) + (if .kind == "option" then " Ar \(.valueName | word)" else "" end) end ;
def option:
  head + "\n" + ((.abstract // "") | sentences)
  + (if .defaultValue then "\nDefault: \(.defaultValue | text)." else "" end) ;

# Those that every command has are not repeated.
def own: (.arguments // []) | map(select(.shouldDisplay != false) | select((.valueName | IN("help", "version")) | not)) ;

def command($path):
  ($path + [.commandName]) as $here
  | ".Ss \($here[1:] | join(" ") | text)",
    (.abstract | sentences),
    # Of config, the keys are in a page of their own.
    (if .commandName == "config" then "The keys are in\n.Xr callback-receiver.yaml 5 ."
     elif .discussion then .discussion | sub("\n+$"; "") | paragraphs else empty end),
    (own | if length > 0 then ".Bl -tag -width Ds", (.[] | option), ".El" else empty end),
    ((.subcommands // [])[] | command($here)) ;

def key:
  capture("^(?<key>[a-z.-]+): (?<bounds>.*); default (?<standard>[^\n]*)\n  (?<meaning>.*)$")
  | ".It Ic \(.key | word)\n\(.meaning | sentences)\n.br\nTakes: \(.bounds | text).\nDefault: \(.standard | text)." ;

if $part == "commands" then
  .command | (.subcommands[] | select(.commandName != "help") | command(["callback-receiver"]))
else
  .command.subcommands[] | select(.commandName == "config").discussion
  | ".Bl -tag -width Ds", (sub("\n+$"; "") | split("\n\n")[1:][] | sub("\n+$"; "") | key), ".El"
end
