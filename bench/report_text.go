package bench

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Text writes the report for a terminal of 100 columns: what went wrong first,
// then a table for each cell.
func (r *Report) Text(w io.Writer) error {
	var out bytes.Buffer
	r.textHead(&out)
	for i := range r.Cells {
		r.textCell(&out, &r.Cells[i])
	}
	r.textBursts(&out)
	if r.Plan == PlanFull {
		r.textTargets(&out)
	}
	if len(r.Cells) > 0 {
		out.WriteString(legend)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// columns of the terminal that the text is for.
const columns = 100

const legend = `
bare is Envoy alone; noop a processor that answers CONTINUE to everything, of grpc-go's defaults.
Figures are medians of the rounds, ±% half of what lies between the least and the greatest. Ratios
are taken between rounds of one turn, with their 95 % interval; "~" is one that is wider than a
third, or of too few rounds for any: a hint. Latency is bare's own, and for the others what they
add to it. CPU to noop counts the processor's alone, not Envoy's.
`

func (r *Report) textHead(out *bytes.Buffer) {
	fmt.Fprintf(out, "%s\n", strings.Join(r.Command, " "))
	fmt.Fprintf(out, "%s, %s\n", r.Started.UTC().Format("2006-01-02 15:04 UTC"), r.lasted())
	fmt.Fprintf(out, "%s\n", strings.Join(wrap(r.Machine.what(), columns), "\n"))
	if len(r.Failures) > 0 {
		fmt.Fprintf(out, "\n!! THIS RUN DOES NOT COUNT: %s\n", plural(len(r.Failures), "failure"))
		for _, f := range r.Failures {
			fmt.Fprintf(out, "!! %s\n", strings.ReplaceAll(printable(f), "\n", "\n!!   "))
		}
	}
	if r.Partial {
		fmt.Fprintf(out, "\n!! Interrupted: rounds and cells are missing.\n")
	}
	if len(r.Cells) == 0 {
		fmt.Fprintf(out, "\nNothing was measured.\n")
	}
	if len(r.Variants) == 0 {
		return
	}
	t := grid{left: 6, head: []string{"variant", "mode", "bodies", "state", "decision", ""}}
	for _, v := range r.Variants {
		bodies := "no"
		if v.Payload {
			bodies = "yes"
		}
		t.add(v.Name, or(v.Mode, none), bodies, or(v.State, none), or(v.Decision, none), v.Does)
	}
	out.WriteByte('\n')
	t.write(out)
}

func (r *Report) textCell(out *bytes.Buffer, cell *Cell) {
	fmt.Fprintf(out, "\n%s: %s; %s\n", cell.Name, cell.what(), cell.turns())
	rows := r.Figures(cell)
	if len(rows) == 0 {
		out.WriteString("!! nothing was measured\n")
		return
	}
	cost := grid{left: 1,
		over: []span{{"", 4}, {"CPU µs a req.", 2}, {"vCPU/1,000/s", 2}, {"ms added to bare", 4}},
		head: []string{"", "req/s", "±%", "of bare", "proc.", "Envoy", "proc.", "Envoy+", "p50", "p90", "p99", "p99.9"}}
	compared := grid{left: 2, over: []span{{"", 2}, {"to " + cell.noop(), 2}, {"", 3}},
		head: []string{"", "", "CPU", "req/s", "MiB", "allocs", "GC"}}
	if cell.Rate > 0 {
		compared.head[3] = "p99" // the rate is given
	}
	for _, f := range rows {
		latency := []Estimate{f.AddedP50, f.AddedP90, f.AddedP99, f.AddedP999}
		if f.Variant.Name == Bare || !f.AddedP50.Known() {
			latency = []Estimate{f.P50, f.P90, f.P99, f.P999}
		}
		cost.add(f.Variant.Name, digits3(f.PerSecond.Median), swing(f.PerSecond), ratio(f.ToBare.PerSecond.Median),
			digits3(f.ProcessorCPU.Median), digits3(f.EnvoyCPU.Median),
			digits3(f.ProcessorVCPU.Median), digits3(f.EnvoyMoreVCPU.Median),
			digits3(latency[0].Median), digits3(latency[1].Median), digits3(latency[2].Median), digits3(latency[3].Median))
		if f.Variant.Name != Bare {
			second := f.ToNoop.PerSecond
			if cell.Rate > 0 {
				second = f.ToNoop.P99
			}
			compared.add(f.Variant.Name, f.Variant.what(), within(f.ToNoop.ProcessorCPU), within(second),
				digits3(f.Resident.Median), digits3(f.Allocs.Median), percent(f.GCShare.Median))
		}
	}
	cost.write(out)
	if len(compared.rows) > 0 {
		compared.write(out)
	}
	for _, f := range rows {
		for _, warning := range f.warnings(cell) {
			fmt.Fprintf(out, "!! %s: %s\n", f.Variant.Name, warning)
		}
	}
	for _, note := range answered(rows) {
		fmt.Fprintf(out, "   %s\n", note)
	}
}

// answered lists the statuses of the first variant, where there are several,
// and of those that gave others.
func answered(rows []Figures) (notes []string) {
	for i, f := range rows {
		if (i == 0 && len(f.Statuses) > 1) || !sameKeys(f.Statuses, rows[0].Statuses) {
			notes = append(notes, f.Variant.Name+" answered "+or(counts(f.Statuses, "%d"), "nothing"))
		}
	}
	return notes
}

// warnings are what a reader must know before using a row.
func (f *Figures) warnings(cell *Cell) (all []string) {
	if f.Requests == 0 {
		all = append(all, "no request was answered")
	}
	if len(f.Errors) > 0 {
		all = append(all, plural(sum(f.Errors), "request")+" without an answer: "+counts(f.Errors, "%s"))
	}
	if f.PerSecond.Median < 0.99*cell.Rate {
		all = append(all, fmt.Sprintf("served %s of the %s/s that were due", digits3(f.PerSecond.Median), digits3(cell.Rate)))
	}
	return all
}

// sameKeys compares which statuses there were, not how many of each.
func sameKeys(a, b map[int]int) bool {
	return slices.Equal(slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)))
}

func (r *Report) textBursts(out *bytes.Buffer) {
	if len(r.Bursts) == 0 {
		return
	}
	out.WriteByte('\n')
	t := grid{left: 1, head: []string{"p99, ms, while", "without", "with", "added", "95 %"}}
	for _, b := range r.Bursts {
		more := difference(b.With, b.Without)
		interval := none
		if more.Bounded() {
			interval = digits3(more.Low) + " to " + digits3(more.High)
		}
		t.add(b.Name, digits3(spread(b.Without).Median), digits3(spread(b.With).Median), digits3(more.Median), interval)
	}
	t.write(out)
}

// counts lists how many of each, the most frequent first.
func counts[K int | string](of map[K]int, format string) string {
	var parts []string
	for _, k := range slices.SortedFunc(maps.Keys(of), func(a, b K) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	}) {
		parts = append(parts, fmt.Sprintf("%s × "+format, thousands(int64(of[k])), k))
	}
	return strings.Join(parts, ", ")
}

func sum[K comparable](of map[K]int) (total int) {
	for _, n := range of {
		total += n
	}
	return total
}

// printable drops what could steer a terminal: failures quote the logs of
// other programs.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.TrimSpace(text))
}

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}
