locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
    }]
  })

  # What ECS does before the process runs: fetch the image, open the log, put secrets into the container.
  start = concat(
    [
      { Sid = "OpenItsOwnLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.this.arn}:log-stream:${var.name}/*"] },
    ],
    var.repository_arn == null ? [] : [
      { Sid = "FetchTheImage", Effect = "Allow", Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], Resource = [var.repository_arn] },
      # AWS knows no narrower resource for this one: it gives a token, which opens what the line above names.
      { Sid = "SignInAtTheRegistry", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    ],
    length(var.injected) == 0 ? [] : [
      { Sid = "PutSecretsIn", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = sort(values(var.injected)) },
      { Sid = "OpenThem", Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kms_key_arn] },
    ],
  )

  # What the process itself does.
  work = concat(
    length(var.asked_secrets) == 0 ? [] : [
      { Sid = "AskForItsSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = sort(var.asked_secrets) },
    ],
    var.statements,
  )
}

resource "aws_iam_role" "start" {
  name               = "${local.full_name}-start"
  assume_role_policy = local.trust
  tags               = var.tags
}

resource "aws_iam_role_policy" "start" {
  name   = "start"
  role   = aws_iam_role.start.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.start })
}

resource "aws_iam_role" "work" {
  name               = "${local.full_name}-work"
  assume_role_policy = local.trust
  tags               = var.tags
}

resource "aws_iam_role_policy" "work" {
  count = length(local.work) == 0 ? 0 : 1

  name   = "work"
  role   = aws_iam_role.work.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.work })
}
