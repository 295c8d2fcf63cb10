# One process on ECS Fargate: its task, its two roles (one that starts it, one that it works with), its log, and the service that keeps it up.

locals {
  full_name = "${var.prefix}-${var.name}"

  settings = [for name in sort(keys(var.settings)) : { name = name, value = var.settings[name] }]
  secrets  = [for name in sort(keys(var.injected)) : { name = name, valueFrom = var.injected[name] }]

  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.this.name
      awslogs-region        = var.region
      awslogs-stream-prefix = var.name
      mode                  = "non-blocking"
    }
  }

  # Fargate gives an empty volume to root; this container, which ends at once, makes it everybody's and puts there what must be there.
  prepare = {
    name                   = "prepare"
    image                  = coalesce(var.prepare.image, var.image)
    essential              = false
    user                   = "0"
    entryPoint             = ["sh", "-ec"]
    command                = [join(" && ", concat(["chmod 1777 /tmp"], var.prepare.commands))]
    environment            = local.settings
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"], add = [] }, initProcessEnabled = false }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    logConfiguration       = local.log
  }

  process = {
    name                   = var.name
    image                  = var.image
    essential              = true
    user                   = var.user
    entryPoint             = var.entry_point
    command                = var.command
    environment            = local.settings
    secrets                = local.secrets
    portMappings           = var.port == null ? [] : [{ name = var.name, containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"], add = [] }, initProcessEnabled = true }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    dependsOn              = [{ containerName = "prepare", condition = "SUCCESS" }]
    stopTimeout            = var.stop_seconds
    logConfiguration       = local.log
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.prefix}/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.full_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.work.arn
  container_definitions    = jsonencode([local.prepare, local.process])
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "tmp"
  }
}

resource "aws_ecs_service" "this" {
  count = var.service == null ? 0 : 1

  name                               = var.name
  cluster                            = var.service.cluster_arn
  task_definition                    = aws_ecs_task_definition.this.arn
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  desired_count                      = var.service.count
  deployment_minimum_healthy_percent = var.service.only_one ? 0 : 100
  deployment_maximum_percent         = var.service.only_one ? 100 : 200
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  health_check_grace_period_seconds  = var.service.target_group_arn == null ? null : 60
  tags                               = var.tags

  network_configuration {
    subnets          = var.service.subnets
    security_groups  = var.service.security_groups
    assign_public_ip = false
  }

  # A version that does not come up is taken back by ECS.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  service_connect_configuration {
    enabled   = true
    namespace = var.service.namespace_arn

    dynamic "service" {
      for_each = var.service.is_asked_by_name ? [var.port] : []

      content {
        port_name      = var.name
        discovery_name = var.name

        client_alias {
          dns_name = var.name
          port     = service.value
        }
      }
    }
  }

  dynamic "load_balancer" {
    for_each = var.service.target_group_arn == null ? [] : [var.service.target_group_arn]

    content {
      target_group_arn = load_balancer.value
      container_name   = var.name
      container_port   = var.port
    }
  }

  # How many there are is moved by the autoscaling, or by an operator, without an apply taking it back.
  lifecycle {
    ignore_changes = [desired_count]
  }
}
