# The processes of services.yaml. Those that others ask for by name start first: ECS tells a task only the names that were there before it.

locals {
  table = yamldecode(file("${path.module}/services.yaml"))
  # ... and two that need nothing of ours but their configuration, and the one that AWS needs for its figures.
  names = concat(sort(keys(local.table)), ["gateway", "collector"])

  used_secrets = { for name, one in local.table : name => concat(one.secrets, [for variable in one.optional : variable if contains(var.optional_secrets, variable)]) }
  # ZIXLY_DATABASE_URL_INTAKE -> database-url-intake
  entries = { for variable in distinct(flatten(values(local.used_secrets))) : variable => lower(replace(trimprefix(variable, "ZIXLY_"), "_", "-")) }
  # Dagster reads these from its environment, so a reference would not do (.env.example).
  read_by_dagster = ["ZIXLY_DAGSTER_DATABASE_URL", "ZIXLY_BROKER_URL"]

  common = merge(var.settings, {
    ZIXLY_ENVIRONMENT           = "production"
    ZIXLY_LOG_FORMAT            = "json"
    ZIXLY_QUEUE_URL             = "sqs://${var.region}/${var.prefix}"
    ZIXLY_OBJECTS_URL           = "s3://${module.storage.bucket}?region=${var.region}"
    ZIXLY_TOKENS_URL            = "postgres:"
    ZIXLY_BRIDGE_PUBLIC_URL     = local.url
    ZIXLY_DAGSTER_WEBSERVER_URL = "${local.url}/dagster"
    ZIXLY_TRUSTED_PROXIES       = "127.0.0.1,${var.cidr}"
    ZIXLY_WORKER_SLOTS          = tostring(var.workers.slots)
    ZIXLY_TOTAL_SLOTS           = tostring(var.workers.most * var.workers.slots)
    DAGSTER_HOME                = "/tmp/dagster"
    AWS_DEFAULT_REGION          = var.region
    PYTHONUNBUFFERED            = "1"
    DAGSTER_GRPC_MAX_WORKERS    = "32"
    HOME                        = "/tmp"
  })

  settings = { for name, one in local.table : name => merge(
    local.common, one.settings,
    { for variable in local.used_secrets[name] : variable => "${module.secrets.references[local.entries[variable]]}?region=${var.region}" if !contains(local.read_by_dagster, variable) },
  ) }
  injected = { for name, one in local.table : name => { for variable in local.used_secrets[name] : variable => module.secrets.arns[local.entries[variable]] if contains(local.read_by_dagster, variable) } }
  asked    = { for name, one in local.table : name => [for variable in local.used_secrets[name] : module.secrets.arns[local.entries[variable]] if !contains(local.read_by_dagster, variable)] }

  start_of = { for name, one in local.table : name => can(one.shell) ? { entry = ["sh", "-ec"], command = [one.shell] } : { entry = ["python", "-m"], command = one.run } }
  counts   = { bridge = var.sizes.bridge, code = var.sizes.code, daemon = 1, webserver = var.sizes.webserver, viewer = var.sizes.viewer, worker = var.workers.least }
  # Dagster reads its instance's file from its home; the image has it beside the sources.
  with_home = ["mkdir -p -m 1777 /tmp/dagster", "cp /app/dagster.yaml /tmp/dagster/"]

  first   = toset(["bridge", "code"])
  second  = toset(["daemon", "webserver", "viewer", "worker"])
  targets = { bridge = aws_lb_target_group.bridge.arn }
  place = {
    cluster_arn   = aws_ecs_cluster.this.arn
    namespace_arn = aws_service_discovery_http_namespace.this.arn
    subnets       = aws_subnet.private[*].id
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.prefix

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_service_discovery_http_namespace" "this" {
  name        = var.prefix
  description = "The names by which processes ask for each other."
}

module "first" {
  source   = "../../modules/service"
  for_each = local.first

  prefix         = var.prefix
  name           = each.key
  region         = var.region
  account        = local.account
  image          = var.image
  repository_arn = aws_ecr_repository.this.arn
  entry_point    = local.start_of[each.key].entry
  command        = local.start_of[each.key].command
  prepare        = { commands = local.with_home }
  settings       = local.settings[each.key]
  injected       = local.injected[each.key]
  asked_secrets  = local.asked[each.key]
  statements     = local.permissions[each.key]
  cpu            = local.table[each.key].cpu
  memory         = local.table[each.key].memory
  port           = local.table[each.key].port
  log_days       = var.log_days
  kms_key_arn    = aws_kms_key.this.arn
  tags           = local.tags

  service = merge(local.place, {
    security_groups  = [aws_security_group.this[each.key].id]
    count            = var.started ? local.counts[each.key] : 0
    is_asked_by_name = true
    target_group_arn = try(local.targets[each.key], null)
  })

  # A service whose target group no listener uses is refused.
  depends_on = [aws_lb_listener.this, aws_lb_listener_rule.webhooks]
}

module "second" {
  source   = "../../modules/service"
  for_each = local.second

  prefix         = var.prefix
  name           = each.key
  region         = var.region
  account        = local.account
  image          = var.image
  repository_arn = aws_ecr_repository.this.arn
  entry_point    = local.start_of[each.key].entry
  command        = local.start_of[each.key].command
  prepare        = { commands = local.with_home }
  settings       = local.settings[each.key]
  injected       = local.injected[each.key]
  asked_secrets  = local.asked[each.key]
  statements     = local.permissions[each.key]
  cpu            = local.table[each.key].cpu
  memory         = local.table[each.key].memory
  port           = try(local.table[each.key].port, null)
  log_days       = var.log_days
  kms_key_arn    = aws_kms_key.this.arn
  tags           = local.tags

  service = merge(local.place, {
    security_groups  = [aws_security_group.this[each.key].id]
    count            = var.started ? local.counts[each.key] : 0
    only_one         = each.key == "daemon"
    is_asked_by_name = contains(["webserver", "viewer"], each.key)
  })

  depends_on = [module.first]
}

module "migrate" {
  source = "../../modules/service"

  prefix         = var.prefix
  name           = "migrate"
  region         = var.region
  account        = local.account
  image          = var.image
  repository_arn = aws_ecr_repository.this.arn
  entry_point    = local.start_of["migrate"].entry
  command        = local.start_of["migrate"].command
  prepare        = { commands = local.with_home }
  settings       = local.settings["migrate"]
  injected       = local.injected["migrate"]
  asked_secrets  = local.asked["migrate"]
  statements     = local.permissions["migrate"]
  cpu            = local.table["migrate"].cpu
  memory         = local.table["migrate"].memory
  log_days       = var.log_days
  kms_key_arn    = aws_kms_key.this.arn
  tags           = local.tags
}
