package demo

import (
	"fmt"
	"time"
)

// The story happens at night, whenever it is told: the demo chooses the time
// zone in which it is about three o'clock right now, and tells wonted so. The
// owner of the stolen key then sleeps, and has always slept at this hour.

// nightHours are hours at which no office works, the best for a story first.
var nightHours = [...]int{3, 2, 4, 1, 23, 22, 0, 21}

// night returns a fixed zone, and its name in the time zone database, in which
// now is a night hour.
//
// Weekends are counted apart from weekdays, so a Saturday before dawn has no
// history of its own in the five days before it: the nightly batch would be as
// new at that hour as the thief. The offsets from -12 to +14 are 27 hours, a
// Saturday has 24: a night that is not Saturday's is always among them.
func night(now time.Time) (*time.Location, string) {
	for _, hour := range nightHours {
		for offset := -12; offset <= 14; offset++ {
			local := now.UTC().Add(time.Duration(offset) * time.Hour)
			if local.Hour() != hour || local.Weekday() == time.Saturday {
				continue
			}
			name := zoneName(offset)
			return time.FixedZone(name, offset*3600), name
		}
	}
	panic("demo: no zone has a night") // 27 offsets cannot all miss: see above
}

// zoneName is the database's name of a whole offset from UTC; POSIX counts
// west of Greenwich as positive.
func zoneName(offset int) string {
	if offset == 0 {
		return "Etc/GMT"
	}
	return fmt.Sprintf("Etc/GMT%+d", -offset)
}
