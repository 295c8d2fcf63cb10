# Beside the alerts of Prometheus (prometheus/alerts.yml): these two speak even when nothing of ours runs.

resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  for_each = var.with_alarms ? var.names : []

  alarm_name          = "${var.prefix}-${each.key}-oldest-message"
  alarm_description   = "Nobody takes messages from ${var.prefix}-${each.key}. Look whether the daemon runs and whether the system's sensor is switched on."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.main[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.oldest_message_alarm_seconds
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = var.with_alarms ? var.names : []

  alarm_name          = "${var.prefix}-${each.key}-dead-letters"
  alarm_description   = "Messages of ${var.prefix}-${each.key} were handed out again and again and never settled. Their jobs are safe: the sweep announces them. Look at what the dispatcher logs."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
