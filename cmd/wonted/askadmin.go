package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
)

// answering makes of cmd one that asks a wonted that is running, and prints the
// answer: as JSON, or in words.
func answering[T any](std stdio, cmd *cobra.Command, ask func(ctx context.Context, set *settings, args []string) (T, error), words func(io.Writer, T) error) *cobra.Command {
	var output string
	set := withAdmin(cmd)
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		got, err := ask(cmd.Context(), set, args)
		if err != nil {
			return err
		}
		return print(std.out, output, got, func(w io.Writer) error { return words(w, got) })
	}
	return cmd
}

// asked is what answering asks where the answer to one route is all there is.
func asked[T any](method, path string) func(context.Context, *settings, []string) (T, error) {
	return func(ctx context.Context, set *settings, _ []string) (got T, err error) {
		err = askAdmin(ctx, set, method, path, &got)
		return got, err
	}
}

// askAdmin asks the admin listener of a wonted that is running. An answer of 404
// is one, too.
func askAdmin(ctx context.Context, set *settings, method, path string, answer any) error {
	return sendAdmin(ctx, set, method, path, nil, answer)
}

// sendAdmin is askAdmin with a question that is sent as JSON.
func sendAdmin(ctx context.Context, set *settings, method, path string, question, answer any) error {
	door, err := set.door()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // to forget means to save all profiles
	defer cancel()
	var body io.Reader
	if question != nil {
		b, err := json.Marshal(question)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, door.base+path, body)
	if err != nil {
		return err
	}
	door.introduce(req)
	res, err := door.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the URL holds what may be an API key
		}
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return advise(fmt.Errorf("%s: %w", door.address, err), "--admin-ca names a file with the certificate of who has signed its certificate")
		}
		return advise(fmt.Errorf("no answer from %s: %w", door.address, err),
			"is wonted serve running, and with the same admin address? --admin chooses another")
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err == nil && res.Header.Get("content-type") != "application/json" {
		err = errors.New("not JSON")
	}
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotFound {
		var no admin.Refusal
		if err = json.Unmarshal(text, &no); err == nil {
			return advise(errors.New(no.Error), "%s", no.Hint)
		}
	}
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		return advise(fmt.Errorf("%s answered %s, and not as wonted does: %w", door.address, res.Status, err),
			"is something else listening there? --admin chooses another address")
	}
	return nil
}
