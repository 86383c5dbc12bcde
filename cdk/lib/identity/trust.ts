// Who may assume a role.

import { Fn, Stack } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";

/** One service account of the cluster, by Pod Identity. */
export function podIdentity(clusterArn: string, namespace: string, serviceAccount: string): iam.PrincipalBase {
  const principal = new iam.ServicePrincipal("pods.eks.amazonaws.com", {
    conditions: {
      ArnEquals: { "aws:SourceArn": clusterArn },
      StringEquals: {
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": serviceAccount,
      },
    },
  });
  return principal.withSessionTags();
}

/** One service account of the cluster, by its OIDC provider (IRSA). */
export function webIdentity(
  scope: Construct,
  providerArn: string,
  issuerUrl: string,
  namespace: string,
  serviceAccount: string,
): string {
  // The issuer's name is part of two keys, and CloudFormation substitutes in keys of a text only.
  const policy = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: "${Provider}" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            "${Issuer}:aud": "sts.amazonaws.com",
            "${Issuer}:sub": `system:serviceaccount:${namespace}:${serviceAccount}`,
          },
        },
      },
    ],
  };
  return Fn.sub(Stack.of(scope).toJsonString(policy), {
    Provider: providerArn,
    Issuer: Fn.select(1, Fn.split("//", issuerUrl)),
  });
}
