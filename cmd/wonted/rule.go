package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// newRule shows and restores rules of a running wonted.
func newRule(std stdio) *cobra.Command {
	return group("rule", "What rules do, and which the breaker has demoted", newRuleList(std), newRuleRestore(std))
}

func newRuleList(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "list", Short: "List the rules that have fired, demoted ones first",
		Long: `List the rules that have fired since wonted started, demoted ones first: how often
each counted and how often it was passed over (in shadow, not in the rollout,
excepted, demoted), and how many callers in good standing a minute it usually
stops. The breaker demotes a rule to shadow that suddenly stops far more of them.`,
		Args: noArgs,
	}, asked[ruleList](http.MethodGet, "/v1/rules"), listRules)
}

func listRules(w io.Writer, got ruleList) error {
	rules := got.Rules
	if len(rules) == 0 {
		_, err := fmt.Fprintln(w, "no rule has fired yet")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tSTATE\tCOUNTED\tPASSED OVER\tUSUAL A MINUTE")
	for _, r := range rules {
		state := "in force"
		if r.Setting != nil {
			state = "as configured"
		}
		if r.Demoted {
			state = "demoted, back in " + cmp.Or(r.BackIn, "a minute")
		}
		var passed []string
		for _, why := range []string{"shadow", "rollout", "exception", "breaker"} {
			if n := r.Verdicts[why]; n > 0 {
				passed = append(passed, fmt.Sprintf("%s %d", why, n))
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%.1f callers, %.2g %%\n", r.Rule, state, r.Verdicts["in_force"],
			cmp.Or(strings.Join(passed, ", "), "-"), r.Usual.Callers, 100*r.Usual.Share)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range rules {
		if r.Demoted {
			fmt.Fprintf(w, "\n%s was demoted: %s\n", r.Rule, r.Why)
		}
	}
	return nil
}

func newRuleRestore(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "restore RULE", Short: "Put a demoted rule in force again",
		Long: `Put a rule in force again that the breaker has demoted. What it does is taken for
usual from then on: it is demoted again by far more than that.`,
		Args: exactly(1),
	}, func(ctx context.Context, set *settings, args []string) (is restored, err error) {
		err = askAdmin(ctx, set, http.MethodPost, "/v1/rules/"+url.PathEscape(args[0])+"/restore", &is)
		if err == nil && is.Rule == "" {
			err = advise(fmt.Errorf("no rule %q has fired", args[0]), "wonted rule list has their names")
		}
		return is, err
	}, func(w io.Writer, is restored) error {
		done := "is in force again"
		if !is.Demoted {
			done = "was not demoted"
		}
		fmt.Fprintf(w, "%s %s\n", is.Rule, done)
		return warn(w, is.Warning)
	})
}
