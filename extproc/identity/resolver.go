package identity

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Resolver sets the entities of exchanges. It does not change once made, and
// any number of goroutines may use it.
type Resolver struct {
	keys    keyer
	trusted int
	kinds   []rules
}

// rule is a Rule made ready.
type rule struct {
	kind   profile.Kind
	source source
	name   source
	text   string // "header x-api-key"
}

// rules are those of one kind, in order.
type rules struct {
	kind profile.Kind
	list []rule
}

// New makes a Resolver. trustedProxies is how many hops in front of Envoy may
// write X-Forwarded-For.
func New(config Config, key Secret, trustedProxies int) (*Resolver, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if trustedProxies < 0 || trustedProxies > 32 {
		return nil, fmt.Errorf("trusted_proxies: %d; allowed are 0 to 32", trustedProxies)
	}
	r := &Resolver{keys: newKeyer(key), trusted: trustedProxies}
	for _, kind := range []profile.Kind{profile.KindCaller, profile.KindCredential, profile.KindSession, profile.KindUser} {
		of := rules{kind: kind}
		for _, c := range config {
			if one, err := c.compile(); err != nil {
				return nil, err
			} else if one.kind == kind {
				of.list = append(of.list, one)
			}
		}
		if of.list != nil {
			r.kinds = append(r.kinds, of)
		}
	}
	return r, nil
}

// Key is the entity that a value names under a kind: what Resolve sets when a
// rule finds that value. Addresses and networks are written as Resolve shows
// them: "192.0.2.7", "2001:db8::/64", "192.0.2.0/24", "2001:db8::/48"; a device
// is its JA4. The result is never the zero Key.
func (r *Resolver) Key(kind profile.Kind, value []byte) profile.Key {
	return r.keys.kinds[kind].hash(value)
}

// Subject sets SignIn.User of an exchange that signs in whoever has this name.
func (r *Resolver) Subject(ex *scoring.Exchange, name []byte) {
	ex.SignIn.User = r.Key(profile.KindUser, name)
}

// Resolve sets Address, Entities, Companion, Contested, ACR and AuthTime of an
// exchange whose request is filled in. What it sets points into the exchange. It
// allocates nothing once the exchange's Names have room.
func (r *Resolver) Resolve(ex *scoring.Exchange) {
	if ex.Names == nil {
		ex.Names = make([]byte, 0, 256)
	}
	ex.Names = ex.Names[:0]
	ex.Entities = [profile.KindCount]scoring.Identity{}
	ex.Companion, ex.Contested = profile.Key{}, false
	ex.ACR, ex.AuthTime = nil, 0
	r.place(ex)
	r.device(ex)
	for i := range r.kinds {
		r.name(ex, &r.kinds[i])
	}
	assure(ex)
}

// place sets address and network. A Unix socket or a garbled attribute has neither.
func (r *Resolver) place(ex *scoring.Exchange) {
	ex.Address = clientAddress(ex, r.trusted)
	if !ex.Address.IsValid() {
		return
	}
	start := len(ex.Names)
	if ex.Address.Is4() {
		ex.Names = ex.Address.AppendTo(ex.Names)
	} else {
		ex.Names = host(ex.Address).AppendTo(ex.Names)
	}
	r.always(ex, profile.KindAddress, start, "source address")
	start = len(ex.Names)
	ex.Names = network(ex.Address).AppendTo(ex.Names)
	r.always(ex, profile.KindNetwork, start, "source address")
}

// always sets an entity that is named by what was just written to Names.
func (r *Resolver) always(ex *scoring.Exchange, kind profile.Kind, start int, text string) {
	name := ex.Names[start:len(ex.Names):len(ex.Names)]
	ex.Entities[kind] = scoring.Identity{Kind: kind, Key: r.Key(kind, name), Name: name, Rule: text}
}

// device is the TLS client's fingerprint, which comes by a way that the client
// cannot write; without TLS it is the user agent. No user agent at all is a
// device, too: leaving it out must not be a way of having none.
func (r *Resolver) device(ex *scoring.Exchange) {
	id := scoring.Identity{Kind: profile.KindDevice}
	if ja4 := bytes.TrimSpace(ex.JA4); len(ja4) > 0 {
		id.Key, id.Verified, id.Rule = r.Key(profile.KindDevice, ja4), true, "ja4"
		id.Name = display(ex, ja4)
	} else {
		var agent []byte
		for i := range ex.Headers {
			if h := &ex.Headers[i]; string(h.Name) == "user-agent" {
				agent = bytes.TrimSpace(h.Value)
				break
			}
		}
		id.Key, id.Rule = r.keys.agent.hash(agent), "user agent"
		id.Name = display(ex, agent)
	}
	ex.Entities[profile.KindDevice] = id
}

// name applies the rules of one kind: the first verified value, else the first
// value, is the entity.
func (r *Resolver) name(ex *scoring.Exchange, of *rules) {
	key := r.keys.kinds[of.kind]
	var all [maxRules]found
	win := -1
	for i := range of.list {
		s := &of.list[i].source
		if s.op == opAddress {
			all[i].value = ex.Entities[profile.KindAddress].Name
		} else {
			all[i] = s.read(ex, key)
			ex.Contested = ex.Contested || s.op.single() && all[i].isContested()
		}
		if all[i].usable() && (win < 0 || s.op.verified() && !of.list[win].source.op.verified()) {
			win = i
		}
	}
	if win >= 0 {
		won := &of.list[win]
		ex.Entities[of.kind] = scoring.Identity{
			Kind: of.kind, Key: key.hash(all[win].value),
			Name:     r.display(ex, won, all[win].value),
			Verified: won.source.op.verified(), Rule: won.text,
		}
	}
	if of.kind == profile.KindCaller {
		ex.Companion = companion(of, &all, win, key)
	}
}

// companion is the first of the other findings that disagrees with the winner.
// The address is everybody's fallback and says nothing against anybody.
func companion(of *rules, all *[maxRules]found, win int, key sipKey) profile.Key {
	for i := range of.list {
		f := &all[i]
		switch {
		case i == win || f.value == nil || of.list[i].source.op == opAddress:
		case f.contested != profile.Key{}:
			return f.contested
		case win >= 0 && !bytes.Equal(f.value, all[win].value):
			return key.hash(f.value)
		}
	}
	return profile.Key{}
}

// display is the name that a rule gives the entity it has found.
func (r *Resolver) display(ex *scoring.Exchange, won *rule, value []byte) []byte {
	switch won.name.op {
	case opNone:
		if won.source.op == opAddress {
			return value // an address is no secret, and it is who
		}
		return nil
	case opMask:
		name := display(ex, value[:min(len(value)/3, 11)])
		ex.Names = append(ex.Names, "…"...) // display has written last
		return ex.Names[len(ex.Names)-len(name)-len("…") : len(ex.Names) : len(ex.Names)]
	}
	f := won.name.read(ex, r.keys.kinds[won.kind])
	return display(ex, f.value)
}

// maxName bounds a display name, in bytes. A profile keeps fewer still.
const maxName = 64

// display copies text for people's eyes: at most maxName bytes, and nothing
// that a terminal would obey.
func display(ex *scoring.Exchange, text []byte) []byte {
	start := len(ex.Names)
	ascii := 0
	for ascii < min(len(text), maxName) && text[ascii] >= ' ' && text[ascii] <= '~' {
		ascii++
	}
	ex.Names = append(ex.Names, text[:ascii]...)
	text = text[ascii:]
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		if len(ex.Names)-start+n > maxName {
			break
		}
		if c == utf8.RuneError && n == 1 || c < ' ' || c >= 0x7f && c < 0xa0 || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			ex.Names = append(ex.Names, '?')
		} else {
			ex.Names = append(ex.Names, text[:n]...)
		}
		text = text[n:]
	}
	return ex.Names[start:len(ex.Names):len(ex.Names)]
}
