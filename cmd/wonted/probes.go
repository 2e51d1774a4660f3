package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// probesPatience is how long a wonted that cannot start stays to say why: long
// enough for a probe and whoever looks after it, short of keeping up its restart.
const probesPatience = 30 * time.Second

// tellProbes says why wonted cannot start, in the log and, where there is a
// listener for the probes of kubelet, on /readyz, until ctx is done or patience
// ends. It is alive meanwhile, and not ready.
func tellProbes(ctx context.Context, metrics string, why error, log zerolog.Logger) {
	if metrics == "" {
		return
	}
	log.Error().Err(why).Str("hint", hintOf(why)).Msg("wonted cannot start")
	l, err := listen("metrics", metrics)
	if err != nil {
		log.Error().Err(err).Msg("nor tell probes about it")
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "cannot start: %v\n", why)
		if hint := hintOf(why); hint != "" {
			fmt.Fprintln(w, "hint:", hint)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l)
	defer server.Close()
	select {
	case <-ctx.Done():
	case <-time.After(probesPatience):
	}
}
