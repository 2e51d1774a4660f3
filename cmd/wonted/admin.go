package main

import (
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/policy/exception"
)

// web serves HTTP for operators: health and metrics for everybody, the rest for
// those on this machine, or with a token or certificate.
type web struct {
	sv       *service
	draining atomic.Bool
}

// metrics is what the metrics listener shows: nothing that changes anything.
func (h *web) metrics() *admin.API {
	api := admin.New(admin.Options{})
	h.health(api)
	api.Open("GET /metrics", "the metrics, for Prometheus", h.exposition())
	return api
}

func (h *web) health(api *admin.API) {
	api.Open("GET /healthz", "ok while the process is alive", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	api.Open("GET /readyz", "whether exchanges are taken, and what an operator should know", h.ready)
}

func (h *web) exposition() http.HandlerFunc {
	return promhttp.HandlerFor(h.sv.reg, promhttp.HandlerOpts{Registry: h.sv.reg}).ServeHTTP
}

// routes is what the admin listener shows, a line a route.
func (h *web) routes() *admin.API {
	api := admin.New(admin.Options{
		Guard: h.sv.guard, Trail: h.sv.trail, Clock: time.Now, Hide: h.sv.key.Hide, Complain: h.sv.complain,
	})
	h.health(api)
	api.Describe()
	api.Read("GET /v1/status", "mode, policy, budget, threshold, whether it is learning, warnings, versions", status{}, h.status)
	api.Read("GET /metrics", "the metrics, for Prometheus", nil, h.exposition())
	api.Read("GET /v1/profiles/{who}", "the profiles that a name, a hash or a value may mean", profileList{}, h.profile)
	api.Write("DELETE /v1/profiles/{who}", "forgets the profile of a hash, in memory and in data_dir", nil, forgotten{}, h.forget)
	api.Write("POST /v1/profiles/{who}/accept", "takes what was anomalous of a hash lately for usual from now on", nil, accepted{}, h.accept)
	api.Read("GET /v1/decisions", "the decisions that were not plainly to allow, the newest first; ?limit=N", decisionList{}, h.decisions)
	api.Read("GET /v1/decisions/{id}", "one of them, by its id", decisionView{}, h.decision)
	api.Read("GET /v1/rules", "the rules that have fired, what the breaker knows of them, and which it has demoted", ruleList{}, h.listRules)
	api.Undo("POST /v1/rules/{rule}/restore", "puts a demoted rule in force again, and takes what it does for usual", restored{}, h.restoreRule)
	api.Read("GET /v1/exceptions", "the exceptions from rules, with how often each was used", exceptionList{}, h.listExceptions)
	api.Write("POST /v1/exceptions", "excepts callers, credentials, addresses, networks or routes from rules for a time", newExceptionBody{}, exception.Exception{}, h.addException)
	api.Write("DELETE /v1/exceptions/{id}", "ends an exception", nil, exception.Exception{}, h.removeException)
	api.Read("GET /v1/quarantines", "who is under quarantine; ?entity=E&value=V: one of them", quarantineList{}, h.listQuarantines)
	api.Read("GET /v1/quarantines/preview", "what a block would hit; ?entity=E&value=V, and as for POST ttl=15m, force=true", quarantineAnswer{}, h.previewQuarantine)
	api.Write("POST /v1/quarantines", "blocks an entity for a time", quarantineBody{}, quarantineAnswer{}, h.addQuarantine)
	api.Undo("DELETE /v1/quarantines/{id}", "releases an entity before its time", released{}, h.releaseQuarantine)
	return api
}

// admin serves the routes on the admin listener.
func (h *web) admin() http.Handler {
	if h.sv.cfg.AdminIsLocal() {
		return localOnly(h.routes())
	}
	return h.routes()
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
	admin.JSON(w, status, profileList{found})
}

// serveHTTP serves until the server is closed. An error is fatal to nobody:
// traffic does not pass here.
func serveHTTP(sv *service, name string, l net.Listener, handler http.Handler, encrypted *tls.Config) *http.Server {
	server := &http.Server{
		Handler: handler, TLSConfig: encrypted, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: log.New(sv.log.With().Str("listener", name).Logger(), "", 0),
	}
	serve := server.Serve
	if encrypted != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	go func() {
		if err := serve(l); err != http.ErrServerClosed {
			sv.trouble.set(name, err.Error())
			sv.log.Error().Err(err).Msgf("the %s listener has stopped", name)
		}
	}()
	return server
}
