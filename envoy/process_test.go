package envoy_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

func TestFindSaysWhatToDo(t *testing.T) {
	f := func(name, env string, wants ...string) {
		t.Helper()
		t.Setenv("ENVOY", env)
		t.Setenv("PATH", t.TempDir())
		t.Chdir(t.TempDir())
		path, err := envoy.Find()
		if err == nil {
			t.Errorf("%s: found %s", name, path)
			return
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
	f("nowhere", "", "make envoy", "ENVOY")
	f("wrong ENVOY", "/no/such/envoy", "ENVOY=/no/such/envoy", "unset it")
}

func TestFindLooksUpwardsForTheFetchedOne(t *testing.T) {
	root := t.TempDir()
	kept := filepath.Join(root, ".envoy", "bin", "envoy")
	below := filepath.Join(root, "a", "b")
	for _, dir := range []string{filepath.Dir(kept), below} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(kept, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ENVOY", "")
	t.Setenv("PATH", t.TempDir())
	t.Chdir(below)
	if got, err := envoy.Find(); err != nil || got != kept {
		t.Errorf("found %q, %v; want %q", got, err, kept)
	}
}

func TestEnvoyThatCannotStartShowsItsLog(t *testing.T) {
	opts := plain()
	opts.Listen, opts.Admin = "127.0.0.1:0", "127.0.0.1:0"
	notCertificate := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(notCertificate, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	opts.TLS = &envoy.TLS{Certificate: notCertificate, Key: notCertificate}
	_, err := envoy.Start(t.Context(), envoytest.Find(t), opts, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v; want Envoy's own words about the certificate", err)
	}
}

func TestEnvoyEndsWithItsContextAndWithStop(t *testing.T) {
	opts := plain()
	opts.Listen, opts.Admin = "127.0.0.1:0", "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	p, err := envoy.Start(ctx, envoytest.Find(t), opts, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.Done()
	p.Stop() // of one that is gone: nothing to do
}
