// Calls of the local AWS-compatible server that `local-stack exec` names.

import assert from "node:assert/strict";

export async function call(target: string, body: object): Promise<void> {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  assert.ok(endpoint, "AWS_ENDPOINT_URL is missing: run it by local-stack exec");
  const service = target.startsWith("AmazonSSM") ? "ssm" : "secretsmanager";
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": target,
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  assert.ok(response.ok, `${target}: ${await response.text()}`);
}
