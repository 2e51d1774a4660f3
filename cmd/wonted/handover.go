package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"
)

// handover is the side of a take-over that goes: see takeover.go.
type handover struct {
	sv    *service
	doors *doors
	taken chan struct{} // closed once a successor serves
	conn  net.Conn      // to it: that it is closed tells that we have ended
}

// errLent is why nothing is written for a while.
var errLent = errors.New("another wonted is taking over and reads data_dir")

// offer waits for successors, one at a time, until the control socket closes.
func (s *service) offer(d *doors) *handover {
	h := &handover{sv: s, doors: d, taken: make(chan struct{})}
	if d.control == nil {
		return h
	}
	go func() {
		for {
			conn, err := d.control.Accept()
			if err != nil {
				return
			}
			if err := h.serve(conn.(*net.UnixConn)); err != nil {
				conn.Close()
				s.log.Warn().Err(err).Msg("no successor: this wonted goes on")
				continue
			}
			h.conn = conn
			close(h.taken)
			return
		}
	}()
	return h
}

// serve talks with one successor; without an error it has taken over.
func (h *handover) serve(conn *net.UnixConn) error {
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReaderSize(conn, 64)
	if line, err := in.ReadSlice('\n'); err != nil || string(line) != greeting {
		return fmt.Errorf("%q is not how a successor begins: %w", line, err)
	}
	h.sv.log.Info().Msg("a successor has come: saving profiles for it")
	err := h.sv.lend()
	conn.SetDeadline(time.Now().Add(startWait))
	if err != nil {
		sent := sendEstate(conn, estate{Error: "the wonted that is running could not save its profiles: " + err.Error()}, nil)
		return errors.Join(err, sent)
	}
	if err := h.bequeath(conn); err != nil {
		h.sv.reclaim()
		return err
	}
	if line, err := in.ReadSlice('\n'); err != nil || string(line) != serving {
		h.sv.reclaim()
		return fmt.Errorf("the successor has gone before it served: %w", err)
	}
	return nil
}

func (h *handover) bequeath(conn *net.UnixConn) error {
	cfg := h.sv.cfg
	var e estate
	if cfg.DataDir != "" {
		dir, err := filepath.Abs(cfg.DataDir)
		if err != nil {
			return err
		}
		e.DataDir = dir
	}
	var open []*listener
	for _, d := range []struct {
		key, setting string
		l            *listener
	}{
		{"listen", cfg.Listen, h.doors.stream},
		{"control", "", h.doors.control},
		{"admin", cfg.Admin, h.doors.admin},
		{"metrics", cfg.Metrics, h.doors.metrics},
	} {
		if d.l != nil {
			e.Doors = append(e.Doors, passedDoor{Key: d.key, Setting: d.setting})
			open = append(open, d.l)
		}
	}
	return sendEstate(conn, e, open)
}

// close tells the successor, if there is one, that we have ended.
func (h *handover) close() {
	select {
	case <-h.taken:
		h.conn.Close()
	default:
	}
}

// lend saves, and leaves data_dir to a successor.
func (s *service) lend() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.lent {
		return errLent
	}
	if s.cfg.DataDir != "" {
		if err := s.write(); err != nil {
			return err
		}
	}
	s.blocks.Share(time.Now()) // who is blocked from now on, the successor must know as well
	s.lent = true
	return nil
}

// reclaim takes data_dir back, and says whether it was lent.
func (s *service) reclaim() (lent bool) {
	s.saving.Lock()
	defer s.saving.Unlock()
	if lent, s.lent = s.lent, false; lent {
		s.blocks.Alone(time.Now())
	}
	return lent
}
