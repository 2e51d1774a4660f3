package envoy

import (
	"fmt"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// reason is printed above the key that it explains, wherever that stands. A key
// that is common in Envoy's configuration carries the value it is meant with.
type reason struct{ key, value, why string }

// reasons are those of Envoy's own configuration.
var reasons = []reason{
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
	{"typed_per_filter_config", "", "wonted is not asked about this path, nor told: its log has a filter for that."},
	{"health_checks", "", "What Envoy answers about its readiness follows wonted's own health service."},
	{"cluster_min_healthy_percentages", "", "Envoy answers this path itself: 503 while wonted is not ready, so that whoever balances load\nsends nothing that could only fail."},
	{"google_grpc", "", "Not the cluster: the list of a filter is taken only from clusters of Envoy's bootstrap. Google's\ngRPC client, which official builds of Envoy carry, needs none."},
	{"per_connection_buffer_limit_bytes", "", "Messages with a part of a body are at most about 2.6 times as large."},
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
	fields, err := tree(b)
	if err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	text, err := yaml.MarshalWithOptions(fields, yaml.IndentSequence(false))
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
	return []byte(preamble + explain(reasons, text)), nil
}

// tree is a message as the fields of its JSON, in the order of its definition.
func tree(m proto.Message) (yaml.MapSlice, error) {
	packed, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	// protojson varies its white space on purpose; the ordered map does not.
	var fields yaml.MapSlice
	err = yaml.UnmarshalWithOptions(packed, &fields, yaml.UseOrderedMap())
	return fields, err
}

// explain puts each reason above the lines it belongs to.
func explain(reasons []reason, text []byte) string {
	var out strings.Builder
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
	return out.String()
}
