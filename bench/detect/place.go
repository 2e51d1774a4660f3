package detect

import "math/rand/v2"

// placeKind is what sort of network somebody comes from.
type placeKind uint8

const (
	home    placeKind = iota // an address of one's own, that changes now and then
	office                   // one address for everybody there
	mobile                   // a carrier's: another network of its pool with every session
	server                   // a rack or a cloud instance: one address
	gateway                  // one of several addresses of a partner
	runners                  // machines of a build service: another address with every job
)

// place is where somebody comes from.
type place struct {
	kind    placeKind
	address Address
	weight  float64 // among the places of one identity
	pool    uint16  // of mobile and runners: the first network of the pool
	size    uint16  // and how many it has
}

// now is the address that the place gives today.
func (p *place) now(rng *rand.Rand) Address {
	switch p.kind {
	case mobile, runners:
		u := rng.Float64() // some networks of a pool are far more common than others
		return AddressOf(uint8(p.address.country()), p.pool+uint16(u*u*float64(p.size)), uint8(1+rng.IntN(250)))
	}
	return p.address
}

// settle gives a new identity its places.
func (id *Identity) settle() {
	rng, w := id.rng, id.world
	country := homeCountry(rng)
	fixed := func() Address { return AddressOf(country, uint16(rng.IntN(20_000)), uint8(1+rng.IntN(250))) }
	rack := func() Address {
		return AddressOf(country, uint16(30_000+rng.IntN(2000)), uint8(1+rng.IntN(250)))
	}
	switch id.Class {
	case person:
		id.places = append(id.places, place{kind: home, address: fixed(), weight: .3 + rng.Float64()})
		if rng.Float64() < .5 {
			o := w.offices[rng.IntN(len(w.offices))]
			o.weight = .2 + rng.Float64()
			id.places = append(id.places, o)
			country = uint8(o.address.country())
			id.places[0].address = fixed() // people live where they work
		}
		if rng.Float64() < .7 {
			carrier := rng.IntN(3)
			id.carrier = carrier == 0
			id.places = append(id.places, place{kind: mobile, address: AddressOf(country, 0, 0), weight: rng.Float64() * .8,
				pool: uint16(40_000 + 100*carrier), size: 8})
		}
	case bursty:
		id.places = append(id.places, place{kind: runners, address: AddressOf(uint8(13*rng.IntN(2)), 0, 0), weight: 1, pool: uint16(50_000 + 200*rng.IntN(4)), size: 40})
	case partner:
		first, second := rack(), rack()
		for i := range 3 + rng.IntN(6) {
			a := first
			if i%2 == 1 && rng.Float64() < .5 {
				a = second
			}
			id.places = append(id.places, place{kind: gateway, address: a&^255 | Address(1+rng.IntN(250)), weight: .2 + rng.Float64()})
		}
	default:
		id.places = append(id.places, place{kind: server, address: rack(), weight: 1})
	}
}

// pick draws one of the places by weight.
func pick(rng *rand.Rand, places []place) *place {
	sum := 0.0
	for i := range places {
		sum += places[i].weight
	}
	u := rng.Float64() * sum
	for i := range places {
		if u -= places[i].weight; u < 0 {
			return &places[i]
		}
	}
	return &places[len(places)-1]
}

// fingerprint draws a device: what tells programs apart from outside, TLS hello
// and user agent, not the machine. So thousands share the common ones.
func fingerprint(rng *rand.Rand, c Class) uint32 {
	u := rng.Float64()
	if c == person {
		return 1 + uint32(120*u*u*u) // browsers and apps, by build
	}
	return 1000 + uint32(60*u*u) // libraries
}
