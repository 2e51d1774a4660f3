package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wonted": main})
}

// Each testdata/*.txtar runs the real program; commands_test.go has what the
// scripts can do beside that.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"get":      getURL,
			"envsubst": envSubst,
			"occupy":   occupy,
			"stale":    staleSocket,
			"signal":   signalAll,
			"exchange": exchange,
		},
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
