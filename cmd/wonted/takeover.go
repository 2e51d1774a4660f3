package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// A take-over, serve --takeover, is a restart without a moment of nobody. The
// successor and the wonted that is running talk over a control socket beside
// the one that Envoy knows, which only their own user may connect to:
//
//	successor                            the one that runs
//	connects, says greeting
//	                                     saves its profiles, and from now on writes no more
//	                                     answers: its listeners (see estate)
//	loads the profiles and the policy,
//	serves on the same listeners
//	says serving
//	                                     accepts no more, finishes what is under way,
//	                                     ends without saving
//	is told by the end of the connection
//
// Until serving is said the old one goes on as before if the successor fails,
// and nothing is lost. After that, what the old one has learned since it saved
// is: the exchanges of the seconds in which the successor started, and those
// under way at the change. They teach nothing; no request fails. Who is put under
// quarantine meanwhile both know: they share its journal until the old one ends.
const (
	greeting = "wonted takeover 1\n"
	serving  = "serving\n"

	controlSuffix = ".takeover"
	controlMode   = 0o600

	saveWait  = 2 * time.Minute // for a snapshot of all profiles
	startWait = 5 * time.Minute // for a successor to load them
)

// predecessor is the wonted that a successor takes over from. A nil one is
// nobody: then everything is as at a plain start.
type predecessor struct {
	conn *net.UnixConn
	estate
}

// controlPath is where the wonted on a listen address can be taken over.
func controlPath(listen string) (string, error) {
	if listen == config.DefaultSocket {
		listen = defaultPlaces().find()
	}
	network, path, err := config.SplitListen(listen)
	if err != nil {
		return "", err
	}
	if network != "unix" || strings.HasPrefix(path, "@") {
		return "", fmt.Errorf("%s is no socket with a path", listen)
	}
	return path + controlSuffix, nil
}

// takeOver asks the wonted that runs on cfg.Listen for its listeners and its
// latest profiles. Where none runs it returns nil.
func takeOver(ctx context.Context, cfg *config.Config, log zerolog.Logger) (*predecessor, error) {
	path, err := controlPath(cfg.Listen)
	if err != nil {
		return nil, misuse("listen on unix:///path, or stop the old wonted before the new one starts", "--takeover: %w", err)
	}
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		log.Info().Msg("no wonted is running here: nothing to take over")
		return nil, nil // one without a control socket is found when its socket is in use
	case errors.Is(err, fs.ErrPermission):
		return nil, advise(fmt.Errorf("take over: %w", err), "run this wonted as the user of the one that is running")
	case err != nil:
		return nil, fmt.Errorf("take over: %w", err)
	}
	p := &predecessor{conn: c.(*net.UnixConn)}
	// A signal ends the wait; the old one then goes on.
	defer context.AfterFunc(ctx, func() { p.conn.SetDeadline(time.Unix(1, 0)) })()
	if err := p.ask(); err != nil {
		p.close()
		return nil, advise(fmt.Errorf("take over: %w", err), "the wonted that is running goes on; its log says more")
	}
	if ours, _ := filepath.Abs(cfg.DataDir); p.DataDir == "" || cfg.DataDir == "" || p.DataDir != ours {
		log.Warn().Str("theirs", p.DataDir).Str("data_dir", cfg.DataDir).
			Msg("what the wonted that is running knows is lost: profiles are handed over in a data_dir, the same for both")
	}
	return p, nil
}

func (p *predecessor) ask() (err error) {
	p.conn.SetDeadline(time.Now().Add(saveWait))
	defer p.conn.SetDeadline(time.Time{})
	if _, err := p.conn.Write([]byte(greeting)); err != nil {
		return err
	}
	if p.estate, err = receiveEstate(p.conn); err != nil {
		return fmt.Errorf("no listeners have come: %w", err)
	}
	if p.Error != "" {
		return errors.New(p.Error)
	}
	return nil
}

// door is a listener of the predecessor's, nil where it has none under that
// key or where the setting now says something else.
func (p *predecessor) door(key, setting string) (*listener, error) {
	if p == nil {
		return nil, nil
	}
	for i := range p.Doors {
		d := &p.Doors[i]
		// Where to find the socket cannot have changed: that is how we met.
		if d.Key != key || d.Setting != setting && key != "listen" && key != "control" {
			continue
		}
		l, err := net.FileListener(d.file)
		if err != nil {
			return nil, fmt.Errorf("take over %s: %w", key, err)
		}
		return adopt(l)
	}
	return nil, nil
}

// dismiss tells the predecessor that we serve. ended is called when it has ended.
func (p *predecessor) dismiss(log zerolog.Logger, ended func()) {
	if p == nil {
		return
	}
	if _, err := p.conn.Write([]byte(serving)); err != nil {
		log.Warn().Err(err).Msg("the wonted before this one has ended by itself")
		return
	}
	go func() { // until it ends, or we do
		_, err := bufio.NewReader(p.conn).ReadByte()
		ended()
		if !errors.Is(err, net.ErrClosed) {
			log.Info().Msg("the wonted before this one has ended")
		}
	}()
}

func (p *predecessor) close() {
	if p == nil {
		return
	}
	for _, d := range p.Doors {
		if d.file != nil {
			d.file.Close()
		}
	}
	p.conn.Close()
}

// adopt makes a listener of one that another process has opened. Its socket
// file is ours from now on.
func adopt(l net.Listener) (*listener, error) {
	a := l.Addr()
	if a.Network() != "unix" {
		return newListener(l, a.String()), nil
	}
	made := newListener(l, "unix://"+a.String())
	var err error
	if made.socket, err = os.Lstat(a.String()); err != nil {
		l.Close()
		return nil, fmt.Errorf("take over %s: %w", a, err)
	}
	made.path = a.String()
	return made, nil
}
