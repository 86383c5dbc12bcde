// What GitHub's workflows may do in this account, by short-lived tokens of GitHub's OIDC provider. No
// key of AWS is stored anywhere.

import { Stack } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { GithubSettings, Settings } from "../../config/settings.ts";
import type { ControllerGrant } from "../identity/controllers.ts";
import { allow } from "../identity/grant.ts";
import type { Repositories } from "./registry.ts";

const ISSUER = "token.actions.githubusercontent.com";

interface Workflow {
  readonly description: string;
  /** The subject of its tokens: no wildcard, so that no other branch, repository or event has it. */
  readonly subject: (github: GithubSettings) => string;
  /** None where the workflow has nothing to do in this environment: then there is no role. */
  readonly grants: (scope: Construct, repositories: Repositories, github: GithubSettings) => ControllerGrant[];
}

const WORKFLOWS = {
  "cd-app": {
    description: "Pushes the image of the branch",
    subject: ({ repository, branch }) => `repo:${repository}:ref:refs/heads/${branch}`,
    grants: (_scope, repositories, { images }) => (images === "built" ? registry(repositories, PUSH) : []),
  },
  promote: {
    description: "Copies the image of dev to production, after an approval",
    subject: ({ repository, promotion }) => `repo:${repository}:environment:${promotion}`,
    grants: (_scope, repositories, { images }) => registry(repositories, images === "promoted" ? PUSH : PULL),
  },
  "cdk-diff": {
    description: "Compares pull requests with what is deployed; changes nothing",
    subject: ({ repository }) => `repo:${repository}:pull_request`,
    grants: (scope) => [{ actions: ["sts:AssumeRole"], resources: [bootstrapRole(scope, "lookup")] }],
  },
  "cdk-deploy": {
    description: "Deploys this app after the approval of its environment",
    subject: ({ repository, environment }) => `repo:${repository}:environment:${environment}`,
    grants: (scope) => [
      {
        actions: ["sts:AssumeRole"],
        resources: ["deploy", "file-publishing", "lookup"].map((kind) => bootstrapRole(scope, kind)),
      },
    ],
  },
} as const satisfies Record<string, Workflow>;

export type WorkflowName = keyof typeof WORKFLOWS;

const PULL = ["BatchGetImage", "DescribeImages", "DescribeImageScanFindings", "GetDownloadUrlForLayer"].map((action) => `ecr:${action}`);
const PUSH = [
  ...PULL,
  ...["BatchCheckLayerAvailability", "CompleteLayerUpload", "InitiateLayerUpload", "PutImage", "UploadLayerPart"].map(
    (action) => `ecr:${action}`,
  ),
];

function registry({ functions, backup }: Repositories, actions: readonly string[]): ControllerGrant[] {
  return [
    { actions, resources: [functions.repositoryArn, backup.repositoryArn] },
    { actions: ["ecr:GetAuthorizationToken"], resources: ["*"], why: "A token is for the whole registry: ECR has no narrower resource." },
  ];
}

export function createWorkflowRoles(
  scope: Construct,
  repositories: Repositories,
  settings: Settings,
): Map<WorkflowName, iam.Role> {
  const provider = new iam.CfnOIDCProvider(scope, "github", {
    url: `https://${ISSUER}`,
    clientIdList: ["sts.amazonaws.com"],
  });
  const roles = (Object.keys(WORKFLOWS) as WorkflowName[]).flatMap((name) => {
    const workflow: Workflow = WORKFLOWS[name];
    const grants = workflow.grants(scope, repositories, settings.github);
    if (grants.length === 0) return [];
    const role = new iam.Role(scope, name, {
      roleName: `task-app-${name}`,
      description: `GitHub's workflow ${name}: ${workflow.description}`,
      assumedBy: new iam.WebIdentityPrincipal(provider.attrArn, {
        StringEquals: {
          [`${ISSUER}:aud`]: "sts.amazonaws.com",
          [`${ISSUER}:sub`]: workflow.subject(settings.github),
        },
      }),
    });
    allow(role, grants);
    return [[name, role] as const];
  });
  return new Map(roles);
}

/** A role that `cdk bootstrap` makes. */
function bootstrapRole(scope: Construct, kind: string): string {
  const { account, region } = Stack.of(scope);
  return Stack.of(scope).formatArn({
    service: "iam",
    region: "",
    resource: "role",
    resourceName: `cdk-hnb659fds-${kind}-role-${account}-${region}`,
  });
}
