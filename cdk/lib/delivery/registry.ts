// The one image with every function, and beside it the one that `backup` dumps and verifies in. Tags never change; what is deployed is named by its digest.

import { ArnFormat, RemovalPolicy, Stack } from "aws-cdk-lib";
import * as ecr from "aws-cdk-lib/aws-ecr";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Settings } from "../../config/settings.ts";
import { acknowledge } from "../acknowledge.ts";
import { BACKUP_REPOSITORY_NAME, REPOSITORY_NAME } from "../names.ts";

const PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

export interface Repositories {
  readonly functions: ecr.Repository;
  readonly backup: ecr.Repository;
}

export function createRegistry(scope: Construct, nodeRole: iam.IRole, settings: Settings): Repositories {
  const functions = createRepository(scope, "repository", REPOSITORY_NAME, nodeRole, settings);
  letLambdaPull(functions);
  return { functions, backup: createRepository(scope, "backup-repository", BACKUP_REPOSITORY_NAME, nodeRole, settings) };
}

function createRepository(scope: Construct, id: string, repositoryName: string, nodeRole: iam.IRole, settings: Settings): ecr.Repository {
  const repository = new ecr.Repository(scope, id, {
    repositoryName,
    imageScanOnPush: true,
    imageTagMutability: ecr.TagMutability.IMMUTABLE,
    removalPolicy: RemovalPolicy.RETAIN,
    // Attestations have no tag: they are neither counted nor removed, until ECR removes their image.
    lifecycleRules: [
      { tagStatus: ecr.TagStatus.TAGGED, tagPatternList: ["*"], maxImageCount: settings.images.keep, description: "Old releases" },
    ],
  });
  repository.addToResourcePolicy(
    new iam.PolicyStatement({ sid: "Nodes", principals: [new iam.ArnPrincipal(nodeRole.roleArn)], actions: PULL }),
  );
  acknowledge(repository, {
    checkov: ["CKV_AWS_136"],
    reason: "ECR encrypts at rest with AES-256; the image is built from a public repository and has no secrets.",
  });
  return repository;
}

function letLambdaPull(repository: ecr.Repository): void {
  const functions = Stack.of(repository).formatArn({
    service: "lambda",
    resource: "function",
    resourceName: "task-app-*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  repository.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: "Lambdas",
      principals: [new iam.ServicePrincipal("lambda.amazonaws.com")],
      actions: PULL,
      conditions: { ArnLike: { "aws:SourceArn": functions } },
    }),
  );
}
