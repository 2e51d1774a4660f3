package main

import (
	"fmt"
	"slices"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/cmd/wonted/internal/openapi"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring/route"
)

// routesFile is in data_dir: what was learned about routes. Without it they
// would have other names after a restart, until it was learned again, and
// populations and policies that go by names would begin anew.
const routesFile = "routes"

// newRoutes is a table that knows the API's description, the endpoints of
// operations, and what the policies name.
func newRoutes(cfg *config.Config, engines ...*rego.Engine) (*route.Table, error) {
	t := route.New()
	var named []string
	for _, e := range engines {
		named = append(named, e.Routes()...)
	}
	slices.Sort(named)
	t.Keep(slices.Compact(named))
	if err := t.Carry(cfg.Routes.Operations); err != nil {
		return nil, fmt.Errorf("routes.operations: %w", err)
	}
	if cfg.Routes.OpenAPI == "" {
		return t, nil
	}
	described, err := openapi.Load(cfg.Routes.OpenAPI)
	if err == nil {
		if err = t.Seed(described); err != nil {
			err = fmt.Errorf("%s: %w", cfg.Routes.OpenAPI, err)
		}
	}
	if err != nil {
		return nil, advise(fmt.Errorf("routes.openapi: %w", err), "name an OpenAPI 3 description (YAML or JSON), or leave routes.openapi out: routes are learned from traffic")
	}
	return t, nil
}

// openRoutes is newRoutes, and what was learned before.
func (s *service) openRoutes(engine *rego.Engine) (err error) {
	if s.routes, err = newRoutes(s.cfg, engine); err != nil {
		return err
	}
	return s.load(routesFile, "it is learned anew, and words that had become {id} are words until then", s.routes.Load)
}
