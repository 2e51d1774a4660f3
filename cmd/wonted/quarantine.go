package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy"
)

// newQuarantine lists, imposes and releases the blocks of a running wonted.
func newQuarantine(std stdio) *cobra.Command {
	return group("quarantine", "Block somebody for a time, or release them",
		newQuarantineList(std), newQuarantineAdd(std), newQuarantineRelease(std))
}

func newQuarantineList(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "list", Short: "List who is under quarantine, and why",
		Long: `List who is under quarantine, the latest first: until when, on which rung of the
ladder, by whom and why. What is marked "shadow" a policy has asked for in shadow
mode: it is watched, and nothing is refused.`,
		Args: noArgs,
	}, asked[quarantineList](http.MethodGet, "/v1/quarantines"), listBlocks)
}

func listBlocks(w io.Writer, got quarantineList) error {
	if len(got.Quarantines) == 0 {
		_, err := fmt.Fprintln(w, "nobody is under quarantine")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tENTITY\tWHO\tUNTIL\tLEFT\tRUNG\tBY\tWHY")
	for _, b := range got.Quarantines {
		why := b.Reason
		if b.Shadow {
			why = "(shadow) " + why
		}
		if b.Decision != "" {
			why += ", decision " + b.Decision
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", b.ID, b.Entity, cmp.Or(b.Name, b.Hash),
			b.Until.UTC().Format(time.RFC3339), round(time.Until(b.Until)), b.Rung, b.Author, why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return tellShadow(w, got.Mode)
}

// tellShadow says that blocks wait for the mode.
func tellShadow(w io.Writer, m policy.Mode) error {
	if m != policy.Shadow {
		return nil
	}
	_, err := fmt.Fprintln(w, "mode is shadow: nothing is refused until it is enforce")
	return err
}

func newQuarantineAdd(std stdio) *cobra.Command {
	var body quarantineBody
	var dryRun bool
	cmd := &cobra.Command{
		Use: "add ENTITY VALUE --reason WHY", Short: "Block a caller, credential, session, address, network or device",
		Long: `Block a caller, credential, session, address, network or device for a time. From
the next request on the answer is 403 with Retry-After, and nothing is learned.
VALUE is the hash or the name that reports print, or the value itself. An IPv6
address stands for its /64, a network given as an address for the /24 or /48
around it. Without --ttl the ladder (quarantine.ladder) says how long: 5m, and 1h
and 24h on repetition.

--dry-run shows what it would hit: how many callers in good standing (until anybody
is mature: whoever was accepted) have used the address, network or device within a
week. Above quarantine.max_callers it is refused unless --force says so. Loopback, link-local and private addresses and
what quarantine.never names are never blocked, whatever is said.

Blocks are kept in data_dir and survive a restart. A new one takes the place of
what the entity is under already.`,
		Example: `  wonted quarantine add network 203.0.113.0/24 --reason "stuffing" --dry-run
  wonted quarantine add caller acme --ttl 2h --reason "key leaked, ticket 4711"`,
		Args: exactly(2),
	}
	f := cmd.Flags()
	f.StringVar(&body.TTL, "ttl", "", "for how long: 15m, 24h")
	f.StringVar(&body.Reason, "reason", "", "why, for whoever finds it later")
	f.BoolVar(&body.Force, "force", false, "whatever it costs, and unseen")
	f.BoolVar(&dryRun, "dry-run", false, "show what it would hit, and block nobody")
	return answering(std, cmd, func(ctx context.Context, set *settings, args []string) (got *quarantineAnswer, err error) {
		body.Entity, body.Value = args[0], args[1]
		if dryRun {
			err = askAdmin(ctx, set, http.MethodGet, "/v1/quarantines/preview?"+body.query().Encode(), &got)
		} else {
			err = sendAdmin(ctx, set, http.MethodPost, "/v1/quarantines", body, &got)
		}
		return got, err
	}, writeQuarantine)
}

// query is the body as parameters of a question.
func (b *quarantineBody) query() url.Values {
	return url.Values{"entity": {b.Entity}, "value": {b.Value}, "ttl": {b.TTL}, "force": {strconv.FormatBool(b.Force)}}
}

func writeQuarantine(w io.Writer, a *quarantineAnswer) error {
	p, done, until := &a.Preview, "would be blocked", a.Preview.Until
	if a.Quarantine != nil {
		done, until = "blocked", a.Quarantine.Until
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s until %s", done, p.Entity, cmp.Or(p.Name, p.Hash), until.UTC().Format(time.RFC3339))
	if a.Quarantine != nil {
		fmt.Fprintf(&b, " (%s)", a.Quarantine.ID)
	}
	if old := p.Replaces; old != nil {
		fmt.Fprintf(&b, "\nin place of the block until %s by %s: %s", old.Until.UTC().Format(time.RFC3339), old.Author, old.Reason)
	}
	if p.Entity == "address" || p.Entity == "network" || p.Entity == "device" {
		more := ""
		if p.OrMore {
			more = " or more"
		}
		fmt.Fprintf(&b, "\n%s%s in good standing used it within a week; more than %d take --force", plural(p.Callers, "caller"), more, p.Limit)
	}
	fmt.Fprintln(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return tellShadow(w, a.Mode)
}

func newQuarantineRelease(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "release ID|ENTITY VALUE", Short: "Release somebody before the time",
		Long: `Release somebody before the time, by the id that wonted quarantine list prints or
by entity and value. From the next request on they are judged as everybody is, and
a quarantine that comes later is again their first.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 || len(args) == 2 {
				return nil
			}
			return misuse("usage: "+cmd.UseLine(), "%s takes an id, or an entity and a value, got %d arguments", cmd.CommandPath(), len(args))
		},
	}, func(ctx context.Context, set *settings, args []string) (b released, err error) {
		id, err := blockID(ctx, set, args)
		if err != nil {
			return b, err
		}
		err = askAdmin(ctx, set, http.MethodDelete, "/v1/quarantines/"+url.PathEscape(id), &b)
		if err == nil && b.ID == "" {
			err = advise(fmt.Errorf("there is no quarantine %q", id), "wonted quarantine list has their ids")
		}
		return b, err
	}, func(w io.Writer, b released) error {
		fmt.Fprintf(w, "released: %s %s\n", b.Entity, cmp.Or(b.Name, b.Hash))
		return warn(w, b.Warning)
	})
}

// warn tells what is amiss with what was done; "": nothing.
func warn(w io.Writer, text string) error {
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintln(w, "warning:", text)
	return err
}

// blockID is the id of the block that the arguments mean.
func blockID(ctx context.Context, set *settings, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	var got quarantineList
	query := url.Values{"entity": {args[0]}, "value": {args[1]}}
	if err := askAdmin(ctx, set, http.MethodGet, "/v1/quarantines?"+query.Encode(), &got); err != nil {
		return "", err
	}
	if len(got.Quarantines) == 0 {
		return "", advise(fmt.Errorf("that %s is under no quarantine", args[0]), "wonted quarantine list shows who is")
	}
	return got.Quarantines[0].ID, nil
}
