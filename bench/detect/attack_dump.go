package detect

import "github.com/wonted-project/wonted/scoring"

// dumps take data: from where the victim is, as the victim, only more.
func dumps() []Scenario {
	volume := []scoring.Detector{scoring.Volume, scoring.Bulk}
	return []Scenario{
		{Name: "dump_x30", Family: "dump", Meant: volume, Suits: lists,
			About: "40 lists of 30 times the usual length, one in 2 s",
			Play: func(a *Attack) {
				for range 40 {
					a.Play(a.list(30))
					a.Wait(2 * second)
				}
			}},
		{Name: "dump_10_10000", Family: "dump", Meant: volume, Suits: tens,
			About: "10 records are usual; 20 answers of 10,000, one in 5 s",
			Play: func(a *Attack) {
				for range 20 {
					a.Play(a.records(10_000))
					a.Wait(5 * second)
				}
			}},
		{Name: "dump_single", Family: "dump", Meant: volume, Suits: tens,
			About: "10 records are usual; one answer of 10,000",
			Play:  func(a *Attack) { a.Play(a.records(10_000)) }},
	}
}

// lists says that the identity reads lists.
func lists(id *Identity) bool { return id.Class != bursty }

// tens says that what it reads are lists of ten or so.
func tens(id *Identity) bool { return lists(id) && id.Class != batch && id.limit <= 20 }

// ownList is the list that the victim's class reads most.
func (a *Attack) ownList() uint8 {
	switch a.Victim.Class {
	case poller:
		return getStock
	case batch:
		return getExport
	}
	return getOrders
}

// list is a list of the victim's, times as long as usual.
func (a *Attack) list(times float64) Call {
	c := a.Call(a.ownList())
	_, usual := a.Victim.sizes(&c, 0, .5)
	return a.records(int64(times * float64(max(usual, 1))))
}

// records is a list of the victim's with so many records.
func (a *Attack) records(n int64) Call {
	c := a.Call(a.ownList())
	c.Limit = uint32(n)
	e := &api[c.Route]
	c.Status, c.Records = e.status, n
	c.Bytes = int64(e.fixed + float64(n)*e.each*a.Victim.size)
	return c
}
