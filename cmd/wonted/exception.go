package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy/exception"
)

// newException lists, adds and removes exceptions of a running wonted.
func newException(std stdio) *cobra.Command {
	return group("exception", "Except somebody from rules for a time",
		newExceptionList(std), newExceptionAdd(std), newExceptionRemove(std))
}

func newExceptionList(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "list", Short: "List the exceptions, with how often each was used",
		Long: `List the exceptions from rules, those that end first first, with how often each
was used and when last. Expired ones stay listed for 30 days.`,
		Args: noArgs,
	}, asked[exceptionList](http.MethodGet, "/v1/exceptions"), listExceptions)
}

func listExceptions(w io.Writer, got exceptionList) error {
	if len(got.Exceptions) == 0 {
		_, err := fmt.Fprintln(w, "there are no exceptions")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tOF\tOWNER\tREASON\tSTATE\tEXPIRES\tHITS\tLAST")
	for _, x := range got.Exceptions {
		last := "-"
		if x.LastHit != nil {
			last = x.LastHit.Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", x.ID, x.Of(), x.Owner, x.Reason, x.State, x.Expires.Format(time.RFC3339), x.Hits, last)
	}
	return t.Flush()
}

func newExceptionAdd(std stdio) *cobra.Command {
	var expires string
	var body newExceptionBody
	cmd := &cobra.Command{
		Use: "add --owner WHO --reason WHY --ttl 24h [--caller …] [--rule …] …", Short: "Except exchanges from rules until a time",
		Long: `Except exchanges from rules until a time. The exception is of exchanges to which
all applies that is named: a caller or credential (by name, hash or value; hashes
are kept), an address or network, a route, a rule. Without --rule it lifts all
rules: deny, challenge, throttle and response budgets (the rule response_budget).
A quarantine stays; wonted quarantine release ends that.

What an exception lifts is a shadow verdict, in reports, wonted_rule_verdicts_total
and wonted_exception_hits_total. It ends with the requests that come at the moment
that it names or later.`,
		Example: `  wonted exception add --caller acme --rule exports --owner jo@example.com \
    --reason "migration, agreed with sales" --ttl 48h
  wonted exception add --network 203.0.113.0/24 --owner jo --reason "load test" --expires 2026-12-01T18:00:00Z`,
		Args: noArgs,
	}
	f := cmd.Flags()
	f.StringVar(&body.Caller, "caller", "", "caller: name, hash or value")
	f.StringVar(&body.Credential, "credential", "", "credential: name, hash or value")
	f.StringVar(&body.Address, "address", "", "address, 203.0.113.7")
	f.StringVar(&body.Network, "network", "", "network, 203.0.113.0/24")
	f.StringVar(&body.Route, "route", "", `route, "GET /v1/export"`)
	f.StringVar(&body.Rule, "rule", "", "rule, by its id; without it all rules")
	f.StringVar(&body.Owner, "owner", "", "who answers for it")
	f.StringVar(&body.Reason, "reason", "", "why")
	f.StringVar(&body.TTL, "ttl", "", "for how long: 90m, 24h")
	f.StringVar(&expires, "expires", "", "until when: 2026-12-31T18:00:00Z")
	return answering(std, cmd, func(ctx context.Context, set *settings, _ []string) (x exception.Exception, err error) {
		if expires != "" {
			at, err := time.Parse(time.RFC3339, expires)
			if err != nil {
				return x, misuse("write it like 2026-12-31T18:00:00Z", "--expires %q is no time", expires)
			}
			body.Expires = &at
		}
		err = sendAdmin(ctx, set, http.MethodPost, "/v1/exceptions", body, &x)
		return x, err
	}, func(w io.Writer, x exception.Exception) error {
		_, err := fmt.Fprintf(w, "%s excepts %s until %s\n", x.ID, x.Of(), x.Expires.Format(time.RFC3339))
		return err
	})
}

func newExceptionRemove(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "remove ID", Short: "End an exception before its time",
		Long: "End an exception before its time: the rules count again from the next request on.",
		Args: exactly(1),
	}, func(ctx context.Context, set *settings, args []string) (x exception.Exception, err error) {
		err = askAdmin(ctx, set, http.MethodDelete, "/v1/exceptions/"+url.PathEscape(args[0]), &x)
		if err == nil && x.ID == "" {
			err = advise(fmt.Errorf("there is no exception %q", args[0]), "wonted exception list has their ids")
		}
		return x, err
	}, func(w io.Writer, x exception.Exception) error {
		_, err := fmt.Fprintf(w, "%s no longer excepts %s\n", x.ID, x.Of())
		return err
	})
}
