package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy/rego"
)

// evalOptions are the flags of `wonted policy eval`.
type evalOptions struct {
	output    string
	input     string // file of one input document; "-": standard input
	recording string
	line      int
	trace     bool
}

// newPolicyEval evaluates a policy once, and says what led to its decision.
func newPolicyEval(std stdio) *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "eval [DIR]",
		Short: "Evaluate a policy once, and tell which rules fired and why others did not",
		Long: `Evaluate a policy once, and tell which rules fired and why others did not: the
condition that did not hold. DIR is this directory if none is named.

What it is evaluated on is --input, a JSON document as in schema/input/schema.json;
or --recording with --line, an exchange of a recording that replay reads: what is
before it is played first, so that score and evidence are those of replay, and it
is evaluated at its request, its response and its body; else the ordinary input
that tests have, data.wonted.test.input. With --output json the input is printed,
too, to make a test of.`,
		Example: `  wonted policy eval --input request.json policy/
  wonted policy eval --recording traffic.jsonl --line 4711 --trace policy/`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.input != "" && o.recording != "":
				return misuse("choose one of them", "--input and --recording are two inputs")
			case (o.line > 0) != (o.recording != ""):
				return misuse("wonted replay --output json tells the lines of what is odd", "--recording FILE and --line N go together")
			case o.trace && o.output != "text":
				return misuse("leave one of them out", "--trace is for people, --output %s is not", o.output)
			}
			return policyDir(cmd, args)
		},
	}
	set := withSettings(cmd)
	outputFlag(cmd, &o.output)
	f := cmd.Flags()
	f.StringVar(&o.input, "input", "", "file with one input document; - is standard input")
	f.StringVar(&o.recording, "recording", "", "file with recorded traffic")
	f.IntVar(&o.line, "line", 0, "line of the recording that holds the exchange")
	f.BoolVar(&o.trace, "trace", false, "print all that OPA did")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return evaluate(cmd.Context(), dirOf(args), o, set, std)
	}
	return cmd
}

// evalPatience bounds an evaluation, which takes microseconds: one builtin can
// run for hours.
const evalPatience = 3 * time.Second

func evaluate(ctx context.Context, dir string, o evalOptions, set *settings, std stdio) error {
	engine, err := rego.Load(dir)
	if errors.As(err, new(rego.Problems)) {
		return advise(err, "wonted policy check tells all that is wrong")
	}
	if err != nil {
		return err
	}
	var inputs []map[string]any
	switch {
	case o.recording != "":
		cfg, err := set.load()
		if err != nil {
			return err
		}
		cfg.Policy.Path, cfg.Policy.Bundle = dir, ""
		if inputs, err = recordedInputs(ctx, cfg, o.recording, o.line, std); err != nil {
			return err
		}
	case o.input != "":
		input, err := readInput(o.input, std.in)
		if err != nil {
			return err
		}
		inputs = append(inputs, input)
	default:
		input, err := rego.Fixture(dir)
		if err != nil {
			return err
		}
		inputs = append(inputs, input)
	}
	ctx, cancel := context.WithTimeout(ctx, evalPatience)
	defer cancel()
	trials := make([]*rego.Trial, len(inputs))
	for i, input := range inputs {
		trials[i], err = engine.Try(ctx, input)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("given up after %v: some builtin in it does not come to an end", evalPatience)
		}
		if err != nil {
			return fmt.Errorf("policy %s: %w", dir, err)
		}
		showProblems(std.err, trials[i].Unknown)
	}
	if err := print(std.out, o.output, trials, func(w io.Writer) error { return showTrials(w, trials) }); err != nil {
		return err
	}
	for _, t := range trials {
		if o.trace {
			t.WriteTrace(std.out)
		}
	}
	return nil
}

// readInput reads one JSON object.
func readInput(name string, stdin io.Reader) (map[string]any, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, advise(fmt.Errorf("input: %w", err), "--input takes a file that can be read, or - for standard input")
		}
		defer f.Close()
		r = f
	}
	d := json.NewDecoder(r)
	d.UseNumber()
	var input map[string]any
	err := d.Decode(&input)
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &other):
		err = fmt.Errorf("%s is no object", other.Value)
	case err == nil && input == nil:
		err = errors.New("null is no object")
	case err == nil:
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("there is more after the object")
		}
	}
	if err != nil {
		return nil, advise(fmt.Errorf("input %s: %w", name, err), "an input is one JSON object: schema/input/schema.json of wonted policy init says which")
	}
	return input, nil
}
