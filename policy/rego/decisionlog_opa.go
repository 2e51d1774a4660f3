package rego

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/plugins"
	"github.com/open-policy-agent/opa/v1/plugins/logs"
	"github.com/open-policy-agent/opa/v1/server"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

const linesName = "wonted_lines"

// start makes OPA's manager with its decision-log plugin.
func (l *DecisionLog) start() error {
	cfg, own := section{"labels": section{"app": "wonted"}}, section{}
	var names, services []string
	var fetch *fetcher
	if l.cfg.Server.URL != "" {
		var err error
		if fetch, err = newFetcher(l.cfg.Server, 0, uploadBytes); err != nil {
			return err
		}
		cfg["services"] = section{"server": section{"url": fetch.base(), "credentials": section{"plugin": fetcherName}}}
		own["service"], own["resource"] = "server", fetch.url.Path
		services = append(services, "server")
		own["reporting"] = section{"min_delay_seconds": max(1, seconds(l.cfg.Every)/2), "max_delay_seconds": seconds(l.cfg.Every), "buffer_size_limit_bytes": uploadBytes}
	}
	if l.cfg.Lines != nil {
		own["plugin"] = linesName
		names = append(names, linesName)
	}
	manager, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	section, err := json.Marshal(own)
	if err != nil {
		return err
	}
	log := &opaLog{log: l.cfg.Log, about: "decision log", failed: func(text string) { l.upload.failure.Store(&text) }}
	l.manager, err = plugins.New(manager, l.cfg.Name, inmem.New(), plugins.Logger(log), plugins.GracefulShutdownPeriod(flushPatience))
	if err != nil {
		return err
	}
	parsed, err := logs.ParseConfig(section, services, names)
	if err != nil {
		return err
	}
	if fetch != nil {
		l.manager.Register(fetcherName, fetch)
	}
	if l.cfg.Lines != nil {
		l.manager.Register(linesName, lines{out: l.cfg.Lines})
	}
	l.upload.counters = metrics.New()
	l.plugin = logs.New(parsed, l.manager).WithMetrics(l.upload.counters)
	l.manager.Register(logs.Name, l.plugin)
	return l.manager.Start(context.Background())
}

// write masks a decision and hands it to the plugin.
func (l *DecisionLog) write(e *event) {
	l.waiting.Add(-e.size)
	if err := l.publish(e); err != nil {
		l.failures.Add(1)
		return
	}
	l.logged.Add(1)
}

func (l *DecisionLog) publish(e *event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("OPA panics: %v", p)
		}
	}()
	doc, err := ast.JSON(e.input.Value)
	if err != nil {
		return err
	}
	result, err := plainJSON(e.result)
	if err != nil {
		return err
	}
	plain, err := plainJSON(e.custom)
	if err != nil {
		return err
	}
	custom := plain.(map[string]any)
	whole := map[string]any{"input": doc, "result": result, "custom": custom}
	if custom["masked"], err = plainJSON(orNone(l.cfg.Mask(whole))); err != nil {
		return err
	}
	in, out := whole["input"], whole["result"]
	info := &server.Info{
		DecisionID: e.id, Path: "wonted/policy", Timestamp: e.at.UTC(), Revision: e.revision,
		Input: &in, Results: &out, Custom: custom,
	}
	if e.bundle != "" {
		info.Bundles = map[string]server.BundleInfo{bundleName: {Revision: e.bundle}}
	}
	ctx := context.Background()
	if info.Txn, err = l.manager.Store.NewTransaction(ctx); err != nil {
		return err
	}
	defer l.manager.Store.Abort(ctx, info.Txn)
	return l.plugin.Log(ctx, info)
}

// plainJSON is a value as a reader of JSON has it.
func plainJSON(v any) (out any, err error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out, err
}

// lines writes events where OPA's plugin has been through with them.
type lines struct{ out io.Writer }

func (l lines) Log(_ context.Context, e logs.EventV1) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	return err
}

// Start, Stop and Reconfigure make it a plugin.
func (lines) Start(context.Context) error      { return nil }
func (lines) Stop(context.Context)             {}
func (lines) Reconfigure(context.Context, any) {}
