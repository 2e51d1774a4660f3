package envoy

import (
	"fmt"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
)

// reasons are printed above the key they explain, wherever it stands. A key
// that is common in Envoy's configuration carries the value it is meant with.
var reasons = []struct{ key, value, why string }{
	{"use_remote_address", "true", "The client's address is the peer's, not what the client writes into x-forwarded-for."},
	{"xff_num_trusted_hops", "", "Proxies in front of Envoy that may be believed; the same number as trusted_proxies in wonted."},
	{"normalize_path", "true", "wonted makes routes of paths: /a/../b must not look like a new one."},
	{"early_header_mutation_extensions", "", "x-wonted-* headers are wonted's to write: copies sent by a client are dropped,\nalso while wonted is away, and also with underscores."},
	{"payload_in_metadata", "", "Verified claims go where no client can write; wonted reads identity from there."},
	{"enable_ja4_fingerprinting", "true", "Fingerprints the client's TLS hello: the device's name in a profile."},
	{"initial_metadata", "", "The fingerprint travels beside the request, not in its headers: a client cannot forge it."},
	{"config_discovery", "", "Whom wonted has put into quarantine is refused here, before it is asked; the list comes while\nEnvoy runs, and stays while wonted is away. Without one yet, everybody passes."},
	{"node", "", "Envoy asks nobody for a list without a name of its own."},
	{"failure_mode_allow", "true", "Fail open: while wonted is down, late or broken, requests go on. Remove the line to fail closed."},
	{"processing_mode", "", "One message a request. wonted asks for more (response headers, body) exchange by exchange,\nfor which allow_mode_override must stay true."},
	{"log_name", "", "How each exchange ended: status, sizes, duration, and those that wonted was never asked about.\nIt replaces a message about each response; many entries travel in one."},
	{"buffer_flush_interval", "", "How late wonted may learn that an exchange is over."},
	{"additional_request_headers_to_log", "", "Who is calling. These hold credentials: they go to wonted's own socket, which keeps keyed hashes\nof them, and into no file. Name here every header that its identity rules or your policy read."},
	{"additional_response_trailers_to_log", "", "A gRPC error is a 200 until its trailers say otherwise."},
	{"custom_tags", "", "The device's name in a profile, for each entry: initial_metadata would be one for all."},
	{"message_timeout", "", "How long a request waits for wonted before the fail mode decides."},
	{"request_attributes", "", "What wonted wants to know beyond the headers; absent ones are simply missing."},
	{"mutation_rules", "", "No policy may touch what frames or routes a message."},
	{"metadata_options", "", "Claims go in, verdicts come out: %DYNAMIC_METADATA(wonted)% in access logs and later filters."},
	{"circuit_breakers", "", "Every request in flight holds a stream to wonted; Envoy's default of 1024 would turn\nthe next one into an error."},
	{"timeout", "0s", "Off: the default ends every download and event stream after 15 seconds."},
}

// What to copy into an Envoy that is there already: where wonted stands in the
// request's way, and where it does not.
const (
	inlinePreamble = `# Envoy with wonted as its external processor, depth %s. Rendered by "wonted envoy config".
# To add wonted to an Envoy that you have: copy the filter envoy.filters.http.ext_proc
# (before the router), the access log envoy.access_loggers.http_grpc where there is one
# here, and the cluster wonted, and set use_remote_address, normalize_path, merge_slashes
# and early_header_mutation_extensions as here.
`
	logPreamble = `# Envoy that tells wonted of every exchange afterwards, depth %s. Rendered by "wonted envoy config".
# To add wonted to an Envoy that you have: copy the access log envoy.access_loggers.http_grpc
# and the cluster wonted, and set use_remote_address, normalize_path and merge_slashes as here.
# wonted stands in no request's way here, and can refuse none.
`
	blocksPreamble = `# For addresses and networks in quarantine to be refused without wonted being asked, copy the
# filter wonted.blocks as well, before all others; Envoy needs a node with id and cluster for it.
`
)

// render writes the bootstrap of complete options as YAML, fields in the order of Envoy's own
// definitions, with the reasons above the lines they explain.
func render(b *bootstrapv3.Bootstrap, opts Options) ([]byte, error) {
	packed, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	// protojson varies its white space on purpose; the ordered map does not.
	var tree yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(packed, &tree, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	text, err := yaml.MarshalWithOptions(tree, yaml.IndentSequence(false))
	if err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	preamble := fmt.Sprintf(inlinePreamble, opts.Depth)
	if !opts.Depth.inline() {
		preamble = fmt.Sprintf(logPreamble, opts.Depth)
	}
	if opts.Blocks {
		preamble += blocksPreamble
	}
	return explain(preamble, text), nil
}

// explain puts the preamble above the text, and each reason above the lines it
// belongs to.
func explain(preamble string, text []byte) []byte {
	var out strings.Builder
	out.WriteString(preamble)
	for line := range strings.Lines(string(text)) {
		body := strings.TrimLeft(line, " -")
		key, value, ok := strings.Cut(strings.TrimSpace(body), ":")
		for _, r := range reasons {
			if !ok || key != r.key || (r.value != "" && strings.TrimSpace(value) != r.value) {
				continue
			}
			indent := strings.Repeat(" ", len(line)-len(body))
			for why := range strings.SplitSeq(r.why, "\n") {
				out.WriteString(indent + "# " + why + "\n")
			}
		}
		out.WriteString(line)
	}
	return []byte(out.String())
}
