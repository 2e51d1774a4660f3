package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// web serves HTTP for operators: health and metrics for everybody, profiles
// for those on this machine.
type web struct {
	sv       *service
	draining atomic.Bool
}

// public is what the metrics listener shows.
func (h *web) public() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.sv.reg, promhttp.HandlerOpts{Registry: h.sv.reg}))
	return mux
}

// admin is what the admin listener, which is on loopback, shows.
func (h *web) admin() http.Handler {
	mux := h.public()
	mux.HandleFunc("GET /v1/profiles/{who}", h.profile)
	mux.HandleFunc("DELETE /v1/profiles/{who}", h.forget)
	mux.HandleFunc("POST /v1/profiles/{who}/accept", h.accept)
	// What changes something is for programs and for pages of our own.
	return localOnly(http.NewCrossOriginProtection().Handler(mux))
}

// localOnly refuses requests for another name than loopback's: a page in a
// browser on this machine can make its own host name lead here (DNS
// rebinding), and would read profiles.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "the admin listener answers on a loopback address only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready says whether exchanges are taken. Warnings stay in the body: Envoy
// connects to what is ready, and a wonted that only watches is.
func (h *web) ready(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "text/plain; charset=utf-8")
	if h.draining.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "draining")
		return
	}
	fmt.Fprintln(w, "ready")
	for _, warning := range h.sv.warnings() {
		fmt.Fprintln(w, "warning:", warning)
	}
}

// profile answers with every profile that {who} may mean.
func (h *web) profile(w http.ResponseWriter, r *http.Request) {
	found := findProfiles(h.sv.store, h.sv.resolver.Load(), r.PathValue("who"), time.Now())
	status := http.StatusOK
	if len(found) == 0 {
		status = http.StatusNotFound
	}
	writeJSON(w, status, map[string]any{"profiles": found})
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may have gone
}

// serveHTTP serves until the server is closed. An error is fatal to nobody:
// traffic does not pass here.
func serveHTTP(sv *service, name string, l net.Listener, mux http.Handler) *http.Server {
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() {
		if err := server.Serve(l); err != http.ErrServerClosed {
			sv.trouble.set(name, err.Error())
			sv.log.Error().Err(err).Msgf("the %s listener has stopped", name)
		}
	}()
	return server
}
