package edge

import (
	"fmt"
	"os"
	"path/filepath"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// writeFile replaces the file that Envoys watch. It must come by a rename:
// Envoy does not notice one that is written where it stands, or reads half.
func writeFile(path string, s *state) error {
	text, err := protojson.Marshal(&discoveryv3.DiscoveryResponse{
		VersionInfo: s.version, Resources: []*anypb.Any{pack(s.config)},
	})
	if err != nil {
		return fmt.Errorf("edge.file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".wonted-*")
	if err != nil {
		return fmt.Errorf("edge.file: %w", err)
	}
	defer os.Remove(f.Name()) // gone, once renamed
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o640) // Envoy is in the same group, as for the socket
	}
	if err == nil {
		err = f.Sync() // Envoy does not start with an empty one, which a power cut could leave
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("edge.file: %w", err)
	}
	return nil
}
