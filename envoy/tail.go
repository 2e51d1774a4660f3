package envoy

import (
	"io"
	"os"
	"strings"
)

// tailBytes is how far back Tail looks.
const tailBytes = 16 << 10

// Tail returns the last lines of a log file, or why it cannot be read: what it
// returns stands in an error about the process that wrote the log.
func Tail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > tailBytes {
		_, _ = file.Seek(-tailBytes, io.SeekEnd)
	}
	text, err := io.ReadAll(io.LimitReader(file, tailBytes))
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
