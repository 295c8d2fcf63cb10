# As many workers as the oldest due job asks for. The bridge tells it at /metrics (pipeline_oldest_due_job_seconds, computed from the rows at each
# scrape); AWS' collector reads it there every 30 s and writes it to CloudWatch. SQS' own age of messages would not do: a message is a wake-up,
# taken within a second whether or not a worker is free.

locals {
  metrics_namespace = "Zixly/${var.prefix}"
  told              = ["pipeline_oldest_due_job_seconds", "pipeline_unaccounted", "pipeline_dead_letters"]
}

module "collector" {
  source = "../../modules/service"

  prefix      = var.prefix
  name        = "collector"
  region      = var.region
  account     = local.account
  image       = var.collector_image
  entry_point = ["/awscollector"]
  command     = []
  cpu         = 256
  memory      = 512
  log_days    = var.log_days
  kms_key_arn = aws_kms_key.this.arn
  tags        = local.tags
  prepare     = { image = var.gateway_image }
  injected    = { ZIXLY_METRICS_TOKEN = module.secrets.arns["metrics-token"] }

  settings = {
    AOT_CONFIG_CONTENT = yamlencode({
      receivers = {
        prometheus = {
          config = {
            scrape_configs = [{
              job_name        = "pipeline-bridge"
              scrape_interval = "30s"
              authorization   = { type = "Bearer", credentials = "$${env:ZIXLY_METRICS_TOKEN}" }
              static_configs  = [{ targets = ["bridge:3000"], labels = { deployment = var.prefix } }]
              metric_relabel_configs = [{
                source_labels = ["__name__"]
                regex         = join("|", local.told)
                action        = "keep"
              }]
            }]
          }
        }
      }
      exporters = {
        awsemf = {
          region                  = var.region
          namespace               = local.metrics_namespace
          log_group_name          = aws_cloudwatch_log_group.figures.name
          log_stream_name         = "bridge"
          dimension_rollup_option = "NoDimensionRollup"
          metric_declarations     = [{ dimensions = [["deployment"]], metric_name_selectors = [for name in local.told : "^${name}$"] }]
        }
      }
      service = { pipelines = { metrics = { receivers = ["prometheus"], exporters = ["awsemf"] } } }
    })
  }

  statements = [
    { Sid = "WriteFigures", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], Resource = ["${aws_cloudwatch_log_group.figures.arn}:log-stream:bridge", aws_cloudwatch_log_group.figures.arn] },
  ]

  service = merge(local.place, {
    security_groups = [aws_security_group.this["collector"].id]
    count           = var.started ? 1 : 0
    only_one        = true
  })

  depends_on = [module.first]
}

resource "aws_cloudwatch_log_group" "figures" {
  # checkov:skip=CKV_AWS_338: its lines are figures that CloudWatch has taken out of them already
  name              = "/${var.prefix}/figures"
  retention_in_days = 7
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_appautoscaling_target" "workers" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/worker"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.started ? var.workers.least : 0
  max_capacity       = var.started ? var.workers.most : 0
  depends_on         = [module.second]
}

resource "aws_appautoscaling_policy" "more" {
  name               = "${var.prefix}-more-workers"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.workers.service_namespace
  resource_id        = aws_appautoscaling_target.workers.resource_id
  scalable_dimension = aws_appautoscaling_target.workers.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    min_adjustment_magnitude = 1
    cooldown                 = 60
    metric_aggregation_type  = "Maximum"

    # 30 s to two minutes: half as many again; above that: twice as many.
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 90
      scaling_adjustment          = 50
    }

    step_adjustment {
      metric_interval_lower_bound = 90
      scaling_adjustment          = 100
    }
  }
}

resource "aws_appautoscaling_policy" "fewer" {
  name               = "${var.prefix}-fewer-workers"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.workers.service_namespace
  resource_id        = aws_appautoscaling_target.workers.resource_id
  scalable_dimension = aws_appautoscaling_target.workers.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 300
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_upper_bound = 0
      scaling_adjustment          = -1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "jobs_wait" {
  alarm_name          = "${var.prefix}-jobs-wait"
  alarm_description   = "The oldest due job has waited for 30 s: more workers."
  namespace           = local.metrics_namespace
  metric_name         = "pipeline_oldest_due_job_seconds"
  dimensions          = { deployment = var.prefix }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 30
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_appautoscaling_policy.more.arn]
}

resource "aws_cloudwatch_metric_alarm" "nobody_waits" {
  alarm_name          = "${var.prefix}-nobody-waits"
  alarm_description   = "No job has waited for 5 s in a quarter of an hour: a worker fewer."
  namespace           = local.metrics_namespace
  metric_name         = "pipeline_oldest_due_job_seconds"
  dimensions          = { deployment = var.prefix }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 5
  period              = 60
  evaluation_periods  = 15
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_appautoscaling_policy.fewer.arn]
}
