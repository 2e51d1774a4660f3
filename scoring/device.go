package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// device: it comes with a device it seldom or never came with.
type device struct{}

func (device) judge(l *look) {
	id := slotID(&l.ex.Entities[profile.KindDevice])
	if id != 0 && l.mature {
		l.context.device = l.place(Device, "devices", drawnOf(l.habits.Devices[:], id), l.habits.DeviceNovelty, l.cohort.newDevice)
	}
}

func (device) learn(l *look, weight float64) {
	if id := slotID(&l.ex.Entities[profile.KindDevice]); id != 0 && (l.session || id != l.rec.Device) {
		draw(l.habits.Devices[:], &l.habits.DeviceNovelty, id, weight)
	}
}
