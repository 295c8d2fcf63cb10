# For each system a queue {prefix}-{system} and its dead letters {prefix}-{system}-dead, as zixly_core/queues/sqs.py looks them up.

resource "aws_sqs_queue" "dead" {
  for_each = var.names

  name                              = "${var.prefix}-${each.key}-dead"
  message_retention_seconds         = var.dead_retention_seconds
  sqs_managed_sse_enabled           = var.kms_key_id == null ? true : null
  kms_master_key_id                 = var.kms_key_id
  kms_data_key_reuse_period_seconds = var.kms_key_id == null ? null : 3600
  tags                              = var.tags
}

resource "aws_sqs_queue" "main" {
  for_each = var.names

  name                              = "${var.prefix}-${each.key}"
  visibility_timeout_seconds        = var.visibility_seconds
  message_retention_seconds         = var.retention_seconds
  receive_wait_time_seconds         = 5
  sqs_managed_sse_enabled           = var.kms_key_id == null ? true : null
  kms_master_key_id                 = var.kms_key_id
  kms_data_key_reuse_period_seconds = var.kms_key_id == null ? null : 3600
  tags                              = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = var.max_receive_count
  })
}

# Dead letters come from their own queue and from no other.
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each = var.names

  queue_url = aws_sqs_queue.dead[each.key].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.main[each.key].arn]
  })
}

# Whatever a role may do: never without TLS. Each queue has its policy, the dead letters too.
locals {
  every_queue = merge(
    { for name, queue in aws_sqs_queue.main : name => { url = queue.id, arn = queue.arn } },
    { for name, queue in aws_sqs_queue.dead : "${name}-dead" => { url = queue.id, arn = queue.arn } },
  )
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each = local.policy_names

  queue_url = local.every_queue[each.key].url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NeverWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.every_queue[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }
    ]
  })
}

locals {
  # Known before anything is made, which for_each asks for.
  policy_names = toset(flatten([for name in var.names : [name, "${name}-dead"]]))
}
