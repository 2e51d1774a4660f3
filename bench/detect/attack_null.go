package detect

// nulls are what the harness is judged by: the victim itself, going on as it
// would have, played as attacks are. It must be found as often as benign
// windows are, or the harness is at fault.
func nulls() []Scenario {
	return []Scenario{{
		Name: nullControl, Family: nullControl, Benign: true,
		About: "the victim itself goes on, for 150 requests",
		Play:  func(a *Attack) { a.Benign(150) },
	}}
}
