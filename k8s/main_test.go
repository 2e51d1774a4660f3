//go:build !kube

package k8s

import (
	"os"
	"testing"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

func TestMain(m *testing.M) { os.Exit(envoytest.Main(m)) }
