package bench

// For tests of pages that are made of this package's charts.
var (
	Measured = measured
	Browse   = browse
)
