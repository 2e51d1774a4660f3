package recorded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Format is how a recording is written.
type Format string

// The formats. Auto is decided by the first line that can be read; a HAR is
// known by how it begins.
const (
	Auto     Format = "auto"
	Wonted   Format = "wonted"   // JSONL, version 1
	Envoy    Format = "envoy"    // Envoy's JSON access log
	Common   Format = "common"   // the Common Log Format of NCSA httpd, Apache and nginx
	Combined Format = "combined" // the same with Referer and User-Agent
	HAR      Format = "har"      // HTTP Archive 1.2, as browsers export it
)

// Formats are all of them, in the order in which help lists them.
var Formats = []Format{Auto, Wonted, Envoy, Common, Combined, HAR}

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	if slices.Contains(Formats, Format(s)) {
		return Format(s), nil
	}
	return "", fmt.Errorf("unknown format %q; allowed are %s", s, FormatNames())
}

// FormatNames lists the formats for people: "auto, wonted and envoy".
func FormatNames() string {
	var names []string
	for _, f := range Formats {
		names = append(names, string(f))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

var parsers = map[Format]func([]byte) (*Exchange, error){
	Wonted: parseWonted, Envoy: parseEnvoy, Common: parseAccessLog, Combined: parseAccessLog, HAR: parseEntry,
}

// guess says what a recording is by how it begins.
func guess(start []byte) Format {
	start = bytes.TrimSpace(start)
	if harBegins(start) {
		return HAR
	}
	line, _, _ := bytes.Cut(start, []byte{'\n'})
	return guessLine(bytes.TrimSpace(line))
}

// guessLine says what a line is; "" where it is like none.
func guessLine(line []byte) Format {
	if len(line) == 0 {
		return ""
	}
	if line[0] == '{' {
		var own struct {
			V json.RawMessage `json:"v"`
		}
		if json.Unmarshal(line, &own) == nil && own.V == nil {
			return Envoy
		}
		return Wonted
	}
	if _, rest, err := cutAccessLog(line); err != nil {
		return ""
	} else if len(rest.quoted) < 2 {
		return Common
	}
	return Combined
}
