# Beside the alerts of Prometheus and our own notifications: these speak even when nothing of ours runs. Queues have theirs in their module.

resource "aws_sns_topic" "alarms" {
  name              = "${var.prefix}-alarms"
  kms_master_key_id = aws_kms_key.this.key_id
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  kept_up = concat(["bridge", "code", "gateway", "collector"], tolist(local.second))

  watched = merge(
    {
      jobs-late       = { about = "The oldest due job has waited for five minutes, whatever the autoscaling did. docs/operations.md, \"Jobs wait\".", namespace = local.metrics_namespace, metric = "pipeline_oldest_due_job_seconds", dimensions = { deployment = var.prefix }, above = 300, periods = 3, missing = "notBreaching" }
      unaccounted     = { about = "The ledger does not balance. docs/operations.md.", namespace = local.metrics_namespace, metric = "pipeline_unaccounted", dimensions = { deployment = var.prefix }, above = 0, periods = 3, missing = "notBreaching" }
      no-figures      = { about = "Nobody tells CloudWatch how old the oldest due job is, so workers stay as many as they are: look at collector and bridge.", namespace = local.metrics_namespace, metric = "pipeline_oldest_due_job_seconds", dimensions = { deployment = var.prefix }, above = 1000000000, periods = 5, missing = "breaching" }
      bridge-errors   = { about = "The bridge answers with errors of its own.", namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.bridge.arn_suffix }, above = 5, periods = 2, missing = "notBreaching" }
      balancer-errors = { about = "The load balancer finds nobody who answers.", namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = { LoadBalancer = aws_lb.this.arn_suffix }, above = 5, periods = 2, missing = "notBreaching" }
      bridge-away     = { about = "A bridge is not ready.", namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.bridge.arn_suffix }, above = 0, periods = 5, missing = "notBreaching" }
      gateway-away    = { about = "A gateway does not answer.", namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.gateway.arn_suffix }, above = 0, periods = 5, missing = "notBreaching" }
      cache-memory    = { about = "Valkey is nearly full; it evicts nothing, so that writing will fail.", namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { ReplicationGroupId = aws_elasticache_replication_group.this.id }, above = 80, periods = 5, missing = "notBreaching" }
      cache-work      = { about = "Valkey has no breath left.", namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { ReplicationGroupId = aws_elasticache_replication_group.this.id }, above = 80, periods = 5, missing = "notBreaching" }
    },
    { for name in local.kept_up : "none-of-${name}" => { about = "No ${name} runs.", namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", statistic = "Minimum", dimensions = { ClusterName = aws_ecs_cluster.this.name, ServiceName = name }, below = 1, periods = 3, missing = "breaching" } },
    { for name, one in {
      database-work        = { about = "Postgres has no breath left.", namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = { DBInstanceIdentifier = var.prefix }, above = 80, periods = 15, missing = "breaching" }
      database-room        = { about = "Less than 5 GB of disk are left to Postgres.", namespace = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum", dimensions = { DBInstanceIdentifier = var.prefix }, below = 5000000000, periods = 3, missing = "breaching" }
      database-connections = { about = "Four of five connections to Postgres are taken (docs/deployment.md, Sizing).", namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = { DBInstanceIdentifier = var.prefix }, above = try(var.database.connections, 0) * 0.8, periods = 5, missing = "breaching" }
    } : name => one if var.database != null },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.watched

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, "Maximum")
  comparison_operator = try(each.value.below, null) == null ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = try(each.value.below, null) == null ? each.value.above : each.value.below
  period              = 60
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
