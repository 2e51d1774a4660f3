package main

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// player takes recorded exchanges through identity, Gate, scorer and policy as
// a live stream does, one after the other, each at its own time. The Gate is in
// shadow: what is recorded has happened, so the verdict is what would have been
// done. One goroutine owns a player.
type player struct {
	who    *identity.Resolver
	scorer *scoring.Scorer
	signs  *signin.Table
	gate   *policy.Gate
	c      policy.Case
	versus *comparison    // nil: there is one policy
	odd    *policy.Report // what the Gate reported at Close (comparing: B's); nil: nothing
	tally  tally
	now    time.Time
	late   int // exchanges that came too late to be put in order
	count  uint64
}

// Access logs name callers where no header does: users that the server has
// signed in, and hosts where it looks their names up. These rules come after the
// configured ones.
var (
	logUser = logRule(recorded.LogUser)
	logHost = logRule(recorded.LogHost)
)

func logRule(key string) identity.Rule {
	at := recorded.LogNamespace + ":" + key
	return identity.Rule{Kind: "caller", Metadata: at, Name: "metadata:" + at}
}

// withLogRules adds them to rules, unless those read the same themselves.
func withLogRules(rules identity.Config) identity.Config {
	for _, more := range []identity.Rule{logUser, logHost} {
		if !slices.ContainsFunc(rules, func(r identity.Rule) bool { return r.Kind == more.Kind && r.Metadata == more.Metadata }) {
			rules = append(slices.Clip(rules), more)
		}
	}
	return rules
}

// newPlayer plays to the configured policy; or to another, or to two that are
// compared: directories.
func newPlayer(cfg *config.Config, secret identity.Secret, log zerolog.Logger, policies ...string) (*player, error) {
	who, err := identity.New(withLogRules(cfg.Identity), secret, cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	signs, err := signin.New(cfg.Login)
	if err != nil {
		return nil, err
	}
	if len(policies) == 0 {
		from, err := policyOf(cfg)
		if err != nil {
			return nil, err
		}
		policies = []string{from}
	}
	engines := make([]*rego.Engine, len(policies))
	for i, dir := range policies {
		if engines[i], err = loadPolicy(dir); err != nil {
			return nil, err
		}
		for _, w := range engines[i].Warnings() { // a rule that cannot fire would pass for one that hits nobody
			log.Warn().Msgf("policy: %v", w)
		}
	}
	routes, err := newRoutes(cfg, engines...)
	if err != nil {
		return nil, err
	}
	zone := cfg.Timezone.Location
	scorer := scoring.New(scoring.Config{
		Store: profile.New(cfg.Profile), Routes: routes, Location: zone, VersionHeaders: cfg.Routes.VersionHeaders, Cohorts: cfg.Cohorts,
		Calibrator: calibrate.New(calibration(cfg.Budget)),
	})
	p := &player{who: who, scorer: scorer, signs: signs, tally: newTally(zone)}
	gate := policy.Config{
		Scorer:  scorer,
		Decider: engines[0], Mode: policy.Shadow, Rules: cfg.Rules, Fail: cfg.Fail, Sink: p, Log: log, Location: zone,
		Deadline: -1, // event time does not pass while a decision is made
	}
	blocks := func() policy.Quarantines {
		return quarantine.New(quarantine.Options{Config: cfg.Quarantine, Trusting: cfg.TrustedProxies > 0, Log: zerolog.Nop(), Key: who.Key})
	}
	if len(engines) == 2 {
		p.versus = newComparison(scorer, gate, policies, engines, blocks)
		gate.Scorer, gate.Decider, gate.Sink = p.versus, onlooker(engines), nil
	} else {
		gate.Blocks = blocks()
	}
	p.gate = policy.NewGate(gate)
	return p, nil
}

// Report implements policy.Sink.
func (p *player) Report(r *policy.Report) { p.odd = r }

// next plays one exchange of a tape, and shows it where it was odd.
func (p *player) next(m moment, in *tape, show show) error {
	p.tally.file, p.tally.line = m.file.name, m.line
	odd, err := p.play(m.exchange)
	if err != nil {
		if m.file.refused++; m.file.refusal == nil {
			m.file.refusal = &recorded.LineError{Line: m.line, Err: err}
		}
		return nil
	}
	if p.versus != nil {
		d := p.versus.differs.last
		if d == nil {
			return nil
		}
		d.File = in.label(m.file)
		return show.differ(d)
	}
	if odd == nil {
		return nil
	}
	return show.exchange(&oddExchange{odd, m.line, in.label(m.file)})
}

// play judges one exchange. It returns the Gate's report where it was not
// plainly allowed, and an error if the exchange cannot be made.
func (p *player) play(r *recorded.Exchange) (*policy.Report, error) {
	p.c.Reset()
	p.odd = nil
	ex := &p.c.Exchange
	if err := r.Fill(ex); err != nil {
		return nil, err
	}
	if p.count++; ex.ID == (scoring.ID{}) {
		binary.BigEndian.PutUint64(ex.ID[8:], p.count)
	}
	if r.Time.Before(p.now) { // time never goes back, here as live
		p.late++
		ex.Time = p.now
	}
	p.now = ex.Time

	asks(ex, p.scorer, r.RequestBody)
	p.who.Resolve(ex)
	verdict := p.gate.Open(&p.c)
	if signs(ex, p.signs, p.who, r.RequestBody) {
		verdict = p.gate.Attempt(&p.c, p.now)
	}
	if r.Answered() {
		r.Answer(ex)
		p.signs.Answered(ex)
		if verdict = p.gate.Answer(&p.c, p.now); verdict.Body {
			r.Body(ex)
			verdict = p.gate.Meter(&p.c, p.now)
		} else if p.versus != nil {
			p.versus.unscored(ex, r, p.now)
		}
	}
	action := verdict.Action
	p.gate.Close(&p.c, r.End(), p.now)
	if p.versus != nil {
		action = p.versus.b.verdict.Action
	}
	p.tally.add(ex, action, p.odd)
	if p.versus != nil {
		p.versus.compare(ex, &p.tally)
	}
	return p.odd, nil
}

// asks sets the operation that an exchange asks for, where the recording does not
// say it: by its body.
func asks(ex *scoring.Exchange, scorer *scoring.Scorer, body string) {
	if ex.Operation == "" && body != "" && scorer.OperationInBody(ex) {
		scorer.ReadOperation(ex, []byte(body))
	}
}

// signs sets whom an exchange is to sign in, where it is to sign in somebody: by
// its body, as it was recorded.
func signs(ex *scoring.Exchange, table *signin.Table, who *identity.Resolver, body string) bool {
	if table.Look(ex) == signin.Nothing {
		return false
	}
	name, attempt := table.Read(ex, []byte(body))
	if !attempt {
		return false
	}
	if name == nil {
		name = ex.ID[:]
	}
	if key, ok := recorded.User(name); ok {
		ex.SignIn.User = key
	} else {
		who.Subject(ex, name)
	}
	return true
}
