package envoy

import (
	"regexp"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// match is the route of a path of Options.Skip.
func match(path string) *routev3.RouteMatch {
	if folder, ok := strings.CutSuffix(path, "/*"); ok {
		return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: folder}}
	}
	return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Path{Path: path}}
}

// unasked takes wonted's filter out of a route.
func unasked() map[string]*anypb.Any {
	return map[string]*anypb.Any{filterWonted: pack(&extprocv3.ExtProcPerRoute{
		Override: &extprocv3.ExtProcPerRoute_Disabled{Disabled: true},
	})}
}

// notSkipped keeps the entries of skipped paths out of wonted's log: an exchange
// that it was told of and never asked about counts as unprotected. It is nil
// where nothing is skipped.
func notSkipped(paths []string) *accesslogv3.AccessLogFilter {
	if len(paths) == 0 {
		return nil
	}
	any := make([]string, len(paths))
	for i, path := range paths {
		if folder, ok := strings.CutSuffix(path, "/*"); ok {
			any[i] = regexp.QuoteMeta(folder) + "(/[^?]*)?"
		} else {
			any[i] = regexp.QuoteMeta(path)
		}
	}
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_HeaderFilter{
		HeaderFilter: &accesslogv3.HeaderFilter{Header: &routev3.HeaderMatcher{
			Name: ":path",
			HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: &matcherv3.StringMatcher{
				MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{
					Regex: "^(" + strings.Join(any, "|") + ")([?].*)?$",
				}},
			}},
			InvertMatch: true,
		}},
	}}
}
