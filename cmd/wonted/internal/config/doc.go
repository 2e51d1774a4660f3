// Package config reads wonted's one YAML file into a typed, validated Config.
//
// Sections belong to the packages that they configure (identity, profile):
// those declare the keys, their defaults and what is valid. This package adds
// what no section can know: the file, the line, the nearest key, and flags
// that override a key. It may import any package that owns a section and
// nothing else of the module.
//
// Start reading at Config, then Load in load.go. A mistake comes back as an
// *Error, which says where it is, what is wrong and what is allowed; the
// testdata directory of bad files holds one of each, with its message.
package config
