terraform {
  required_providers {
    aws     = { source = "hashicorp/aws", version = "~> 6.0" }
    archive = { source = "hashicorp/archive", version = "~> 2.0" }
  }
}

locals {
  timeout = 30 # seconds
  functions = {
    charge = { retention = "86400s" }   # 24 hours
    orders = { retention = "1555200s" } # 18 days: as long as both queues keep a message
  }
}

resource "aws_dynamodb_table" "records" {
  name                        = "idempotency"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "id"
  deletion_protection_enabled = true

  attribute {
    name = "id"
    type = "S"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

data "archive_file" "code" {
  for_each    = local.functions
  type        = "zip"
  source_dir  = "dist/${each.key}"
  output_path = "dist/${each.key}.zip"
}

resource "aws_lambda_function" "idempotent" {
  for_each         = local.functions
  function_name    = each.key
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  handler          = "index.handler"
  timeout          = local.timeout
  role             = aws_iam_role.function[each.key].arn
  filename         = data.archive_file.code[each.key].output_path
  source_code_hash = data.archive_file.code[each.key].output_base64sha256

  environment {
    variables = {
      IDEMPOTENCY_TABLE            = aws_dynamodb_table.records.name
      IDEMPOTENCY_SCOPE            = each.key
      IDEMPOTENCY_RETENTION        = each.value.retention
      IDEMPOTENCY_FUNCTION_TIMEOUT = "${local.timeout}s"
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = each.key
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  for_each   = local.functions
  role       = aws_iam_role.function[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

data "aws_iam_policy_document" "records" {
  for_each = local.functions
  statement {
    actions = [
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:BatchGetItem",
      "dynamodb:PartiQLInsert",
      "dynamodb:PartiQLUpdate",
    ]
    resources = [aws_dynamodb_table.records.arn]

    condition { # the records of its scope alone
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["${each.key}#*"]
    }
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }
}

resource "aws_iam_role_policy" "records" {
  for_each = local.functions
  name     = "records"
  role     = aws_iam_role.function[each.key].id
  policy   = data.aws_iam_policy_document.records[each.key].json
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "orders-dead-letters"
  message_retention_seconds = 1209600 # 14 days
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "orders" {
  name                       = "orders"
  visibility_timeout_seconds = 180    # 6 timeouts of the function
  message_retention_seconds  = 345600 # 4 days
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })
}

data "aws_iam_policy_document" "queue" {
  statement {
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl", # this and the next for sqsRedelivery
      "sqs:ChangeMessageVisibility",
    ]
    resources = [aws_sqs_queue.orders.arn]
  }
}

resource "aws_iam_role_policy" "queue" {
  name   = "queue"
  role   = aws_iam_role.function["orders"].id
  policy = data.aws_iam_policy_document.queue.json
}

resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn        = aws_sqs_queue.orders.arn
  function_name           = aws_lambda_function.idempotent["orders"].arn
  function_response_types = ["ReportBatchItemFailures"]
}
