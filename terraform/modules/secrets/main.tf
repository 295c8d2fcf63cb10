# Entries in Secrets Manager, which settings name as secretsmanager://{prefix}/{name}#field (docs/secrets.md).

resource "aws_secretsmanager_secret" "this" {
  for_each = var.entries

  name                    = "${var.prefix}/${each.key}"
  description             = each.value.description
  kms_key_id              = var.kms_key_id
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}

# The hook for rotation: a Lambda of one's own, for those that name one. After a change our processes take the new value within
# five minutes and go on accepting signatures made with the one before.
resource "aws_secretsmanager_secret_rotation" "this" {
  # checkov:skip=CKV_AWS_304: how often, each entry says; 30 days unless it does
  for_each = { for name, entry in var.entries : name => entry if entry.rotation_lambda_arn != null }

  secret_id           = aws_secretsmanager_secret.this[each.key].id
  rotation_lambda_arn = each.value.rotation_lambda_arn

  rotation_rules {
    automatically_after_days = each.value.rotation_days
  }
}

resource "aws_secretsmanager_secret_version" "first" {
  for_each = nonsensitive(toset(keys(var.values)))

  secret_id     = aws_secretsmanager_secret.this[each.key].id
  secret_string = var.values[each.key]

  lifecycle {
    ignore_changes = [secret_string]
  }
}
