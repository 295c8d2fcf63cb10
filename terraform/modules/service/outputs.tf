output "task_definition_arn" {
  description = "What is run."
  value       = aws_ecs_task_definition.this.arn
}

output "containers" {
  description = "The containers, as ECS is told."
  value       = jsondecode(aws_ecs_task_definition.this.container_definitions)
}

output "statements" {
  description = "All that its two roles may do."
  value       = { start = local.start, work = local.work }
}

output "log_group" {
  description = "Where its lines are."
  value       = aws_cloudwatch_log_group.this.name
}

output "service_name" {
  description = "The service, where there is one."
  value       = one(aws_ecs_service.this[*].name)
}
