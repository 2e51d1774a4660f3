package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// estate is what a wonted hands to its successor, one line of JSON on the
// control socket. With it travel the open listeners themselves, in the order
// of Doors (SCM_RIGHTS): since both processes then hold the same listeners,
// there is no moment at which nobody listens, and what waits to be accepted
// is accepted by the one that is left.
type estate struct {
	Doors   []passedDoor `json:"doors"`
	DataDir string       `json:"data_dir"` // absolute, with all that was known when it was handed over; empty: memory only
	Error   string       `json:"error"`    // why there is nothing: the rest is empty then
}

// passedDoor is one listener. Its file is the receiver's own, to be closed.
type passedDoor struct {
	Key     string `json:"key"`     // listen, control, admin, metrics
	Setting string `json:"setting"` // what the configuration says of it
	file    *os.File
}

const (
	maxDoors  = 8
	maxEstate = 16 << 10
)

// sendEstate writes e, with one listener for each of its doors.
func sendEstate(conn *net.UnixConn, e estate, open []*listener) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return withFDs(open, nil, func(fds []int) error {
		_, _, err := conn.WriteMsgUnix(append(text, '\n'), syscall.UnixRights(fds...), nil)
		return err
	})
}

// withFDs calls f with the listeners' descriptors, which are good until f
// returns: nobody can close them meanwhile. (File would give copies, and make
// the listeners block.)
func withFDs(open []*listener, fds []int, f func(fds []int) error) error {
	if len(open) == 0 {
		return f(fds)
	}
	l, ok := open[0].Listener.(syscall.Conn)
	if !ok {
		return fmt.Errorf("a listener of type %T has no descriptor", open[0].Listener)
	}
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = withFDs(open[1:], append(fds, int(fd)), f) })
	return errors.Join(err, failed)
}

// receiveEstate is the other end of sendEstate.
func receiveEstate(conn *net.UnixConn) (e estate, err error) {
	text, oob := make([]byte, maxEstate), make([]byte, syscall.CmsgSpace(4*maxDoors))
	n, rights, flags, _, err := conn.ReadMsgUnix(text, oob)
	if err != nil {
		return e, err
	}
	files, err := parseRights(oob[:rights])
	defer func() {
		if err != nil {
			for _, f := range files {
				f.Close()
			}
		}
	}()
	if err != nil {
		return e, err
	}
	if flags&syscall.MSG_CTRUNC != 0 {
		return e, errors.New("not all listeners have arrived")
	}
	for !bytes.HasSuffix(text[:n], []byte("\n")) {
		if n == len(text) {
			return e, errors.New("an answer without an end")
		}
		more, err := conn.Read(text[n:])
		if err != nil {
			return e, err
		}
		n += more
	}
	if err := json.Unmarshal(text[:n], &e); err != nil {
		return e, err
	}
	if len(files) != len(e.Doors) {
		return e, fmt.Errorf("%d listeners were announced, %d have arrived", len(e.Doors), len(files))
	}
	for i := range e.Doors {
		e.Doors[i].file = files[i]
	}
	return e, nil
}

func parseRights(oob []byte) (files []*os.File, err error) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		fds, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			continue // not descriptors
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "passed listener"))
		}
	}
	return files, nil
}
