{{/* Names and labels. Everything begins with the release's name, shortened so that what follows still fits into 63 characters. */}}
{{- define "zixly.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-zixly" .Release.Name) (contains "zixly" .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects the pods of a component: list of root and name. Never changes, since a Deployment's selector may not. */}}
{{- define "zixly.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: zixly
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "zixly.labels" -}}
{{- $root := index . 0 -}}
{{ include "zixly.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* Beginning of an object: root, component, and what its name ends with beside it (may be empty). */}}
{{- define "zixly.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "zixly.fullname" $root }}-{{ index . 1 }}{{ with index . 2 }}-{{ . }}{{ end }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "zixly.labels" . | nindent 2 }}
{{- end -}}

{{/* repository:tag or repository@digest: of an image's values, and the tag where they name none. */}}
{{- define "zixly.imageOf" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 1) }}
{{- end -}}
{{- end -}}

{{- define "zixly.image" -}}
{{- include "zixly.imageOf" (list .Values.image .Chart.AppVersion) -}}
{{- end -}}

{{- define "zixly.secretName" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-secrets" (include "zixly.fullname" .)) -}}
{{- end -}}

{{- define "zixly.migrationSecretName" -}}
{{- $own := printf "%s-migration" (include "zixly.fullname" .) -}}
{{- .Values.secrets.existingMigrationSecret | default (.Values.secrets.existingSecret | default $own) -}}
{{- end -}}
