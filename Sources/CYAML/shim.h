// libyaml's one header. See Sources/callback-receiver/YAMLDocument.swift, the only file that uses it.
#include <yaml.h>
