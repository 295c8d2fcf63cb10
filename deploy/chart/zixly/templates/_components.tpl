{{/*
The parts of the platform, one entry each: what it runs, what it may know, whom it reaches and who reaches it. Deployments, services,
network policies, budgets and service accounts are all made from this table. Commands are those of zixly_cli/stack/programs.py, database
roles and secrets those of zixly_cli/stack/environment.py; tests compare them.
*/}}
{{- define "zixly.components" -}}
- name: bridge
  values: bridge
  replicas: {{ .Values.bridge.replicas }}
  autoscaled: {{ .Values.bridge.autoscaling.enabled }}
  minReplicas: {{ .Values.bridge.autoscaling.minReplicas }}
  command: [python, -m, webhook_bridge]
  port: 3000
  env:
    ZIXLY_BRIDGE_HOST: 0.0.0.0
    ZIXLY_BRIDGE_PORT: "3000"
    ZIXLY_BRIDGE_WORKERS: {{ .Values.bridge.processes | quote }}
    ZIXLY_TRUSTED_PROXIES: {{ join "," .Values.podNetworks | quote }}
  secrets: [ZIXLY_DATABASE_URL_INTAKE, ZIXLY_DATABASE_URL_API, ZIXLY_DATABASE_URL_METRICS, ZIXLY_QUEUE_URL, ZIXLY_SECRETS_KEY, ZIXLY_METRICS_TOKEN]
  optionalSecrets:
    [ZIXLY_API_TOKEN, ZIXLY_OIDC_CLIENT_SECRET, ZIXLY_LIMITS_URL, ZIXLY_XERO_WEBHOOK_KEYS, ZIXLY_XERO_CLIENT_SECRET, ZIXLY_HUBSPOT_CLIENT_SECRET,
    ZIXLY_HUBSPOT_APP_SECRETS, ZIXLY_SHOPIFY_CLIENT_SECRET, ZIXLY_SHOPIFY_APP_SECRETS, ZIXLY_ASANA_CLIENT_SECRET, ZIXLY_OTLP_HEADERS,
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
  live: {httpGet: {path: /health, port: http}}
  {{- /* 503 only when deliveries cannot be taken; each try of Postgres ends after 2 s. */}}
  ready: {httpGet: {path: /ready, port: http}}
  readySeconds: 6
  {{- /* 5 s until no proxy sends more, 5 s for requests in hand (webhook_bridge/__main__.py). */}}
  drainSeconds: 5
  graceSeconds: 20
  reaches: [postgres, redis, https, otlp]
  reachedBy: [gateway, test, prometheus]
  metricsJob: webhook-bridge
- name: code
  values: code
  replicas: 1
  command: [python, -m, zixly_dagster.instance.code_server, -h, 0.0.0.0, -p, "3003", -n, "32"]
  port: 3003
  portName: grpc
  env:
    DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD: "5"
  secrets: [ZIXLY_DATABASE_URL_DISPATCH, ZIXLY_DAGSTER_DATABASE_URL, ZIXLY_QUEUE_URL, ZIXLY_BROKER_URL]
  optionalSecrets: [ZIXLY_OTLP_HEADERS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
  isDagster: true
  live: {grpc: {port: 3003, service: DagsterApi}}
  graceSeconds: 15
  reaches: [postgres, redis, https, otlp]
  reachedBy: [daemon, webserver, webserver-viewer]
- name: daemon
  values: daemon
  replicas: 1
  {{- /* Two daemons would both tick, if only for a moment. */}}
  strategy: {type: Recreate}
  command: [python, -m, zixly_dagster.instance.daemon]
  port: 3005
  portName: metrics
  env:
    ZIXLY_METRICS_HOST: 0.0.0.0
    ZIXLY_DAEMON_METRICS_PORT: "3005"
  secrets: [ZIXLY_DATABASE_URL_DISPATCH, ZIXLY_DAGSTER_DATABASE_URL, ZIXLY_QUEUE_URL, ZIXLY_BROKER_URL, ZIXLY_METRICS_TOKEN]
  optionalSecrets: [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
  isDagster: true
  launches: true
  live: {httpGet: {path: /health, port: metrics}}
  graceSeconds: 10
  reaches: [code, postgres, redis, https]
  reachedBy: [prometheus]
  metricsJob: pipeline-daemon
{{- range $viewer := list false true }}
- name: webserver{{ if $viewer }}-viewer{{ end }}
  values: {{ ternary "viewerWebserver" "webserver" $viewer }}
  replicas: {{ ternary $.Values.viewerWebserver.replicas $.Values.webserver.replicas $viewer }}
  command: [python, -m, zixly_dagster.instance.webserver, --host, 0.0.0.0, --port, "3002", --path-prefix, /dagster{{ if $viewer }}, --read-only{{ end }}]
  port: 3002
  env:
    {{- /* Nothing but the gateway reaches them: the network policies see to it. */}}
    ZIXLY_TRUST_GATEWAY: "true"
  secrets: [ZIXLY_DATABASE_URL_DISPATCH, ZIXLY_DAGSTER_DATABASE_URL, ZIXLY_BROKER_URL]
  isDagster: true
  launches: {{ not $viewer }}
  live: {httpGet: {path: /dagster/server_info, port: http}}
  drainSeconds: 5
  graceSeconds: 20
  reaches: [code, postgres, redis]
  reachedBy: [gateway]
{{- end }}
{{- range .Values.workers.pools }}
- name: worker-{{ .name }}
  values: workers
  replicas: {{ .replicas }}
  autoscaled: {{ ne .autoscaling.by "none" }}
  minReplicas: {{ .autoscaling.minReplicas }}
  command: [python, -m, zixly_dagster.instance.worker, --name, $(POD_NAME), --queues, {{ join "," .lanes | quote }}]
  port: 3010
  portName: metrics
  env:
    ZIXLY_METRICS_HOST: 0.0.0.0
    ZIXLY_WORKER_METRICS_PORT: "3010"
    ZIXLY_WORKER_SLOTS: {{ $.Values.workers.slots | quote }}
  {{- include "zixly.workerKnowledge" $ | nindent 2 }}
  isDagster: true
  live: {httpGet: {path: /health, port: metrics}}
  graceSeconds: {{ $.Values.workers.terminationGracePeriodSeconds }}
  reaches: [postgres, redis, https, smtp, otlp]
  reachedBy: [prometheus]
  metricsJob: pipeline-worker
{{- end }}
{{- end -}}

{{/* What executes runs may know, in a worker or in a pod of its own. */}}
{{- define "zixly.workerKnowledge" -}}
secrets: [ZIXLY_DATABASE_URL_RUNS, ZIXLY_DATABASE_URL_DISPATCH, ZIXLY_DATABASE_URL_RETENTION, ZIXLY_DAGSTER_DATABASE_URL, ZIXLY_QUEUE_URL, ZIXLY_BROKER_URL, ZIXLY_SECRETS_KEY, ZIXLY_METRICS_TOKEN]
optionalSecrets:
  [ZIXLY_XERO_CLIENT_SECRET, ZIXLY_HUBSPOT_CLIENT_SECRET, ZIXLY_SHOPIFY_CLIENT_SECRET, ZIXLY_ASANA_CLIENT_SECRET, ZIXLY_NOTIFY_WEBHOOK_URL,
  ZIXLY_SMTP_URL, ZIXLY_OTLP_HEADERS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
{{- end -}}
