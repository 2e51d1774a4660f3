package main

import (
	"net/http"
	"time"
)

// doors are the listeners; those that are not wanted are nil.
type doors struct{ stream, control, admin, metrics *listener }

// openDoors opens all listeners or none. What a predecessor has open under the
// same setting is taken from it.
func (s *service) openDoors(before *predecessor) (d *doors, err error) {
	d = &doors{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	open := func(key, setting string) (*listener, error) {
		if l, err := before.door(key, setting); l != nil || err != nil {
			return l, err
		}
		return listen(key, setting)
	}
	if d.stream, err = open("listen", s.cfg.Listen); err != nil {
		return d, err
	}
	if s.cfg.Admin != "" {
		if d.admin, err = open("admin", s.cfg.Admin); err != nil {
			return d, err
		}
	}
	if s.cfg.Metrics != "" {
		if d.metrics, err = open("metrics", s.cfg.Metrics); err != nil {
			return d, err
		}
	}
	d.control, err = s.openControl(d.stream, before)
	return d, err
}

// openControl opens the socket on which a successor asks. Without it wonted
// serves all the same, and can be stopped and started.
func (s *service) openControl(stream *listener, before *predecessor) (*listener, error) {
	if l, err := before.door("control", ""); l != nil || err != nil {
		return l, err
	}
	if stream.path == "" {
		return nil, nil
	}
	l, err := listenSocket("listen", stream.path+controlSuffix, controlMode)
	if err != nil {
		s.log.Warn().Err(err).Msg("this wonted cannot be taken over by another (serve --takeover)")
		return nil, nil
	}
	return l, nil
}

// settle is how long a connection that was just accepted may take to reach
// the server that it is for: until then a server that is told to stop closes
// it unheard.
const settle = 50 * time.Millisecond

// leave gives the doors to a successor that holds them, too.
func (d *doors) leave(pages []*http.Server) {
	for _, l := range d.all() {
		l.leave()
	}
	for _, p := range pages {
		p.SetKeepAlivesEnabled(false) // whoever asks again asks the successor
	}
	time.Sleep(settle)
}

func (d *doors) close() {
	for _, l := range d.all() {
		l.Close()
	}
}

func (d *doors) all() (open []*listener) {
	for _, l := range []*listener{d.stream, d.control, d.admin, d.metrics} {
		if l != nil {
			open = append(open, l)
		}
	}
	return open
}
