{{/* What every pod of ours has: root, component (of the table), its values. */}}
{{- define "zixly.podBasics" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
{{- /* Kubernetes would set ZIXLY_CODE_PORT=tcp://... for a Service of that name, and the settings could not be read. */ -}}
enableServiceLinks: false
automountServiceAccountToken: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $root.Values.podSecurityContext.runAsUser }}
  runAsGroup: {{ $root.Values.podSecurityContext.runAsGroup }}
  fsGroup: {{ $root.Values.podSecurityContext.runAsGroup }}
  seccompProfile: {type: RuntimeDefault}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "zixly.spread" -}}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "zixly.selector" $ | nindent 8 }}
{{- end }}
{{- end -}}

{{- define "zixly.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Variables of a container: those set here, then the keys of the Secret that this process may see. */}}
{{- define "zixly.env" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $secret := index . 2 -}}
- name: PYTHONUNBUFFERED
  value: "1"
{{- if $component.isDagster }}
- name: DAGSTER_HOME
  value: /var/lib/zixly
- name: ZIXLY_WORKSPACE
  value: /var/lib/zixly/workspace.yaml
- name: ZIXLY_CODE_HOST
  value: {{ include "zixly.fullname" $root }}-code
- name: ZIXLY_CODE_PORT
  value: "3003"
{{- end }}
{{- if has "$(POD_NAME)" ($component.command | default list) }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
{{- range $name, $value := $component.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $component.secrets }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ . }}}}
{{- end }}
{{- range $component.optionalSecrets }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ . }}, optional: true}}
{{- end }}
{{- end -}}

{{- define "zixly.envFrom" -}}
- configMapRef: {name: {{ include "zixly.fullname" . }}-settings}
{{- end -}}

{{/* Folders: everything is read-only but these. Dagster's home holds its two files and what a run puts down for its next op. */}}
{{- define "zixly.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .isDagster }}
- {name: home, mountPath: /var/lib/zixly}
- {name: dagster, mountPath: /var/lib/zixly/dagster.yaml, subPath: dagster.yaml, readOnly: true}
- {name: dagster, mountPath: /var/lib/zixly/workspace.yaml, subPath: workspace.yaml, readOnly: true}
{{- end }}
{{- end -}}

{{- define "zixly.volumes" -}}
{{- $root := index . 0 -}}
- {name: tmp, emptyDir: {sizeLimit: 512Mi}}
{{- if (index . 1).isDagster }}
- {name: home, emptyDir: {sizeLimit: 512Mi}}
- {name: dagster, configMap: {name: {{ include "zixly.fullname" $root }}-dagster}}
{{- end }}
{{- end -}}

{{/* A new pod for new settings: of the whole text that the pod reads. Secrets are not seen from here. */}}
{{- define "zixly.checksums" -}}
{{- $root := index . 0 -}}
checksum/settings: {{ include "zixly.settings" $root | sha256sum }}
{{- if (index . 1).isDagster }}
checksum/dagster: {{ include "zixly.dagsterFiles" $root | sha256sum }}
{{- end }}
{{- end -}}
