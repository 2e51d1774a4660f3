package envoy

// The fields of Envoy Gateway's API that are used here, as of its version 1.9.
type (
	gatewayRef struct {
		Group string `yaml:"group"`
		Kind  string `yaml:"kind"`
		Name  string `yaml:"name"`
	}

	gatewayBackend struct {
		AppProtocols []string          `yaml:"appProtocols"`
		Endpoints    []gatewayEndpoint `yaml:"endpoints"`
	}
	gatewayEndpoint struct {
		Unix *gatewayUnix `yaml:"unix,omitempty"`
		IP   *gatewayIP   `yaml:"ip,omitempty"`
		FQDN *gatewayFQDN `yaml:"fqdn,omitempty"`
	}
	gatewayUnix struct {
		Path string `yaml:"path"`
	}
	gatewayIP struct {
		Address string `yaml:"address"`
		Port    uint32 `yaml:"port"`
	}
	gatewayFQDN struct {
		Hostname string `yaml:"hostname"`
		Port     uint32 `yaml:"port"`
	}

	gatewayExtensionPolicy struct {
		TargetRefs []gatewayRef     `yaml:"targetRefs"`
		ExtProc    []gatewayExtProc `yaml:"extProc"`
	}
	gatewayExtProc struct {
		BackendRefs     []gatewayRef      `yaml:"backendRefs"`
		BackendSettings gatewaySettings   `yaml:"backendSettings"`
		FailOpen        bool              `yaml:"failOpen,omitempty"`
		MessageTimeout  string            `yaml:"messageTimeout"`
		ProcessingMode  gatewayMode       `yaml:"processingMode"`
		Metadata        gatewayNamespaces `yaml:"metadata"`
	}
	gatewaySettings struct {
		CircuitBreaker gatewayBreaker     `yaml:"circuitBreaker"`
		Connection     *gatewayConnection `yaml:"connection,omitempty"`
	}
	gatewayBreaker struct {
		MaxConnections      int `yaml:"maxConnections"`
		MaxPendingRequests  int `yaml:"maxPendingRequests"`
		MaxParallelRequests int `yaml:"maxParallelRequests"`
	}
	gatewayConnection struct {
		BufferLimit int `yaml:"bufferLimit"` // bytes
	}
	gatewayMode struct {
		Request           gatewayProcessing `yaml:"request"`
		AllowModeOverride bool              `yaml:"allowModeOverride"`
	}
	gatewayProcessing struct {
		Attributes []string `yaml:"attributes"`
	}
	gatewayNamespaces struct {
		Accessible []string `yaml:"accessibleNamespaces"`
		Writable   []string `yaml:"writableNamespaces"`
	}

	gatewayTrafficPolicy struct {
		TargetRefs        []gatewayRef       `yaml:"targetRefs"`
		ClientIPDetection *gatewayClientIP   `yaml:"clientIPDetection,omitempty"`
		Headers           gatewayHeaders     `yaml:"headers"`
		TLS               *gatewayTLS        `yaml:"tls,omitempty"`
		Connection        *gatewayConnection `yaml:"connection,omitempty"`
	}
	gatewayClientIP struct {
		XForwardedFor gatewayXFF `yaml:"xForwardedFor"`
	}
	gatewayXFF struct {
		NumTrustedHops int `yaml:"numTrustedHops"`
	}
	gatewayHeaders struct {
		EarlyRequestHeaders gatewayHeaderFilter `yaml:"earlyRequestHeaders"`
	}
	gatewayHeaderFilter struct {
		RemoveOnMatch []gatewayMatch `yaml:"removeOnMatch"`
	}
	gatewayMatch struct {
		Type  string `yaml:"type"`
		Value string `yaml:"value"`
	}
	gatewayTLS struct {
		Fingerprints []string `yaml:"fingerprints"`
	}

	gatewaySecurityPolicy struct {
		TargetRefs []gatewayRef `yaml:"targetRefs"`
		JWT        gatewayJWT   `yaml:"jwt"`
	}
	gatewayJWT struct {
		Optional  bool              `yaml:"optional"`
		Providers []gatewayProvider `yaml:"providers"`
	}
	gatewayProvider struct {
		Name      string      `yaml:"name"`
		Issuer    string      `yaml:"issuer"`
		Audiences []string    `yaml:"audiences,omitempty"`
		LocalJWKS gatewayJWKS `yaml:"localJWKS"`
	}
	gatewayJWKS struct {
		Type   string `yaml:"type"`
		Inline string `yaml:"inline"`
	}

	gatewayPatchPolicy struct {
		Type        string         `yaml:"type"`
		TargetRef   gatewayRef     `yaml:"targetRef"`
		JSONPatches []gatewayPatch `yaml:"jsonPatches"`
	}
	gatewayPatch struct {
		Type      string           `yaml:"type"`
		Name      string           `yaml:"name"`
		Operation gatewayOperation `yaml:"operation"`
	}
	gatewayOperation struct {
		Op       string `yaml:"op"`
		JSONPath string `yaml:"jsonPath,omitempty"`
		Path     string `yaml:"path"`
		Value    any    `yaml:"value"`
	}
)
