output "load_balancer" {
  description = "Where the record of `host` points (CNAME, or an alias)."
  value       = aws_lb.this.dns_name
}

output "repository" {
  description = "Where the image is pushed."
  value       = aws_ecr_repository.this.repository_url
}

output "secrets" {
  description = "The secrets that need a value before the services start: variable -> name in Secrets Manager."
  value       = { for variable, entry in local.entries : variable => "${var.prefix}/${entry}" }
}

output "database" {
  description = "HOST:PORT for the secrets ZIXLY_DATABASE_URL_... and where the administrator's password lies; null without RDS."
  value       = var.database == null ? null : { endpoint = aws_db_instance.this[0].endpoint, administrator = one(aws_db_instance.this[0].master_user_secret[*].secret_arn) }
}

output "cache" {
  description = "The host for the secrets ZIXLY_BROKER_URL and ZIXLY_LIMITS_URL (rediss://...:6379)."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "migrate" {
  description = "What `aws ecs run-task` is told to bring the databases to this version."
  value = {
    cluster         = aws_ecs_cluster.this.name
    task_definition = module.migrate.task_definition_arn
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.this["migrate"].id]
  }
}

output "statements" {
  description = "All that the roles of each process may do, to be read in one place."
  value = merge(
    { for name, one in module.first : name => one.statements },
    { for name, one in module.second : name => one.statements },
    { migrate = module.migrate.statements, gateway = module.gateway.statements, collector = module.collector.statements },
  )
}
