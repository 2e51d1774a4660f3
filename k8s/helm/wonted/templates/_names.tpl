{{- /* labels of everything that this chart makes; NAME beside them is what pods are selected by. */ -}}
{{- define "wonted.labels" -}}
app.kubernetes.io/part-of: wonted
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "wonted.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end }}

{{- define "wonted.secret" -}}
{{ .Values.identity.secret | default "wonted-identity" }}
{{- end }}

{{- /* namespace of what wonted's pods mount: Envoy Gateway runs its Envoys elsewhere. */ -}}
{{- define "wonted.namespace" -}}
{{ eq .Values.way "envoy-gateway" | ternary .Values.envoyGateway.namespace .Release.Namespace }}
{{- end }}

{{- /* Envoy's configuration, of which wonted's own says a part. */ -}}
{{- define "wonted.envoy" -}}
{{- $c := .Values.config -}}
{{- if .Values.envoyConfig -}}
{{ .Values.envoyConfig }}
{{- else -}}
{{- if or (ne (toString $c.fail) "open") (ne (toString $c.depth) "adaptive") $c.trusted_proxies $c.edge -}}
{{- fail "config says of fail, depth, trusted_proxies or edge something else than the Envoy configuration in this chart: render one with wonted envoy config, and give it with --set-file envoyConfig=envoy.yaml" -}}
{{- end -}}
{{ .Files.Get (printf "files/%s.yaml" .Values.way) | replace "address: upstream.invalid" (printf "address: %s" .Values.upstream.host) | replace "port_value: 65535" (printf "port_value: %v" .Values.upstream.port) }}
{{- end -}}
{{- end }}
