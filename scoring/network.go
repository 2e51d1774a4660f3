package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// network: it comes from a network it seldom or never came from.
type network struct{}

func (network) judge(l *look) {
	id := slotID(&l.ex.Entities[profile.KindNetwork])
	if id != 0 && l.mature {
		l.context.network = l.place(Network, "networks", drawnOf(l.habits.Networks[:], id), l.habits.NetworkNovelty, l.cohort.newNetwork)
	}
}

func (network) learn(l *look, weight float64) {
	if id := slotID(&l.ex.Entities[profile.KindNetwork]); id != 0 && (l.session || id != l.rec.Network) {
		draw(l.habits.Networks[:], &l.habits.NetworkNovelty, id, weight)
	}
}
