output "queue_arns" {
  description = "The queues that messages are put on and taken from, by system."
  value       = { for name, queue in aws_sqs_queue.main : name => queue.arn }
}

output "dead_arns" {
  description = "Their dead letters, by system."
  value       = { for name, queue in aws_sqs_queue.dead : name => queue.arn }
}

output "all_arns" {
  description = "Every queue, for a policy."
  value       = concat([for queue in aws_sqs_queue.main : queue.arn], [for queue in aws_sqs_queue.dead : queue.arn])
}
