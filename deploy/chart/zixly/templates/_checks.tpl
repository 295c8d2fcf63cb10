{{/* What the schema cannot say: each line stops the rendering with one sentence that names the value. */}}
{{- define "zixly.checks" -}}
{{- $values := .Values -}}
{{- $_ := required "publicUrl is not set: give the gateway's address, such as https://hooks.example.com" $values.publicUrl -}}
{{- $_ := required "objectsUrl is not set: give a bucket, such as s3://documents/production" $values.objectsUrl -}}
{{- $_ := required "gateway.tls.secretName is not set: name a Secret of type kubernetes.io/tls" $values.gateway.tls.secretName -}}
{{- $external := $values.secrets.externalSecrets -}}
{{- if and $external.enabled $values.secrets.existingSecret -}}
{{- fail "secrets.existingSecret and secrets.externalSecrets.enabled exclude each other: choose one" -}}
{{- end -}}
{{- if and $external.enabled $values.secrets.existingMigrationSecret -}}
{{- fail "secrets.existingMigrationSecret and secrets.externalSecrets.enabled exclude each other: choose one" -}}
{{- end -}}
{{- if not (or $external.enabled $values.secrets.existingSecret) -}}
{{- $_ := required "secrets.existingSecret is not set: name a Secret, or set secrets.externalSecrets.enabled" "" -}}
{{- end -}}
{{- if and $external.enabled (not $external.storeRef.name) -}}
{{- fail "secrets.externalSecrets.storeRef.name is not set: name the store of External Secrets" -}}
{{- end -}}
{{- include "zixly.checkPools" . -}}
{{- if and $values.bridge.autoscaling.enabled (gt (int $values.bridge.autoscaling.minReplicas) (int $values.bridge.autoscaling.maxReplicas)) -}}
{{- fail "bridge.autoscaling.minReplicas is above bridge.autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}

{{- define "zixly.checkPools" -}}
{{- $values := .Values -}}
{{- $names := list -}}
{{- $lanes := list -}}
{{- range $values.workers.pools -}}
{{- if has .name $names -}}
{{- fail (printf "workers.pools names %q twice" .name) -}}
{{- end -}}
{{- if and (ne .autoscaling.by "none") (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) -}}
{{- fail (printf "workers.pools: autoscaling.minReplicas of %q is above its maxReplicas" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- $lanes = concat $lanes .lanes -}}
{{- end -}}
{{- if eq $values.dagster.launcher "celery" -}}
{{- range list "live" "bulk" -}}
{{- if not (has . $lanes) -}}
{{- fail (printf "workers.pools: no pool serves the lane %q, so its runs would wait for ever" .) -}}
{{- end -}}
{{- end -}}
{{- if ge (int $values.dagster.bulkRuns) (int (include "zixly.totalSlots" .)) -}}
{{- fail (printf "dagster.bulkRuns must stay below the slots of all workers (%s), or bulk runs take them all" (include "zixly.totalSlots" .)) -}}
{{- end -}}
{{- else if $values.workers.pools -}}
{{- fail "workers.pools must be empty where dagster.launcher is kubernetes: nothing would be given to them" -}}
{{- end -}}
{{- end -}}

{{/* Slots of the workers that are always there; with a pod for each run, as many as may be on their way. */}}
{{- define "zixly.totalSlots" -}}
{{- $total := 0 -}}
{{- range .Values.workers.pools -}}
{{- $pods := ternary .replicas .autoscaling.minReplicas (eq .autoscaling.by "none") -}}
{{- $total = add $total (mul (int $pods) (int $.Values.workers.slots)) -}}
{{- end -}}
{{- if eq .Values.dagster.launcher "kubernetes" -}}
{{- $total = .Values.settings.ZIXLY_MAX_OPEN_BATCHES | default 32 -}}
{{- end -}}
{{- $total -}}
{{- end -}}
