# The platform on AWS: queues, bucket and secrets by the modules that the emulator gets too, and around them what runs.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  tags    = { project = "zixly", environment = var.prefix }
  account = data.aws_caller_identity.this.account_id
  root    = "arn:${data.aws_partition.this.partition}:iam::${local.account}:root"
  url     = "https://${var.host}"
}

# One key for what is kept: logs, secrets, objects, database, cache, images, alarms.
resource "aws_kms_key" "this" {
  description             = "Everything that ${var.prefix} keeps."
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # A key that its account could not change would be lost with whoever made it; what may use it, roles say.
        Sid       = "TheAccountRulesIt"
        Effect    = "Allow"
        Principal = { AWS = local.root }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogsOfOursAreSealedWithIt"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.this.partition}:logs:${var.region}:${local.account}:log-group:*" } }
      },
      {
        Sid       = "AlarmsMayBeSent"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.prefix}"
  target_key_id = aws_kms_key.this.key_id
}

module "queue" {
  source = "../../modules/queue"

  prefix           = var.prefix
  names            = var.systems
  alarm_topic_arns = [aws_sns_topic.alarms.arn]
  tags             = local.tags
}

module "storage" {
  source = "../../modules/storage"

  bucket      = "${var.prefix}-objects-${local.account}"
  kms_key_arn = aws_kms_key.this.arn
  tags        = local.tags
}

module "secrets" {
  source = "../../modules/secrets"

  prefix     = var.prefix
  kms_key_id = aws_kms_key.this.arn
  tags       = local.tags
  entries    = { for variable, entry in local.entries : entry => { description = "The value of ${variable}." } }
}

# Images: a tag that was pushed stays what it is.
resource "aws_ecr_repository" "this" {
  name                 = var.prefix
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}
