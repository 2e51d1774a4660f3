{{- /*
# Made of components/sidecar/pod.yaml by go generate ./k8s: change that.
*/ -}}
{{- define "wonted.security" -}}
# wonted's group, and so the socket's (mode 0660): whoever runs in the pod, under
# whatever user, may connect. Not fsGroup, which would change your volumes.
securityContext:
  supplementalGroups: [65532]
{{- end }}
{{- define "wonted.initContainers" -}}
initContainers:
# A native sidecar (Kubernetes 1.29 and newer). It starts before Envoy, which
# waits for startupProbe, and is ended after it: no request finds wonted gone,
# neither at the start nor while Envoy drains.
- name: wonted
  image: {{ include "wonted.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  args: [serve, --config, /etc/wonted/config/wonted.yaml]
  ports:
  - {name: metrics, containerPort: 9464}
  # Each second: this is what a new pod waits for. A minute is enough to load a
  # million profiles.
  startupProbe:
    httpGet: {path: /readyz, port: metrics}
    periodSeconds: 1
    failureThreshold: 60
  # Not ready takes the whole pod out of its Service. wonted is ready unless it
  # ends, so that a warning of its own stops no traffic; /readyz prints those.
  readinessProbe:
    httpGet: {path: /readyz, port: metrics}
    periodSeconds: 5
  # Restarts what hangs, and with fail: open no request waits for that.
  livenessProbe:
    httpGet: {path: /healthz, port: metrics}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  # Measured: 60 µs of a core a request, so that 100m are for some 1,500 a second,
  # and 130 MB at a thousand callers. No limit on CPU: throttling would make
  # answers late, and Envoy waits for 200 ms only. No GOMEMLIMIT either: wonted
  # takes it from limits.memory, less profile.memory, which Go does not count.
  resources: {{- toYaml .Values.resources | nindent 4 }}
  # Why it does not start is then in kubectl describe pod.
  terminationMessagePolicy: FallbackToLogsOnError
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL]}
    seccompProfile: {type: RuntimeDefault}
  volumeMounts:
  - {name: wonted-run, mountPath: /run/wonted}
  - {name: wonted-data, mountPath: /var/lib/wonted}
  - {name: wonted-config, mountPath: /etc/wonted/config, readOnly: true}
  - {name: wonted-policy, mountPath: /etc/wonted/policy, readOnly: true}
  - {name: wonted-identity, mountPath: /etc/wonted/identity, readOnly: true}
{{- end }}
{{- define "wonted.volumes" -}}
# A native sidecar (Kubernetes 1.29 and newer). It starts before Envoy, which
# waits for startupProbe, and is ended after it: no request finds wonted gone,
# neither at the start nor while Envoy drains.
volumes:
- name: wonted-run
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
# Survives wonted, not the pod: the component data is for that.
- name: wonted-data
  {{- if .Values.data.enabled | and (eq .Values.way "gateway") }}
  persistentVolumeClaim: {claimName: wonted-data}
  {{- else }}
  emptyDir: {sizeLimit: 1Gi}
  {{- end }}
- name: wonted-config
  configMap: {name: wonted-config}
- name: wonted-policy
  configMap: {name: wonted-policy}
- name: wonted-identity
  # Read by wonted's user, who does not own it; nobody else mounts it.
  secret: {secretName: {{ include "wonted.secret" . }}, defaultMode: 0444}
{{- end }}
