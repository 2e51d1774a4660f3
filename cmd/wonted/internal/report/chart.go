package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// px is a place or a length in a chart, in the units of its viewBox.
type px float64

func (p px) String() string { return strconv.FormatFloat(float64(p), 'f', 1, 64) }

type tick struct {
	At    px
	Label string
}

// plot is a chart with columns over a scale: of scores over time, of alerts
// over days. Its template is "plot".
type plot struct {
	Title, Unit, Words       string // Words: for who cannot see it
	Width, Height            px
	Left, Right, Top, Bottom px // of the plot
	XTicks, YTicks           []tick
	Columns                  []column
	Line                     *tick // a value to compare with
}

type column struct {
	X, Y, Width, Height px
	Class, Tip          string
}

func newPlot(title, unit string) plot {
	return plot{Title: title, Unit: unit, Width: 640, Height: 260, Left: 44, Right: 628, Top: 16, Bottom: 222}
}

// up is the place of a value on a scale from 0 to most.
func (p *plot) up(v, most float64) px {
	if !(v > 0) { // not a number either
		v = 0
	}
	v = math.Min(v, most)
	return p.Bottom - px(v/most)*(p.Bottom-p.Top)
}

// raise marks a scale of whole numbers every step, and returns its end, under
// which most fits.
func (p *plot) raise(most, step float64) float64 {
	end := step * math.Ceil(math.Max(most, 1)/step-1e-9)
	for i := 0; float64(i)*step <= end*(1+1e-9); i++ {
		p.YTicks = append(p.YTicks, tick{p.up(float64(i)*step, end), digits3(float64(i) * step)})
	}
	return end
}

// nice is the least of 1, 2, 5 times a power of ten that is not below step.
func nice(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= step*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// scores shows the highest score of each part of the time.
func (p *Page) scores() plot {
	c := newPlot("Score over time", "the highest of each "+duration(p.Width)+"; 4: one in 10,000")
	if len(p.Timeline) == 0 {
		return c
	}
	c.Words = fmt.Sprintf("from %s to %s", p.From.Format(time.DateTime), p.To.Format(time.DateTime))
	end := c.raise(12, 3)
	start := p.Timeline[0].At
	span := max(p.Timeline[len(p.Timeline)-1].At.Add(p.Width).Sub(start), time.Second)
	across := func(t time.Time) px {
		return c.Left + px(float64(t.Sub(start))/float64(span))*(c.Right-c.Left)
	}
	thin := across(start.Add(p.Width)) - c.Left
	for _, cell := range p.Timeline {
		y := c.up(cell.Score, end)
		c.Columns = append(c.Columns, column{
			X: across(cell.At), Y: min(y, c.Bottom-1), Width: max(thin-0.4, 1.2), Height: max(c.Bottom-y, 1),
			Class: class(cell.Action),
			Tip:   fmt.Sprintf("%s: %s, %s of %s", cell.At.Format("2006-01-02 15:04"), score(cell.Score), cell.Action, many(cell.Exchanges, "exchange")),
		})
	}
	c.times(start, span, across)
	if p.Threshold > 0 {
		c.Line = &tick{c.up(p.Threshold, end), "threshold " + digits3(p.Threshold)}
	}
	return c
}

// times are about five moments to mark: midnights, or where there are too few,
// fifths of the time.
func (c *plot) times(start time.Time, span time.Duration, across func(time.Time) px) {
	const day = 24 * time.Hour
	if span < 3*day {
		layout := "2 Jan 15:04"
		if span < 10*time.Minute {
			layout = "15:04:05"
		}
		for i := range 5 {
			at := start.Add(span / 5 * time.Duration(i))
			c.XTicks = append(c.XTicks, tick{across(at), at.Format(layout)})
		}
		return
	}
	layout := "2 Jan"
	if span > 300*day {
		layout = "2006-01-02"
	}
	year, month, date := start.Date()
	step := int(span/day)/6 + 1
	for i := 1; ; i += step {
		at := time.Date(year, month, date+i, 0, 0, 0, 0, start.Location())
		if across(at) > c.Right-24 {
			return
		}
		c.XTicks = append(c.XTicks, tick{across(at), at.Format(layout)})
	}
}

// shownDays bounds the columns of the chart of days: the last ones count.
const shownDays = 62

// alerts shows how many identities alerted on each day.
func (p *Page) alerts() plot {
	days := p.Daily[max(0, len(p.Daily)-shownDays):]
	c := newPlot("Alerts a day", "identities with an alert")
	if len(p.Daily) > len(days) {
		c.Unit += fmt.Sprintf(", the last %d days", len(days))
	}
	most := 0
	for _, d := range days {
		most = max(most, d.Alerts)
	}
	end := c.raise(float64(most), math.Max(nice(float64(most)/4), 1))
	if len(days) == 0 {
		return c
	}
	step := (c.Right - c.Left) / px(len(days))
	width := min(step*0.8, 60)
	every := (len(days) + 6) / 7
	for i, d := range days {
		x := c.Left + step*px(i)
		y := c.up(float64(d.Alerts), end)
		c.Columns = append(c.Columns, column{
			X: x + (step-width)/2, Y: min(y, c.Bottom-1), Width: width, Height: max(c.Bottom-y, 1), Class: "alert",
			Tip: fmt.Sprintf("%s: %d of %s, %s anomalous of %s", d.Date, d.Alerts, many(d.Identities, "identity"), grouped(d.Anomalous), many(d.Exchanges, "exchange")),
		})
		if i%every == 0 {
			label := d.Date
			if at, err := time.Parse(time.DateOnly, d.Date); err == nil {
				label = at.Format("2 Jan")
			}
			c.XTicks = append(c.XTicks, tick{x + step/2, label})
		}
		c.Words += fmt.Sprintf(" %s %d;", d.Date, d.Alerts)
	}
	return c
}

func duration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return many(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return many(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return many(int(d/time.Minute), "minute")
	}
	return many(int(d/time.Second), "second")
}

// class is the colour of an action.
func class(action string) string {
	switch action {
	case "deny", "challenge", "throttle":
		return action
	}
	return "allow"
}
