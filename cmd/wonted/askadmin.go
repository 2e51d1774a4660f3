package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// refusal is what the admin listener answers where it cannot do as asked.
type refusal struct {
	Error string `json:"error"`
	Hint  string `json:"hint"`
}

// askAdmin asks the admin listener of the wonted that is running on this
// machine. An answer of 404 is one, too.
func askAdmin(ctx context.Context, set *settings, method, path string, answer any) error {
	cfg, err := set.load()
	if err != nil {
		return err
	}
	admin := cfg.Admin
	if admin == "" {
		return misuse("--admin names it: host:port", "the configuration has no admin listener")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // to forget means to save all profiles
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+admin+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the URL holds what may be an API key
		}
		return advise(fmt.Errorf("no answer from %s: %w", admin, err),
			"is wonted serve running, and with the same admin address? --admin chooses another")
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err == nil && res.Header.Get("content-type") != "application/json" {
		err = errors.New("not JSON")
	}
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotFound {
		var no refusal
		if err = json.Unmarshal(text, &no); err == nil {
			return advise(errors.New(no.Error), "%s", no.Hint)
		}
	}
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		return advise(fmt.Errorf("%s answered %s, and not as wonted does: %w", admin, res.Status, err),
			"is something else listening there? --admin chooses another address")
	}
	return nil
}
