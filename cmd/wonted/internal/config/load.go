package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds what is read: a configuration is written by people.
const maxFile = 1 << 20

// Overrides are values given on the command line, as text, by dotted key:
// "mode", "policy.path".
type Overrides map[string]string

// Load reads file, or File where it is if file is "", or the defaults; applies
// the overrides and validates the whole.
func Load(file string, over Overrides) (*Config, error) {
	named := file != ""
	if !named {
		file = File
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		text = nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{File: file, Problem: "there is no such file",
			Allowed: "name an existing one with --config, or leave it out: every setting has a default"}
	case err != nil:
		return nil, fmt.Errorf("read configuration: %w", err)
	case len(text) > maxFile:
		return nil, &Error{File: file, Problem: fmt.Sprintf("the file has %d bytes", len(text)),
			Allowed: "a configuration of at most 1 MiB"}
	}
	c, err := Parse(file, text, over)
	if err == nil && text != nil {
		c.File = file
	}
	return c, err
}

// Parse is Load for text that has been read; file is its name in errors.
func Parse(file string, text []byte, over Overrides) (*Config, error) {
	c := Default()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntax(file, err)
	}
	if len(tree.Docs) > 1 {
		return nil, &Error{File: file, Line: line(tree.Docs[1]), Problem: "a second document begins here",
			Allowed: "one YAML document"}
	}
	if root := body(tree); root != nil {
		if err := yaml.NodeToValue(root, c, yaml.Strict()); err != nil {
			return nil, locate(file, root, err)
		}
	}
	from := source{file: file, tree: tree}
	if err := c.override(over, &from); err != nil {
		return nil, err
	}
	if err := c.validate(from); err != nil {
		return nil, err
	}
	return c, nil
}

// body is the document's top node, nil where it is empty.
func body(tree *ast.File) ast.Node {
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil || tree.Docs[0].Body.Type() == ast.NullType {
		return nil
	}
	if tree.Docs[0].Body.Type() == ast.CommentType {
		return nil
	}
	return tree.Docs[0].Body
}

// override applies the command line.
func (c *Config) override(over Overrides, from *source) error {
	for key, text := range over {
		var err error
		switch key {
		case "mode":
			err = c.Mode.UnmarshalText([]byte(text))
		case "fail":
			err = c.Fail.UnmarshalText([]byte(text))
		case "depth":
			err = c.Depth.UnmarshalText([]byte(text))
		case "listen":
			c.Listen = text
		case "admin":
			c.Admin = text
		case "data_dir":
			c.DataDir = text
		case "policy.path":
			c.Policy.Path, c.Policy.Bundle = text, ""
			if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
				c.Policy.Path, c.Policy.Bundle = "", text
			}
		case "record.path":
			c.Record.Path = text
		default:
			panic("config: no flag overrides " + key)
		}
		if from.flags == nil {
			from.flags = map[string]string{}
		}
		from.flags[key] = Flag(key)
		if err != nil {
			return from.fault(key, err.Error())
		}
	}
	return nil
}

// Flag is the flag that overrides a key.
func Flag(key string) string {
	key = strings.TrimSuffix(key, ".path")
	return "--" + strings.ReplaceAll(key, "_", "-")
}
