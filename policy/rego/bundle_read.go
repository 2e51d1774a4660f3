package rego

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// registerActivator: OPA's plugin hands what it has fetched to the one activator
// of the process. Ours leaves to OPA's what is not for us, and to OPA the kind of
// store that it would take without.
var registerActivator = sync.OnceFunc(func() {
	bundle.RegisterActivator(activatorName, activator{})
	bundle.RegisterStoreFunc(func() storage.Store { return inmem.New() })
	bundle.RegisterDefaultBundleActivator(activatorName)
})

const activatorName = "wonted"

// activation is a store into which nothing is put: a bundle that is activated in
// it is handed on.
type activation struct {
	storage.Store
	activate func(*bundle.Bundle) error
}

type activator struct{}

func (activator) Activate(opts *bundle.ActivateOpts) error {
	to, ours := opts.Store.(*activation)
	if !ours {
		return new(bundle.DefaultActivator).Activate(opts)
	}
	for _, b := range opts.Bundles {
		if err := to.activate(b); err != nil {
			return err
		}
	}
	return nil
}

// KeptBundle is where below BundleSource.Dir the last good bundle lies.
const KeptBundle = "bundles/" + bundleName + "/bundle.tar.gz"

// IsBundle says whether Load and Check take path for a bundle's file.
func IsBundle(path string) bool { return strings.HasSuffix(path, ".tar.gz") }

// readBundle reads a bundle's file, whoever signed it.
func readBundle(path string) (*files, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := bundle.NewReader(f).WithLazyLoadingMode(true).WithSkipBundleVerification(true).WithRegoVersion(ast.RegoV1).Read()
	if err != nil {
		return nil, problems(err)
	}
	return unpack(&b)
}

// unpack is the policy of a bundle, as read is of a directory: tests and what
// they are made of are left out.
func unpack(b *bundle.Bundle) (*files, error) {
	if b.Type() == bundle.DeltaBundleType {
		return nil, errors.New("this is a delta bundle: a policy comes as a whole (a snapshot)")
	}
	f := newFiles()
	for _, m := range b.Modules {
		f.add(m.Path, m.Parsed, m.Raw)
	}
	if len(f.modules) == 0 {
		return nil, noPolicy()
	}
	var err error
	if f.data, err = dataOf(b); err != nil {
		return nil, err
	}
	f.bundle = b.Manifest.Revision
	return f, f.settle()
}

// dataOf are the data files of a bundle, which OPA leaves as they are where an
// activator is to read them.
func dataOf(b *bundle.Bundle) (map[string]any, error) {
	var raw []bundle.Raw
	for _, r := range b.Raw {
		if !strings.HasSuffix(r.Path, bundle.RegoExt) {
			raw = append(raw, r)
		}
	}
	ctx, store := context.Background(), inmem.NewWithOpts(inmem.OptRoundTripOnWrite(false))
	params := storage.TransactionParams{Write: true, RootOverwrite: true}
	var doc any
	err := storage.Txn(ctx, store, params, func(txn storage.Transaction) error {
		if err := store.Truncate(ctx, txn, params, bundle.NewIterator(raw)); err != nil {
			return err
		}
		var err error
		doc, err = store.Read(ctx, txn, storage.RootPath)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("data files: %w", err)
	}
	data, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("data files: the topmost is not an object")
	}
	return data, nil
}

// older compares revisions that are whole numbers. Others, a commit's hash, say,
// have no order: what a server goes back to is meant.
func older(a, b string) bool {
	x, ok := new(big.Int).SetString(a, 10)
	y, also := new(big.Int).SetString(b, 10)
	return ok && also && x.Cmp(y) < 0
}
