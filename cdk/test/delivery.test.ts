import assert from "node:assert/strict";
import { test } from "node:test";
import { ENVIRONMENTS } from "../config/index.ts";
import { NAMES, ofType } from "../lib/assembly.ts";
import { statements } from "./policies.ts";

const ISSUER = "token.actions.githubusercontent.com";

for (const name of NAMES) {
  test(`${name}: each workflow is one branch, environment or event of our repository`, () => {
    const { repository, branch, environment, images } = ENVIRONMENTS[name]?.github ?? assert.fail();
    const trusted = statements(name).filter(({ type, condition }) => type === "AWS::IAM::Role" && JSON.stringify(condition).includes(ISSUER));
    for (const { condition } of trusted) {
      assert.deepEqual(Object.keys(condition), ["StringEquals"]);
      assert.equal(condition.StringEquals?.[`${ISSUER}:aud`], "sts.amazonaws.com");
      assert.ok(!String(condition.StringEquals[`${ISSUER}:sub`]).includes("*"));
    }
    const expected = {
      "cd-app": `ref:refs/heads/${branch}`,
      promote: "environment:production",
      "cdk-diff": "pull_request",
      "cdk-deploy": `environment:${environment}`,
    };
    const roles = Object.fromEntries(trusted.map(({ of, condition }) => [of.replace(/[0-9A-F]{8}$/, ""), condition.StringEquals?.[`${ISSUER}:sub`]]));
    // Into production nothing comes without an approval: the branch has no role there.
    const here = Object.entries(expected).filter(([workflow]) => workflow !== "cd-app" || images === "built");
    assert.deepEqual(roles, Object.fromEntries(here.map(([workflow, of]) => [workflow.replaceAll("-", ""), `repo:${repository}:${of}`])));
    assert.equal(images, name === "production" ? "promoted" : "built");
  });

  test(`${name}: a promotion reads in dev and writes in production`, () => {
    const actions = statements(name).filter(({ of, type }) => type === "AWS::IAM::Policy" && of.startsWith("promote")).flatMap((statement) => statement.actions);
    assert.equal(actions.includes("ecr:PutImage"), name === "production");
    assert.ok(actions.includes("ecr:BatchGetImage"));
  });

  test(`${name}: a pull request can change nothing`, () => {
    const own = statements(name).filter(({ of, type }) => type === "AWS::IAM::Policy" && of.startsWith("cdkdiff"));
    assert.deepEqual(own.map(({ actions }) => actions), [["sts:AssumeRole"]]);
    assert.ok(own.every(({ resources }) => resources.length === 1 && JSON.stringify(resources).includes("-lookup-role-")));
  });

  test(`${name}: an image that was pushed stays what it is, and is scanned`, () => {
    const repositories = ofType(name, "AWS::ECR::Repository");
    assert.deepEqual(repositories.map(({ properties }) => properties.RepositoryName as string).sort(), ["task-app", "task-app-backup"]);
    for (const { properties, deletionPolicy } of repositories) {
      assert.equal(properties.ImageTagMutability, "IMMUTABLE");
      assert.equal(properties.ImageScanningConfiguration.ScanOnPush, true);
      const policy = (properties.LifecyclePolicy as { LifecyclePolicyText: string }).LifecyclePolicyText;
      const { rules } = JSON.parse(policy) as { rules: { selection: { tagStatus: string } }[] };
      // What has no tag are attestations: a rule that met them would count them as releases, or remove them.
      assert.deepEqual(rules.map(({ selection }) => selection.tagStatus), ["tagged"]);
      assert.equal(deletionPolicy, "Retain");
    }
  });

  test(`${name}: nodes and our Lambdas may pull, and nobody else; Lambdas not what is for pods only`, () => {
    const pulling = statements(name).filter(({ type }) => type === "AWS::ECR::Repository");
    for (const { actions } of pulling) assert.deepEqual(actions, ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]);
    const lambdas = pulling.filter(({ principal }) => JSON.stringify(principal).includes("lambda.amazonaws.com"));
    assert.deepEqual(pulling.map(({ of }) => of.startsWith("backup")).sort(), [false, false, true]);
    assert.deepEqual(lambdas.map(({ of }) => of.startsWith("backup")), [false]);
    assert.match(JSON.stringify(lambdas[0]?.condition), /aws:SourceArn.*:function:task-app-\*/);
  });
}
