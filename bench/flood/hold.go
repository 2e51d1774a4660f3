package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
)

// holdCommand makes this program the client, a process of its own, so that what
// streams cost it is not counted for the server:
//
//	flood hold SOCKET N
const holdCommand = "hold"

// hold says a line once all are open, and keeps them until its input ends.
func hold(socket, n string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	count, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	o, err := newOpener(socket)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.hold(ctx, count); err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// holder is such a process.
type holder struct {
	cmd *exec.Cmd
	in  io.Closer
}

// startHolder returns when n exchanges are open.
func startHolder(ctx context.Context, socket string, n int) (*holder, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &holder{cmd: exec.CommandContext(ctx, self, holdCommand, socket, strconv.Itoa(n))}
	h.cmd.Stderr = os.Stderr
	in, err := h.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	h.in = in
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	var line string
	if _, err := fmt.Fscanln(out, &line); err != nil || line != "open" {
		return nil, errors.Join(fmt.Errorf("the client said %q: %w", line, err), h.leave(true))
	}
	return h, nil
}

// leave ends the client: cut off, as when Envoy crashes, or in order.
func (h *holder) leave(cut bool) error {
	if cut {
		_ = h.cmd.Process.Kill() // it may have ended by itself
		_ = h.cmd.Wait()         // killed, as it was meant
		return nil
	}
	h.in.Close()
	return h.cmd.Wait()
}
