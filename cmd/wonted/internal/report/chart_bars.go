package report

import (
	"fmt"
	"unicode/utf8"
)

// bars is a chart with a row for each thing. Its template is "bars".
type bars struct {
	Title, Unit           string
	Width, Height, Bottom px
	Left, Right           px // of the plot; names stand left of it
	Rows                  []bar
}

type bar struct {
	Name, Full, Value, Class string
	Top, Text, Width, Value1 px // Value1: where the value begins
}

const barStep = px(26)

func newBars(title, unit string, left px) bars {
	return bars{Title: title, Unit: unit, Width: 640, Left: left, Right: 470}
}

// add adds a row of which the bar is a share, 0 to 1, of the widest.
func (b *bars) add(name, value, class string, share float64) {
	top := 6 + px(len(b.Rows))*barStep
	width := max(px(share)*(b.Right-b.Left), 1)
	b.Rows = append(b.Rows, bar{
		Name: short(name, int(b.Left/8.6)), Full: name, Value: value, Class: class,
		Top: top, Text: top + 13, Width: width, Value1: b.Left + width + 7,
	})
	b.Bottom = top + barStep
	b.Height = b.Bottom + 4
}

// short cuts a name to what a row has room for.
func short(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// topOffenders is how many a chart has room for.
const topOffenders = 10

// who shows the identities that stood out most.
func (p *Page) who() bars {
	b := newBars("Who stood out", "highest score, 0 to 12", 190)
	for _, o := range p.Offenders[:min(len(p.Offenders), topOffenders)] {
		name := o.Name
		if name == "" {
			name = "nobody known"
		}
		b.add(name, fmt.Sprintf("%s: %s of %s", score(o.Score), grouped(o.Odd), many(o.Requests, "request")), class(o.Action), o.Score/12)
	}
	return b
}

// what shows how many requests would have met with what.
func (p *Page) what() bars {
	b := newBars("What would have been done", "requests", 90)
	most := 1
	for _, a := range p.Actions {
		most = max(most, a.Requests)
	}
	for _, a := range p.Actions {
		value := "none"
		if a.Requests > 0 {
			value = fmt.Sprintf("%s, of %s", grouped(a.Requests), many(a.Identities, "identity"))
		}
		b.add(a.Done, value, class(a.Name), float64(a.Requests)/float64(most))
	}
	return b
}
