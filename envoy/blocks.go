package envoy

import (
	"net"
	"path/filepath"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// BlocksName is the filter that refuses what wonted has put into
	// quarantine, and the resource by which Envoy asks for its configuration.
	BlocksName = "wonted.blocks"

	// How soon Envoy asks again when the stream of blocks has ended. Its own
	// default backs off to 30 seconds, for which a release would wait.
	blocksRetry, blocksRetryMax = 100 * time.Millisecond, time.Second
)

// blocksFilter is an RBAC filter whose configuration comes while Envoy runs:
// from wonted's own socket, or from a file that wonted writes. Until it comes,
// it refuses nobody and keeps nobody waiting, so that Envoy starts without
// wonted; what has come stays while wonted is away.
func blocksFilter(opts Options) *hcmv3.HttpFilter {
	nobody := pack(&rbacv3.RBAC{}) // without rules it lets everybody through
	source := &corev3.ConfigSource{ResourceApiVersion: corev3.ApiVersion_V3}
	if opts.BlocksFile != "" {
		source.ConfigSourceSpecifier = &corev3.ConfigSource_PathConfigSource{PathConfigSource: &corev3.PathConfigSource{
			Path: opts.BlocksFile,
			// The file itself is replaced by a rename, which only its directory tells.
			WatchedDirectory: &corev3.WatchedDirectory{Path: filepath.Dir(opts.BlocksFile)},
		}}
	} else {
		wonted := toWonted()
		retry := &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
			BaseInterval: durationpb.New(blocksRetry), MaxInterval: durationpb.New(blocksRetryMax),
		}}
		if opts.managed {
			wonted = besideClusters(opts.Wonted)
			wonted.RetryPolicy = retry
		} else {
			wonted.GetEnvoyGrpc().RetryPolicy = retry
		}
		source.ConfigSourceSpecifier = &corev3.ConfigSource_ApiConfigSource{ApiConfigSource: &corev3.ApiConfigSource{
			ApiType:                   corev3.ApiConfigSource_GRPC,
			TransportApiVersion:       corev3.ApiVersion_V3,
			SetNodeOnFirstMessageOnly: true,
			GrpcServices:              []*corev3.GrpcService{wonted},
		}}
	}
	return &hcmv3.HttpFilter{
		Name: BlocksName,
		ConfigType: &hcmv3.HttpFilter_ConfigDiscovery{ConfigDiscovery: &corev3.ExtensionConfigSource{
			ConfigSource:                     source,
			DefaultConfig:                    nobody,
			ApplyDefaultConfigWithoutWarming: true,
			TypeUrls:                         []string{nobody.TypeUrl},
		}},
	}
}

// besideClusters is a way to wonted that needs no cluster: for what is discovered,
// Envoy takes none but those of its bootstrap, which belongs to the control plane.
func besideClusters(wonted string) *corev3.GrpcService {
	uri := wonted // of a Unix socket that is how gRPC writes it, too
	if name, ok := strings.CutPrefix(wonted, "unix://@"); ok {
		uri = "unix-abstract:" + name
	} else if !strings.HasPrefix(wonted, "unix://") {
		host, p, _ := net.SplitHostPort(wonted)
		if host == "" {
			host = "127.0.0.1"
		}
		uri = "dns:///" + net.JoinHostPort(host, p)
	}
	return &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_GoogleGrpc_{
		GoogleGrpc: &corev3.GrpcService_GoogleGrpc{TargetUri: uri, StatPrefix: clusterWonted},
	}}
}
