package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// profileList is what GET /v1/profiles/{who} answers. Its JSON names are a contract.
type profileList struct {
	Profiles []profileView `json:"profiles"`
}

// profileView is what an analyst sees of a profile. Its JSON names are a
// contract.
type profileView struct {
	ID       string    `json:"id"` // the keyed hash, as reports print it
	Kind     string    `json:"kind"`
	Name     string    `json:"name"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen"`
	AgeS     int64     `json:"age_s"`
	Requests uint32    `json:"requests"`
	Accepted uint32    `json:"accepted"` // of them, learned from
	Sessions uint32    `json:"sessions"`
	InFlight uint16    `json:"in_flight"`

	Cohort     string  `json:"cohort"`     // whom it behaves like: new, person, poller, batch, bursty, service; empty where kinds have none
	Level      string  `json:"level"`      // of maturity: cold, warming, mature
	Confidence float64 `json:"confidence"` // 0 to 1: how much of what is expected of it is its own history

	// What was anomalous and let pass lately; null where nothing was.
	Challenger *scoring.Challenge `json:"challenger"`

	Usual []usual `json:"usual"` // what a window with activity holds

	// The most that one response held and that was ordinary then; 0 where none was learned from.
	LargestResponse struct {
		Records float64 `json:"records"`
		Bytes   float64 `json:"bytes"`
	} `json:"largest_response"`

	// Of callers, credentials, sessions and users; null of other kinds.
	Habits *habitsView `json:"habits"`
}

// usual is one quantity in one window.
type usual struct {
	Quantity string  `json:"quantity"` // requests, new objects, bytes, records, errors
	Window   string  `json:"window"`
	Mean     float64 `json:"mean"`
	Low      float64 `json:"low"`     // two standard deviations below the mean, and not below 0
	High     float64 `json:"high"`    // and above it
	Most     float64 `json:"most"`    // ever, and ordinary then; 0 where that is not kept
	Windows  float64 `json:"windows"` // it was learned from, the old ones counting less
}

type habitsView struct {
	Devices       int         `json:"devices"`  // remembered
	Networks      int         `json:"networks"` // remembered
	DeviceShares  []share     `json:"device_shares"`
	NetworkShares []share     `json:"network_shares"`
	RouteShares   []share     `json:"route_shares"` // the sixteen commonest, by requests
	Objects       int64       `json:"objects"`      // distinct lately, roughly; it remembers some eighty
	Weekday       [24]float64 `json:"weekday"`      // share of all visits by hour
	Weekend       [24]float64 `json:"weekend"`
}

// maxFound bounds an answer: a name may be shared by many.
const maxFound = 50

// findProfiles looks who up as a keyed hash, as a display name, and as a value
// of each kind (an API key, an address), the cheapest first.
func findProfiles(store *profile.Store, resolver *identity.Resolver, who string, now time.Time) []profileView {
	found := matching(store, resolver, who, now)
	nameShares(store, found)
	return found
}

func matching(store *profile.Store, resolver *identity.Resolver, who string, now time.Time) []profileView {
	if k, ok := parseKey(who); ok {
		if v, ok := viewOf(store, k, now); ok {
			return []profileView{v}
		}
	}
	found := []profileView{}
	for kind := profile.KindCaller; int(kind) < profile.KindCount; kind++ {
		if v, ok := viewOf(store, resolver.Key(kind, []byte(who)), now); ok {
			found = append(found, v)
		}
	}
	if len(found) > 0 {
		return found
	}
	name := profile.NameOf(who) // as much as a record keeps
	store.Range(func(r *profile.Record) bool {
		if who != "" && r.Name == name {
			copied := *r
			found = append(found, view(&copied, now))
		}
		return len(found) < maxFound
	})
	return found
}

func viewOf(store *profile.Store, k profile.Key, now time.Time) (profileView, bool) {
	r, pin, ok := store.Find(k)
	if !ok {
		return profileView{}, false
	}
	copied := *r
	pin.Release()
	return view(&copied, now), true
}

// parseKey reads the 32 hex digits that reports print.
func parseKey(s string) (k profile.Key, ok bool) {
	if len(s) != 32 {
		return k, false
	}
	hi, err1 := strconv.ParseUint(s[:16], 16, 64)
	lo, err2 := strconv.ParseUint(s[16:], 16, 64)
	return profile.Key{Hi: hi, Lo: lo}, err1 == nil && err2 == nil
}

func view(r *profile.Record, now time.Time) profileView {
	v := profileView{
		ID: fmt.Sprintf("%016x%016x", r.Key.Hi, r.Key.Lo), Kind: r.Kind.String(), Name: r.Name.String(),
		Created: time.Unix(int64(r.Created), 0).UTC(), LastSeen: time.Unix(int64(r.LastSeen), 0).UTC(),
		Requests: r.Requests, Accepted: r.Accepted, Sessions: r.Sessions, InFlight: r.InFlight,
		Usual: []usual{},
	}
	v.AgeS = max(0, int64(now.Sub(v.Created).Seconds()))
	b, most := &r.Baseline, scoring.MostOf(r)
	v.LargestResponse.Records, v.LargestResponse.Bytes = most.Records, most.Bytes
	for _, q := range []struct {
		quantity, window string
		m                *window.Moments
		most             float64
		logarithmic      bool
	}{
		{"requests", "1m", &b.Requests1m, most.Requests1m, false},
		{"requests", "10m", &b.Requests10m, most.Requests10m, false},
		{"requests", "1h", &b.Requests1h, most.Requests1h, false},
		{"new objects", "10m", &b.New10m, most.NewObjects10m, false},
		{"records", "10m", &b.Records10m, most.Records10m, true},
		{"bytes", "10m", &b.Bytes10m, most.Bytes10m, true},
		{"errors", "10m", &b.Errors10m, 0, false},
	} {
		if q.m.N <= 0 {
			continue
		}
		mean, spread := float64(q.m.Mean), 2*math.Sqrt(q.m.Var())
		u := usual{q.quantity, q.window, mean, mean - spread, mean + spread, q.most, float64(q.m.N)}
		if q.logarithmic { // of log2(1+v)
			u.Mean, u.Low, u.High = math.Exp2(u.Mean)-1, math.Exp2(u.Low)-1, math.Exp2(u.High)-1
		}
		u.Low = max(u.Low, 0)
		v.Usual = append(v.Usual, u)
	}
	switch r.Kind {
	case profile.KindCaller, profile.KindCredential, profile.KindSession, profile.KindUser:
		v.Habits = habits(r.Habits())
		p := scoring.PeersOf(r, uint32(max(now.Unix(), 0)))
		v.Cohort, v.Level = p.Cohort.String(), p.Level.String()
		v.Confidence = scoring.ConfidenceOf(r, uint32(max(now.Unix(), 0)))
		if c := scoring.ChallengeOf(r); c.Times > 0 {
			v.Challenger = &c
		}
	}
	return v
}

func habits(h *profile.Habits) *habitsView {
	v := &habitsView{DeviceShares: shares(h.Devices[:]), NetworkShares: shares(h.Networks[:]), RouteShares: routeShares(h.Endpoints[:])}
	v.Devices, v.Networks = len(v.DeviceShares), len(v.NetworkShares)
	v.Objects = int64(math.Round(h.Objects.Estimate()))
	if total := h.Hours.Total(); total > 0 {
		for hour := range 24 {
			v.Weekday[hour] = float64(h.Hours.Cells[0][hour]) * float64(h.Hours.Scale) / total
			v.Weekend[hour] = float64(h.Hours.Cells[1][hour]) * float64(h.Hours.Scale) / total
		}
	}
	return v
}
