package main

import (
	"fmt"
	"path/filepath"

	"github.com/wonted-project/wonted/envoy/edge"
)

// openEdge makes what has Envoy itself refuse the addresses and networks that
// are in quarantine, once the table of these is loaded.
func (s *service) openEdge() error {
	if file := s.cfg.Edge.File; file != "" {
		if err := tryWrite(filepath.Dir(file)); err != nil {
			return advise(fmt.Errorf("edge.file: %w", err), "make the directory of %s, writable for this user, or leave edge.file out: Envoy asks for the list then", file)
		}
	}
	s.edge = edge.New(edge.Config{
		Source: s.blocks, Private: s.cfg.Quarantine.Private, File: s.cfg.Edge.File,
		Trouble:    func(text string) { s.trouble.set("edge", text) },
		Log:        s.log,
		Registerer: s.reg,
	})
	return nil
}
