# Valkey: the workers' queue (ZIXLY_BROKER_URL) and the counters of requests (ZIXLY_LIMITS_URL). What it forgets is handed over again.

resource "aws_elasticache_subnet_group" "this" {
  name       = var.prefix
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_elasticache_parameter_group" "this" {
  name   = var.prefix
  family = "valkey8"

  # A message that was evicted would cost a run its two minutes.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_replication_group" "this" {
  # checkov:skip=CKV_AWS_31: its password is set by hand and stands in no state; see the lifecycle below
  replication_group_id       = var.prefix
  description                = "The workers' queue and the counters of requests."
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.cache_node
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.this.arn
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  security_group_ids         = [aws_security_group.this["cache"].id]
  snapshot_retention_limit   = 1
  auto_minor_version_upgrade = true

  lifecycle {
    ignore_changes = [auth_token]
  }
}
