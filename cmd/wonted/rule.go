package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy"
)

// newRule shows and restores rules of a running wonted.
func newRule(std stdio) *cobra.Command {
	return group("rule", "What rules do, and which the breaker has demoted", newRuleList(std), newRuleRestore(std))
}

func newRuleList(std stdio) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "list", Short: "List the rules that have fired, demoted ones first",
		Long: `List the rules that have fired since wonted started, demoted ones first: how often
each counted and how often it was passed over (in shadow, not in the rollout,
excepted, demoted), and how many callers in good standing a minute it usually
stops. The breaker demotes a rule to shadow that suddenly stops far more of them.`,
		Args: noArgs,
	}
	set := withAdmin(cmd)
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var got struct {
			Rules []policy.RuleStatus `json:"rules"`
		}
		if err := askAdmin(cmd.Context(), set, http.MethodGet, "/v1/rules", &got); err != nil {
			return err
		}
		return print(std.out, output, got, func(w io.Writer) error { return listRules(w, got.Rules) })
	}
	return cmd
}

func listRules(w io.Writer, rules []policy.RuleStatus) error {
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
	var output string
	cmd := &cobra.Command{
		Use: "restore RULE", Short: "Put a demoted rule in force again",
		Long: `Put a rule in force again that the breaker has demoted. What it does is taken for
usual from then on: it is demoted again by far more than that.`,
		Args: exactly(1),
	}
	set := withAdmin(cmd)
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var is restored
		if err := askAdmin(cmd.Context(), set, http.MethodPost, "/v1/rules/"+url.PathEscape(args[0])+"/restore", &is); err != nil {
			return err
		}
		if is.Rule == "" {
			return advise(fmt.Errorf("no rule %q has fired", args[0]), "wonted rule list has their names")
		}
		return print(std.out, output, is, func(w io.Writer) error {
			done := "is in force again"
			if !is.Demoted {
				done = "was not demoted"
			}
			fmt.Fprintf(w, "%s %s\n", is.Rule, done)
			return warn(w, is.Warning)
		})
	}
	return cmd
}
