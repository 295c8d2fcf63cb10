output "arns" {
  description = "The secrets, by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "references" {
  description = "What a setting says to use one, by name; a field of a JSON secret is named behind a # (docs/secrets.md)."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => "secretsmanager://${secret.name}" }
}
