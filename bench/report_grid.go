package bench

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// grid is a table of a terminal, whose first columns are aligned left and the
// others right.
type grid struct {
	left int
	over []span // headings over several columns; none, or for all columns
	head []string
	rows [][]string
}

type span struct {
	text    string
	columns int
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) write(out *bytes.Buffer) {
	width := g.widths()
	at := 0
	var line strings.Builder
	for _, s := range g.over {
		room := -1
		for i := range s.columns {
			room += width[at+i] + 1
		}
		pad := max(room-utf8.RuneCountInString(s.text), 0)
		if s.text == "" {
			line.WriteString(strings.Repeat(" ", pad+1))
		} else { // as far right as the figures below it
			line.WriteString(strings.Repeat(" ", pad) + s.text + " ")
		}
		at += s.columns
	}
	if line.Len() > 0 {
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	for _, row := range append([][]string{g.head}, g.rows...) {
		g.line(out, width, row)
	}
}

// widths of the columns; where headings over several need more, the first of
// those gets it.
func (g *grid) widths() []int {
	width := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	at := 0
	for _, s := range g.over {
		room := s.columns - 1
		for i := range s.columns {
			room += width[at+i]
		}
		width[at] += max(utf8.RuneCountInString(s.text)-room, 0)
		at += s.columns
	}
	return width
}

// line writes a row. A last column that is aligned left goes on below itself
// where the terminal ends.
func (g *grid) line(out *bytes.Buffer, width []int, row []string) {
	var line strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
		switch {
		case i >= g.left:
			line.WriteString(pad + cell + " ")
		case i == len(row)-1:
			indent := utf8.RuneCountInString(line.String())
			line.WriteString(strings.Join(wrap(cell, max(columns-indent, 20)), "\n"+strings.Repeat(" ", indent)))
		default:
			line.WriteString(cell + pad + " ")
		}
	}
	out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// wrap breaks text at spaces into lines no longer than width, where its words
// allow.
func wrap(text string, width int) (lines []string) {
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
