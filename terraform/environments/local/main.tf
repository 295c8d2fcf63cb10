# SQS, S3 and Secrets Manager on an emulator, by the modules that AWS gets too.

locals {
  tags = { project = "zixly", environment = "local" }
}

module "queue" {
  source = "../../modules/queue"

  prefix      = var.prefix
  names       = var.systems
  with_alarms = false
  tags        = local.tags
}

module "storage" {
  source = "../../modules/storage"

  bucket        = "${var.prefix}-objects"
  force_destroy = true
  tags          = local.tags
}

module "secrets" {
  source = "../../modules/secrets"

  prefix        = var.prefix
  recovery_days = 0
  tags          = local.tags

  entries = {
    secrets-key = { description = "The keys that seal tokens and signing secrets, newest first." }
    vendor-apps = { description = "Client ids, client secrets and webhook keys of our apps at the vendors, as JSON." }
  }
}
