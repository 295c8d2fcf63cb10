output "queue_url" {
  description = "ZIXLY_QUEUE_URL"
  value       = "sqs://${var.region}/${var.prefix}?endpoint=${var.endpoint}"
}

output "objects_url" {
  description = "ZIXLY_OBJECTS_URL"
  value       = "s3://${module.storage.bucket}?region=${var.region}&endpoint=${var.endpoint}"
}

output "tokens_url" {
  description = "ZIXLY_TOKENS_URL"
  value       = "secretsmanager://${var.prefix}/tokens?region=${var.region}&endpoint=${var.endpoint}"
}

output "secrets" {
  description = "How settings name the secrets."
  value       = { for name, reference in module.secrets.references : name => "${reference}?region=${var.region}&endpoint=${var.endpoint}" }
}
